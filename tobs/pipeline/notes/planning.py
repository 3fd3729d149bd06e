"""Planning: messages behind the watermark get their note and its path, in id order, once and for good.

Nothing here depends on which worker was first: a message is planned only when every lower id is settled, and an
album only when its neighbour is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from tobs.archive import NoteDraft, NoteRow
from tobs.model import Chat, Message, MessageKey, Topic, message_name, story_peer
from tobs.model.events import WorkExpected
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.fetch.comments import file_comments
from tobs.pipeline.notes.folders import Folder, folder_key, folder_of, folders_of, layout_of
from tobs.render.naming import title_candidates
from tobs.vault.layout import (
    LAYOUTS,
    VAULT_BASE,
    VAULT_INDEX,
    LayoutName,
    NotePath,
    chat_base_path,
    chat_candidates,
    choose_layout,
    message_note,
    note_candidates,
    period_of,
    person_candidates,
)
from tobs.vault.names import first_words

#: Messages of one day or month that are planned together. Of a larger one the note is made several times.
_LARGEST_PERIOD = 5_000


def open_chat(
    context: RunContext,
    chat: Chat,
    *,
    parent: ChatFolder | None = None,
    is_part: bool = False,
    messages: int | None = None,
    source: str = "",
) -> ChatFolder:
    """Give ``chat`` its note, folder and layout, or those of ``parent`` which it belongs to. What is known of the chat
    is kept; its note is stale if that changed. ``messages``: how many it has, if not just those of its own history.
    ``source``: the name of the one that it comes from (empty: the one that is known)."""
    archive = context.archive
    if parent is not None:
        archive.chats.put(context.account, chat, source=source)
        return ChatFolder(chat, parent.note_id, parent.folder, parent.filed_under, parent.layout, is_part)
    with archive.transaction():
        if chat.migrated_from:
            _take_over_group(context, chat)
        before = archive.chats.get(context.account, chat.id)
        archive.chats.put(context.account, chat, source=source)
        note = archive.notes.claim(
            str(chat.id),
            "chat",
            account=context.account,
            chat_id=chat.id,
            message_id=0,
            candidates=chat_candidates(chat.title, chat.id),
        )
        if before is not None and _shown(before) != _shown(chat):
            archive.notes.mark_stale([note.id])
        _claim_bases(context, note)
        layout = _layout(context, chat.id, messages if messages is not None else chat.count or 0)
    return ChatFolder(chat, note.id, folder_of(archive, note), chat.id, layout, is_part)


def _take_over_group(context: RunContext, chat: Chat) -> None:
    """The basic group that ``chat`` grew from may be in the vault already, exported before it grew: then its note,
    tables, folder and layout are the chat's from now on. One chat, one note."""
    archive, old, new = context.archive, str(chat.migrated_from), str(chat.id)
    if archive.notes.by_tobs_id(old) is None or archive.notes.by_tobs_id(new) is not None:
        return
    for part in ("", "/base"):
        archive.notes.take_over(old + part, new + part, context.account, chat.id)
    if (folder := archive.meta.get(folder_key(old))) is not None:
        archive.meta.set(folder_key(new), folder)
        archive.meta.set(folder_key(old), None)
    layout = archive.chats.layout(context.account, chat.migrated_from)
    if layout is not None:
        archive.chats.set_layout(context.account, chat.id, *layout)


def known_folder(context: RunContext, chat: Chat) -> ChatFolder:
    """The place that an earlier run gave a chat, in the folder of another one if it has no note of its own; without a
    note and a folder where there is none."""
    archive = context.archive
    note = archive.notes.by_tobs_id(str(chat.id))
    if note is None and (host := _host(context, chat)) is not None:
        chat_folder = known_folder(context, host)
        chat = replace(chat, top=archive.messages.newest_id(context.account, chat.id))
        return replace(
            chat_folder,
            chat=chat,
            filed_under=host.id if chat.migrated_to else chat.id,
            is_filed_elsewhere=not chat.migrated_to,
        )
    layout = layout_of(archive, context.account, chat.id)
    return ChatFolder(chat, note.id if note else 0, folder_of(archive, note) if note else "", chat.id, layout)


def _host(context: RunContext, chat: Chat) -> Chat | None:
    """The chat in whose folder ``chat`` is filed when it has no note of its own: that which a group became, whose
    stories it holds, under whose posts its messages are comments."""
    chats = context.archive.chats
    if host := chat.migrated_to or story_peer(chat.id):
        return chats.get(context.account, host)
    channels = context.archive.comments.channels_of(chat.id) if chat.kind == "supergroup" else []
    return next((known for one in channels if (known := chats.get(context.account, one)) is not None), None)


