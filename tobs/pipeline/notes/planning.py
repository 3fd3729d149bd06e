"""Planning: messages behind the watermark get their note and its path, in id order, once and for good.

Nothing here depends on which worker was first: a message is planned only when every lower id is settled, and an
album only when its neighbour is known.
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

#: Messages of one day or month that are planned together. Of a larger one the note is made several times.
_LARGEST_PERIOD = 5_000


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
