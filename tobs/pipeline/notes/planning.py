"""Plan notes: messages up to the watermark get their note and its path, in id order, once.

The result does not depend on the order of fetching: a message is planned only when every lower id is settled, and an
album only when its next message is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from msgspec import Struct

from tobs.archive import NoteDraft
from tobs.model import Chat, Message, MessageKey, message_name, story_peer
from tobs.model.events import WorkExpected
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.notes.message_folders import Folder, file_comments, folders_of
from tobs.render.naming import title_candidates
from tobs.vault.layout import (
    LAYOUTS,
    LayoutName,
    NotePath,
    message_note,
    note_candidates,
    period_of,
    person_candidates,
)
from tobs.vault.names import first_words

#: Messages of one day or month that are planned together. The note of a larger one is rendered several times.
_LARGEST_PERIOD = 5_000


class Planned(Struct, frozen=True):
    """The result of one batch: the number of planned messages and albums, and whether nothing is left to plan for
    now."""

    units: int
    is_all: bool


def plan_messages(context: RunContext, chat_folder: ChatFolder, *, upto: int, final: bool) -> Planned:
    """Plan the next batch of messages up to id ``upto`` (see ``settled_to``); ``final`` means that no further message
    comes."""
    archive, chat = context.archive, chat_folder.chat
    if chat_folder.layout != "message" and not final and _is_open(context, chat_folder, upto):
        return Planned(0, is_all=True)
    limit = context.batch if chat_folder.layout == "message" else max(context.batch, _LARGEST_PERIOD)
    messages = archive.messages.unplanned(context.account, chat.id, upto, limit)
    units = albums(messages)
    more_may_come = not final or len(messages) == limit
    if units and units[-1][0].album_id and more_may_come:
        # Its other parts may come with the next page.
        units.pop()
    if chat_folder.layout != "message" and more_may_come:
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
    """Return the highest id that may get a note: the watermark, or the top at the end of a part of a chat."""
    if final and chat_folder.is_part:
        return chat_folder.chat.top
    return context.archive.coverage.watermark(context.account, chat_folder.chat.id)


def _is_open(context: RunContext, chat_folder: ChatFolder, upto: int) -> bool:
    """Report whether all messages that could be planned are of one day or month, to which more may come.

    Such a note waits, so that a day is rendered once and not with each page. Only two dates are read, not the
    messages.
    """
    dates = context.archive.messages.unplanned_dates(context.account, chat_folder.chat.id, upto)
    return dates is None or _period(context, chat_folder, dates[0]) == _period(context, chat_folder, dates[1])


def _closed_periods(
    context: RunContext, chat_folder: ChatFolder, units: Sequence[list[Message]], *, may_wait: bool
) -> list[list[Message]]:
    """Return ``units`` without those of the last day or month, to which more may come.

    If there is only one, it is returned whole unless it ``may_wait``.
    """
    if not units:
        return []
    last_period = _period(context, chat_folder, units[-1][0].date)
    closed = [unit for unit in units if _period(context, chat_folder, unit[0].date) != last_period]
    return closed if closed or may_wait else list(units)


def _period(context: RunContext, chat_folder: ChatFolder, unix: int) -> str:
    return period_of(chat_folder.layout, datetime.fromtimestamp(unix, context.zone).date())


def albums(messages: Sequence[Message]) -> list[list[Message]]:
    """Group neighbouring messages of the same album; every other message is alone. The order stays."""
    units: list[list[Message]] = []
    for message in messages:
        if message.album_id and units and units[-1][0].album_id == message.album_id:
            units[-1].append(message)
        else:
            units.append([message])
    return units


def _draft(context: RunContext, folder: Folder, unit: Sequence[Message]) -> NoteDraft | None:
    """Return the note of a message or an album; None for later parts of an album that has its note already."""
    first = unit[0]
    keys = [MessageKey.of(context.account, message.chat_id, message.id) for message in unit]
    earlier = _note_of_album(context, first)
    if earlier is not None:
        context.archive.notes.assign(earlier[0], keys, block_id=earlier[1])
        return None
    day = datetime.fromtimestamp(first.date, context.zone).date()
    note_path = NotePath(
        folder.path,
        day,
        first.id,
        first_words(*title_candidates(unit, partial(_name, context), context.render_context.options)),
    )
    parts = [(first.id, key) for key in keys[1:]]
    return NoteDraft(
        message_name(first.chat_id, first.id), first.id, note_candidates(message_note(note_path)), keys, parts=parts
    )


def _period_drafts(
    context: RunContext, layout: LayoutName, units: Sequence[tuple[Folder, list[Message]]]
) -> list[NoteDraft]:
    """Return the notes of days or months for messages, each once, in the order of their first messages."""
    notes, drafts = context.archive.notes, dict[str, _PeriodDraft]()
    for folder, unit in units:
        first = unit[0]
        keys = [MessageKey.of(context.account, message.chat_id, message.id) for message in unit]
        earlier = _note_of_album(context, first)
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
    """The note of a day or month while its messages are collected."""

    note_path: NotePath
    keys: list[MessageKey] = []
    parts: list[tuple[int, MessageKey]] = []


def _period_draft(layout: LayoutName, tobs_id: str, draft: _PeriodDraft) -> NoteDraft:
    note_path = draft.note_path
    path, period = LAYOUTS[layout](note_path), period_of(layout, note_path.date)
    return NoteDraft(tobs_id, note_path.message_id, note_candidates(path), draft.keys, period, draft.parts)


def _note_of_album(context: RunContext, first: Message) -> tuple[int, int] | None:
    """Return the note id and block id of the album whose later part ``first`` is; None for every other message."""
    if not first.album_id:
        return None
    return context.archive.notes.of_album(context.account, first.chat_id, first.album_id, first.id)


def _plan_senders(context: RunContext, chat: Chat, senders: Sequence[int]) -> None:
    """Claim a note for each new sender; the notes of known senders become stale, because they count messages."""
    archive = context.archive
    ids = [
        sender_id for sender_id in dict.fromkeys(senders) if sender_id not in (0, chat.id, min(0, story_peer(chat.id)))
    ]
    people = archive.people.many(ids)
    # A channel that writes in its group has a note already; an earlier note as a sender stays.
    known = archive.notes.many(
        name for sender_id in ids if sender_id < 0 for name in (str(sender_id), f"person/{sender_id}")
    )
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
    """Return the name of a person or chat; empty if it is not known."""
    person = context.archive.people.many([marked]).get(marked)
    if person is not None:
        return person.name
    chat = context.archive.chats.get(context.account, marked)
    return "" if chat is None else chat.title