def _layout(context: RunContext, chat_id: int, messages: int) -> LayoutName:
    """How the chat is laid out: as it was decided when it came first."""
    known = context.archive.chats.layout(context.account, chat_id)
    if known is None:
        known = choose_layout(context.layout, messages)
        context.archive.chats.set_layout(context.account, chat_id, *known)
    return cast("LayoutName", known[0])


def open_topics(context: RunContext, chat: Chat, topics: Sequence[Topic]) -> None:
    """Keep the topics of ``chat`` as they are now; its note tells them."""
    archive = context.archive
    with archive.transaction():
        if archive.topics.put(context.account, chat.id, topics):
            note = archive.notes.by_tobs_id(str(chat.id))
            archive.notes.mark_stale([note.id] if note else [])


def _claim_bases(context: RunContext, note: NoteRow) -> None:
    """The tables over the chat of ``note``, and those over the whole vault, which are written once (what they show,
    Obsidian looks up); and the list of all chats."""
    for tobs_id, chat_id, path in (
        ("base", 0, VAULT_BASE),
        (f"{note.chat_id}/base", note.chat_id, chat_base_path(note.path)),
        ("index", 0, VAULT_INDEX),
    ):
        kind = "index" if tobs_id == "index" else "base"
        context.archive.notes.claim(
            tobs_id, kind, account=context.account, chat_id=chat_id, message_id=0, candidates=[path]
        )


class Planned(Struct, frozen=True):
    """What became of a batch: how many messages and albums were planned, and whether these were all for now."""

    units: int
    is_all: bool


def plan_messages(context: RunContext, chat_folder: ChatFolder, *, upto: int, final: bool) -> Planned:
    """Plan the next batch of messages up to id ``upto`` (see ``settled_to``); ``final`` says that no further one is to
    come."""
    archive, chat = context.archive, chat_folder.chat
    if chat_folder.layout != "message" and not final and _is_open(context, chat_folder, upto):
        return Planned(0, is_all=True)
    limit = context.batch if chat_folder.layout == "message" else max(context.batch, _LARGEST_PERIOD)
    messages = archive.messages.unplanned(context.account, chat.id, upto, limit)
    units = albums(messages)
    may_go_on = not final or len(messages) == limit
    if units and units[-1][0].album_id and may_go_on:
        # Its other parts may come with the next page.
        units.pop()
    if chat_folder.layout != "message" and may_go_on:
        units = _closed_periods(context, chat_folder, units, may_wait=len(messages) < limit)
    if not units:
        return Planned(0, is_all=True)
    with archive.transaction():
        file_comments(archive, chat, [message for unit in units for message in unit])
        folders = folders_of(context, chat_folder, [unit[0] for unit in units])
        planned = 0
        for layout in dict.fromkeys(folder.layout for folder in folders):
            filed = [(folder, unit) for folder, unit in zip(folders, units, strict=True) if folder.layout == layout]
            if layout == "message":
                drafts = [draft for folder, unit in filed if (draft := _draft(context, folder, unit)) is not None]
                archive.notes.plan(layout, context.account, chat.id, drafts)
            else:
                drafts = _period_drafts(context, layout, filed)
                archive.notes.plan(layout, context.account, chat_folder.filed_under, drafts)
            planned += len(drafts)
        _plan_senders(context, chat, [message.sender_id for unit in units for message in unit])
        archive.notes.mark_stale({chat_folder.note_id, *(folder.note_id for folder in folders)})
    context.events.emit(WorkExpected(notes=planned))
    return Planned(len(units), is_all=len(messages) < limit)


def settled_to(context: RunContext, chat_folder: ChatFolder, *, final: bool) -> int:
    """Up to which id messages may get their notes: the watermark, or at the end of a part of a chat its top."""
    if final and chat_folder.is_part:
        return chat_folder.chat.top
    return context.archive.coverage.watermark(context.account, chat_folder.chat.id)


def _is_open(context: RunContext, chat_folder: ChatFolder, upto: int) -> bool:
    """Whether all that could be planned is of one period, to which more may come: its note is not made yet, so that a
    day is rendered once and not with each page. Without reading the messages, which may be many."""
    dates = context.archive.messages.unplanned_dates(context.account, chat_folder.chat.id, upto)
    return dates is None or _period(context, chat_folder, dates[0]) == _period(context, chat_folder, dates[1])


def _closed_periods(
    context: RunContext, chat_folder: ChatFolder, units: Sequence[list[Message]], *, may_wait: bool
) -> list[list[Message]]:
    """``units`` without those of the last period, to which more may come; with them if there is no other period and it
    has so many messages that it cannot wait."""
    if not units:
        return []
    last = _period(context, chat_folder, units[-1][0].date)
    closed = [unit for unit in units if _period(context, chat_folder, unit[0].date) != last]
    return closed if closed or may_wait else list(units)


def _period(context: RunContext, chat_folder: ChatFolder, unix: int) -> str:
    return period_of(chat_folder.layout, datetime.fromtimestamp(unix, context.zone).date())


