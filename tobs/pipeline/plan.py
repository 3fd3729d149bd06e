"""Planning: messages behind the watermark get their note and its path, in id order, once and for good.

Nothing here depends on which worker was first: a message is planned only when every lower id is settled, and an
album only when its neighbour is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from tobs.archive import NoteDraft
from tobs.model import Chat, Message, MessageKey, Topic
from tobs.pipeline.desk import ChatPlace, Desk
from tobs.pipeline.folders import Folder, folders_of
from tobs.render.naming import note_words
from tobs.vault.layout import (
    LAYOUTS,
    NotePlace,
    chat_candidates,
    chat_folder,
    note_candidates,
    person_candidates,
)
from tobs.vault.names import first_words


def open_chat(desk: Desk, chat: Chat, *, inside: ChatPlace | None = None, is_part: bool = False) -> ChatPlace:
    """Give ``chat`` its note and folder, or those of ``inside`` which it belongs to. What is known of the chat is
    kept; its note is stale if that changed."""
    archive = desk.archive
    if inside is not None:
        archive.chats.put(desk.account, chat)
        return ChatPlace(chat, inside.note_id, inside.folder, is_part)
    with archive.transaction():
        before = archive.chats.get(desk.account, chat.id)
        archive.chats.put(desk.account, chat)
        note = archive.notes.claim(
            str(chat.id),
            "chat",
            account=desk.account,
            chat_id=chat.id,
            message_id=0,
            candidates=chat_candidates(chat.title, chat.id),
        )
        if before is not None and _shown(before) != _shown(chat):
            archive.notes.mark_stale([note.id])
    return ChatPlace(chat, note.id, chat_folder(note.path), is_part)


def open_topics(desk: Desk, chat: Chat, topics: Sequence[Topic]) -> None:
    """Keep the topics of ``chat`` as they are now; its note tells them."""
    archive = desk.archive
    with archive.transaction():
        if archive.topics.put(desk.account, chat.id, topics):
            note = archive.notes.by_tobs_id(str(chat.id))
            archive.notes.mark_stale([note.id] if note else [])


def plan_messages(desk: Desk, place: ChatPlace, *, final: bool) -> int:
    """Plan the next batch of messages up to the watermark; ``final`` says that no further one is to come.

    The number of notes planned; 0 when there was nothing to do.
    """
    archive, chat = desk.archive, place.chat
    upto = settled_to(desk, place, final=final)
    messages = archive.messages.unplanned(desk.account, chat.id, upto, desk.batch)
    units = albums(messages)
    if units and units[-1][0].album_id and (not final or len(messages) == desk.batch):
        # Its other parts may come with the next page.
        units.pop()
    if not units:
        return 0
    with archive.transaction():
        folders = folders_of(desk, place, [unit[0] for unit in units])
        drafts = [_draft(desk, folder, unit) for folder, unit in zip(folders, units, strict=True)]
        archive.notes.plan("message", desk.account, chat.id, [draft for draft in drafts if draft is not None])
        _plan_senders(desk, chat, [message.sender_id for unit in units for message in unit])
        archive.notes.mark_stale({place.note_id, *(folder.note_id for folder in folders)})
    desk.reporter.expected_notes += len(units)
    return len(units)


def settled_to(desk: Desk, place: ChatPlace, *, final: bool) -> int:
    """Up to which id messages may get their notes: the watermark, or at the end of a part of a chat its top."""
    if final and place.is_part:
        return place.chat.top
    return desk.archive.coverage.watermark(desk.account, place.chat.id)


def albums(messages: Sequence[Message]) -> list[list[Message]]:
    """Neighbouring messages of one album together, every other message alone; order is kept."""
    units: list[list[Message]] = []
    for message in messages:
        if message.album_id and units and units[-1][0].album_id == message.album_id:
            units[-1].append(message)
        else:
            units.append([message])
    return units


def _draft(desk: Desk, folder: Folder, unit: Sequence[Message]) -> NoteDraft | None:
    """The note of a message or an album; None for later parts of an album that has its note already."""
    notes, first = desk.archive.notes, unit[0]
    keys = [MessageKey.of(desk.account, message.chat_id, message.id) for message in unit]
    if first.album_id:
        earlier = notes.of_album(desk.account, first.chat_id, first.album_id, first.id)
        if earlier is not None:
            notes.assign(earlier, keys)
            return None
    day = datetime.fromtimestamp(first.date, desk.zone).date()
    spot = NotePlace(
        folder.path, day, first.id, first_words(*note_words(unit, partial(_name, desk), desk.studio.options))
    )
    path = LAYOUTS[desk.layout](spot)
    return NoteDraft(f"{first.chat_id}/{first.id}", first.id, note_candidates(path), keys)


def _plan_senders(desk: Desk, chat: Chat, senders: Sequence[int]) -> None:
    """People get their note when their first message does; with each further one it is stale (it counts)."""
    archive = desk.archive
    ids = [one for one in dict.fromkeys(senders) if one not in (0, chat.id)]
    people = archive.people.many(ids)
    touched = []
    for person_id in ids:
        person = people.get(person_id)
        if person is None:
            continue
        note = archive.notes.claim(
            f"person/{person_id}",
            "person",
            account=desk.account,
            chat_id=0,
            message_id=0,
            candidates=person_candidates(person.name, person_id),
        )
        if not note.is_stale:
            touched.append(note.id)
    archive.notes.mark_stale(touched)


def _name(desk: Desk, marked: int) -> str:
    """The name of a person or chat; empty while it is not known."""
    person = desk.archive.people.many([marked]).get(marked)
    if person is not None:
        return person.name
    chat = desk.archive.chats.get(desk.account, marked)
    return "" if chat is None else chat.title


def _shown(chat: Chat) -> tuple[object, ...]:
    """What of a chat its note shows; counters that change by themselves are not among it (invariant 4)."""
    return (chat.title, chat.username, chat.about, chat.kind, chat.pinned, chat.linked_chat, chat.migrated_from)
