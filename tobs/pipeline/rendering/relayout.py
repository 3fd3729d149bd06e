"""A chat in another layout: its messages are planned again, what the owner wrote is kept, links follow.

    retire ─> plan again ─> the owner's words into the notes that have the same messages ─> press ─> clear away

Everything the steps need is in the archive, and each can be done twice: a run that was stopped is finished by the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import islice

from msgspec.structs import replace

from tobs.archive import Retired, Successor, pack_base
from tobs.model import Chat, stories_of
from tobs.pipeline.desk import ChatPlace, Desk
from tobs.pipeline.folders import layout_of
from tobs.pipeline.lookups import address
from tobs.pipeline.notes import MESSAGE_NOTES
from tobs.pipeline.plan import known_place, plan_messages, settled_to
from tobs.pipeline.report import Change, KeptNote, Relaid, Rendering
from tobs.render.frontmatter import managed_hash
from tobs.vault.decide import Known, is_ours, plain_text, text_hash
from tobs.vault.layout import AskedLayout, LayoutName, choose_layout
from tobs.vault.place import unoccupied
from tobs.vault.read import read_batch
from tobs.vault.relayout import (
    as_kept,
    kept_candidates,
    notes_of_vault,
    relinked,
    remove_notes,
    renamed_marks,
)
from tobs.vault.writer import NoteFile, write_batch

_BLOCK = re.compile(r"\^([mg])(\d+)")

#: Files of the vault read together in search of links.
_FILES = 200


def lay_out(desk: Desk, chat: Chat, asked: AskedLayout) -> list[ChatPlace]:
    """Lay ``chat`` out as ``asked``, with what is filed in its folder; the places of both, none if all is as it should
    be. Notes the owner deleted stay so, and so do their messages."""
    archive = desk.archive
    layout = _wanted_layout(desk, chat, asked)
    with archive.transaction():
        is_new = layout != layout_of(archive, desk.account, chat.id)
        if is_new:
            archive.chats.set_layout(desk.account, chat.id, layout, "tobs render --layout asked for it")
        places = _filed_with(desk, chat)
        retired = sum(_retire(desk, place) for place in places)
    if not (is_new or retired):
        return []
    rendering_of(desk).layouts.append(Relaid(chat.title, layout, retired))
    for place in places:
        _plan_again(desk, place)
    return places


def _wanted_layout(desk: Desk, chat: Chat, asked: AskedLayout) -> LayoutName:
    """The layout a chat is to have."""
    messages = desk.archive.messages
    count = messages.count(desk.account, chat.id)
    count += messages.count(desk.account, chat.migrated_from) if chat.migrated_from else 0
    return choose_layout(asked, count)[0]


def _filed_with(desk: Desk, chat: Chat) -> list[ChatPlace]:
    """Where the messages of ``chat`` are filed, and all others that are laid out with them: of the group it grew from,
    its stories, the comments under its posts (which the discussion group may share with messages of its own)."""
    archive = desk.archive
    ids = [chat.migrated_from, chat.id, stories_of(chat.id), *archive.comments.groups_of(chat.id)]
    known = [archive.chats.get(desk.account, one) for one in ids if one]
    places = [known_place(desk, one) for one in known if one is not None]
    return [_all_there_is(desk, place) for place in places if place.note_id]


def _all_there_is(desk: Desk, place: ChatPlace) -> ChatPlace:
    """``place``, for planning all that is archived: where an export was stopped halfway, what had a note gets one again
    all the same."""
    archive, chat = desk.archive, place.chat
    top = archive.messages.newest_id(desk.account, chat.id)
    is_part = bool(archive.coverage.gaps(desk.account, chat.id, 1, top))
    return replace(place, chat=replace(chat, top=top), is_part=is_part)


def _retire(desk: Desk, place: ChatPlace) -> int:
    """The notes of a chat that are not laid out as they should be are to go; how many."""
    archive, chat_id = desk.archive, place.chat.id
    channels = [
        one
        for one in archive.comments.channels_of(chat_id)
        if archive.comments.wanted(one) and archive.notes.by_tobs_id(str(one)) is not None
    ]
    commented = {one: layout_of(archive, desk.account, one) for one in channels}
    return archive.relayouts.retire(desk.account, chat_id, MESSAGE_NOTES, place.layout, commented)


def _plan_again(desk: Desk, place: ChatPlace) -> None:
    while plan_messages(desk, place, upto=settled_to(desk, place, final=True), final=True):
        pass


def resume_relayouts(desk: Desk) -> None:
    """Go on where an earlier run was stopped while it laid chats out anew."""
    archive = desk.archive
    for _, chat_id in archive.relayouts.chats():
        chat = archive.chats.get(desk.account, chat_id)
        place = known_place(desk, chat) if chat is not None else None
        if place is not None and place.note_id:
            _plan_again(desk, _all_there_is(desk, place))
    hand_over(desk)


def finish_relayouts(desk: Desk) -> None:
    """When the new notes are there: what is left of the layouts before goes, and links follow."""
    archive = desk.archive
    chats = archive.relayouts.chats()
    if chats and not any(archive.notes.stale(desk.account, chat, kinds=MESSAGE_NOTES, limit=1) for _, chat in chats):
        # Links first, while the archive knows where they led.
        rendering_of(desk).relinked += follow_links(desk)
        clear_away(desk)


def rendering_of(desk: Desk) -> Rendering:
    """What the report tells of notes made again."""
    report = desk.reporter.report
    if report.rendering is None:
        report.rendering = Rendering()
    return report.rendering


def hand_over(desk: Desk) -> None:
    """Give the owner's words of retired notes to the notes that show the same messages; what is new is merged into them
    when they are pressed."""
    for rows, found in _retired_files(desk):
        successors = desk.archive.relayouts.successors(row.id for row in rows)
        for row, data in zip(rows, found, strict=True):
            successor = successors.get(row.id)
            if data is not None and successor is not None and successor.is_same and not _is_ours(row, data):
                _hand_over(desk, row, _text(data), successor)


def _hand_over(desk: Desk, row: Retired, text: str, successor: Successor) -> None:
    """The new file first, then the archive, then the old file: nothing is lost wherever it stops."""
    base = desk.archive.notes.bases([row.id]).get(row.id)
    path, new = successor.shown.path, renamed_marks(text, row.tobs_id, successor.tobs_id)
    (there,) = read_batch(desk.root, [path])
    if base is None or (there is not None and plain_text(there) != new):
        return
    write_batch(desk.root, [NoteFile(path, new)])
    base = renamed_marks(base, row.tobs_id, successor.tobs_id)
    desk.archive.relayouts.adopt(row.id, successor.note_id, text_hash=text_hash(base), base=pack_base(base))
    remove_notes(desk.root, [row.path])


def follow_links(desk: Desk) -> int:
    """Bring links to retired notes up to date in what people wrote anywhere in the vault; how many notes changed."""
    successor = lru_cache(maxsize=4096)(partial(_successor, desk))
    relayouts, changed = desk.archive.relayouts, 0
    # The retired notes point at each other; they go.
    paths = (path for path in notes_of_vault(desk.root) if relayouts.named(path) is None)
    while batch := list(islice(paths, _FILES)):
        texts = [plain_text(data or b"") or "" for data in read_batch(desk.root, batch)]
        news = [NoteFile(path, relinked(text, successor)) for path, text in zip(batch, texts, strict=True)]
        news = [new for new, text in zip(news, texts, strict=True) if new.text != text]
        if not desk.studio.is_rehearsal:
            write_batch(desk.root, news)
        changed += len(news)
    return changed


def _successor(desk: Desk, path: str, part: str) -> str | None:
    """What a link names now that named the retired note at ``path`` and the block ``part`` of it."""
    archive = desk.archive
    row = archive.relayouts.named(path)
    if row is None:
        return None
    if block := _BLOCK.fullmatch(part):
        chat = archive.chats.get(desk.account, row.chat_id)
        chat_id = chat.migrated_from if chat is not None and block[1] == "g" else row.chat_id
        shown = archive.notes.shown_in(desk.account, chat_id, int(block[2]))
        if shown is not None:
            return address(shown)
    successor = archive.relayouts.successors([row.id]).get(row.id)
    return address(successor.shown) if successor is not None else None


def clear_away(desk: Desk) -> None:
    """Take the retired notes out of the vault and the archive. One that the owner wrote into is kept beside the note
    that has its messages now, as a note of theirs."""
    relayouts, rendering = desk.archive.relayouts, rendering_of(desk)
    for rows, found in _retired_files(desk):
        successors = relayouts.successors(row.id for row in rows)
        for row, data in zip(rows, found, strict=True):
            if data is not None and not _is_ours(row, data):
                beside = _keep(desk, row, _text(data), successors.get(row.id))
                rendering.kept.append(KeptNote(row.path, beside))
            elif data is not None and rendering.changes is not None:
                rendering.changes.append(Change(row.path, "removed"))
        if not desk.studio.is_rehearsal:
            remove_notes(desk.root, [row.path for row in rows])
            relayouts.drop(row.id for row in rows)


def _keep(desk: Desk, row: Retired, text: str, successor: Successor | None) -> str:
    """Write what the owner has in a retired note beside its successor; where."""
    candidates = kept_candidates(row.path, successor.shown.path if successor else row.path)
    path = desk.archive.relayouts.keep(row.tobs_id, unoccupied(desk.root, candidates, ""))
    if not desk.studio.is_rehearsal:
        write_batch(desk.root, [NoteFile(path, as_kept(text, address(successor.shown) if successor else ""))])
    return path


def _retired_files(desk: Desk) -> Iterator[tuple[list[Retired], list[bytes | None]]]:
    """The retired notes, a batch at a time, with what lies at their places."""
    last = 0
    while rows := desk.archive.relayouts.retired(after=last):
        last = rows[-1].id
        yield rows, read_batch(desk.root, [row.path for row in rows])


def _is_ours(row: Retired, data: bytes) -> bool:
    return is_ours(Known(row.tobs_id, "written", row.text_hash), data, managed_hash)


def _text(data: bytes) -> str:
    """What a person wrote, whatever they wrote it with."""
    return data.decode("utf-8-sig", "replace")