def albums(messages: Sequence[Message]) -> list[list[Message]]:
    """Neighbouring messages of one album together, every other message alone; order is kept."""
    units: list[list[Message]] = []
    for message in messages:
        if message.album_id and units and units[-1][0].album_id == message.album_id:
            units[-1].append(message)
        else:
            units.append([message])
    return units


def _draft(context: RunContext, folder: Folder, unit: Sequence[Message]) -> NoteDraft | None:
    """The note of a message or an album; None for later parts of an album that has its note already."""
    first = unit[0]
    keys = [MessageKey.of(context.account, message.chat_id, message.id) for message in unit]
    earlier = _begun_album(context, first)
    if earlier is not None:
        context.archive.notes.assign(earlier[0], keys, block_id=earlier[1])
        return None
    day = datetime.fromtimestamp(first.date, context.zone).date()
    spot = NotePath(
        folder.path,
        day,
        first.id,
        first_words(*title_candidates(unit, partial(_name, context), context.render_context.options)),
    )
    parts = [(first.id, key) for key in keys[1:]]
    return NoteDraft(
        message_name(first.chat_id, first.id), first.id, note_candidates(message_note(spot)), keys, parts=parts
    )


def _period_drafts(
    context: RunContext, layout: LayoutName, units: Sequence[tuple[Folder, list[Message]]]
) -> list[NoteDraft]:
    """The notes of days or months that messages go to, each once, in the order of their first messages."""
    notes, drafts = context.archive.notes, dict[str, _PeriodDraft]()
    for folder, unit in units:
        first = unit[0]
        keys = [MessageKey.of(context.account, message.chat_id, message.id) for message in unit]
        earlier = _begun_album(context, first)
        if earlier is not None:
            notes.assign(earlier[0], keys, block_id=earlier[1])
            continue
        day = datetime.fromtimestamp(first.date, context.zone).date()
        tobs_id = f"{folder.tobs_id}/{period_of(layout, day)}"
        draft = drafts.setdefault(tobs_id, _PeriodDraft(NotePath(folder.path, day, first.id, "")))
        draft.keys += keys
        draft.parts += [(first.id, key) for key in keys[1:]]
    return [_period_draft(layout, tobs_id, draft) for tobs_id, draft in drafts.items()]


class _PeriodDraft(Struct):
    """What is known of a day's or month's note while its messages are gathered."""

    spot: NotePath
    keys: list[MessageKey] = []
    parts: list[tuple[int, MessageKey]] = []


def _period_draft(layout: LayoutName, tobs_id: str, draft: _PeriodDraft) -> NoteDraft:
    spot = draft.spot
    path, period = LAYOUTS[layout](spot), period_of(layout, spot.date)
    return NoteDraft(tobs_id, spot.message_id, note_candidates(path), draft.keys, period, draft.parts)


def _begun_album(context: RunContext, first: Message) -> tuple[int, int] | None:
    """The note and block of an album of which ``first`` is a later part; None for everything else."""
    if not first.album_id:
        return None
    return context.archive.notes.of_album(context.account, first.chat_id, first.album_id, first.id)


def _plan_senders(context: RunContext, chat: Chat, senders: Sequence[int]) -> None:
    """People get their note when their first message does; with each further one it is stale (it counts)."""
    archive = context.archive
    ids = [one for one in dict.fromkeys(senders) if one not in (0, chat.id, min(0, story_peer(chat.id)))]
    people = archive.people.many(ids)
    # A channel that writes in its group has a note already; what it had before that stays.
    known = archive.notes.many(name for one in ids if one < 0 for name in (str(one), f"person/{one}"))
    touched = []
    for person_id in ids:
        person = people.get(person_id)
        if str(person_id) in known and f"person/{person_id}" not in known:
            continue
        if person is None or archive.people.own_note(person_id, person.username):
            continue
        note = archive.notes.claim(
            f"person/{person_id}",
            "person",
            account=context.account,
            chat_id=0,
            message_id=0,
            candidates=person_candidates(person.name, person_id),
        )
        if not note.is_stale:
            touched.append(note.id)
    archive.notes.mark_stale(touched)


def _name(context: RunContext, marked: int) -> str:
    """The name of a person or chat; empty while it is not known."""
    person = context.archive.people.many([marked]).get(marked)
    if person is not None:
        return person.name
    chat = context.archive.chats.get(context.account, marked)
    return "" if chat is None else chat.title


def _shown(chat: Chat) -> tuple[object, ...]:
    """What of a chat its note shows; counters that change by themselves are not among it (invariant 4)."""
    photo = chat.photo.remote.key if chat.photo is not None and chat.photo.remote is not None else ""
    return (chat.title, chat.username, chat.about, chat.kind, chat.pinned, chat.linked_chat, chat.migrated_from, photo)
