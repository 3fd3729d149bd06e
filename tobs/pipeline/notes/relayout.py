"""A chat in another layout: its messages are planned again, what the owner wrote is kept, links follow.

    retire ─> plan again ─> the owner's words into the notes that have the same messages ─> press ─> clear away

Everything the steps need is in the archive, and each can be done twice: a run that was stopped is finished by the next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from itertools import islice

from msgspec.structs import replace

from tobs.archive import RetiredNote, SuccessorNote, pack_base
from tobs.model import Chat, stories_of
from tobs.model.events import ChatRelaid, LinksUpdated, NoteChangePreviewed, OwnerTextKept
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.notes.chat_folders import known_folder
from tobs.pipeline.notes.lookups import address
from tobs.pipeline.notes.message_folders import layout_of
from tobs.pipeline.notes.note_writer import MESSAGE_NOTES
from tobs.pipeline.notes.planning import plan_messages, settled_to
from tobs.render.frontmatter import managed_hash
from tobs.vault.attach import free_paths
from tobs.vault.decide import KnownNote, is_written_by_tobs, plain_text, text_hash
from tobs.vault.layout import AskedLayout, LayoutName, choose_layout
from tobs.vault.read import read_batch, read_batch_with_mtimes
from tobs.vault.relayout import as_owner_note, linking_files, owner_note_candidates, remove_notes, with_tobs_id
from tobs.vault.relink import Successors, relinked, relinked_canvas
from tobs.vault.writer import NoteFile, write_batch

_BLOCK = re.compile(r"\^([mg])(\d+)")

#: Files of the vault read together in search of links.
_FILES = 200
#: How often a file is read that somebody else saves at the same time.
_ATTEMPTS = 3


def lay_out(context: RunContext, chat: Chat, asked: AskedLayout) -> list[ChatFolder]:
    """Lay ``chat`` out as ``asked``, with what is filed in its folder; the places of both, none if all is as it should
    be. Notes the owner deleted stay so, and so do their messages."""
    archive = context.archive
    layout = _wanted_layout(context, chat, asked)
    with archive.transaction():
        is_new = layout != layout_of(archive, context.account, chat.id)
        if is_new:
            archive.chats.set_layout(context.account, chat.id, layout, "tobs render --layout asked for it")
        chat_folders = _filed_with(context, chat)
        retired = sum(_retire(context, chat_folder) for chat_folder in chat_folders)
    if not (is_new or retired):
        return []
    context.events.emit(ChatRelaid(chat.title, layout, retired))
    for chat_folder in chat_folders:
        _plan_again(context, chat_folder)
    return chat_folders


def _wanted_layout(context: RunContext, chat: Chat, asked: AskedLayout) -> LayoutName:
    """The layout a chat is to have."""
    messages = context.archive.messages
    count = messages.count(context.account, chat.id)
    count += messages.count(context.account, chat.migrated_from) if chat.migrated_from else 0
    return choose_layout(asked, count)[0]


def _filed_with(context: RunContext, chat: Chat) -> list[ChatFolder]:
    """Where the messages of ``chat`` are filed, and all others that are laid out with them: of the group it grew from,
    its stories, the comments under its posts (which the discussion group may share with messages of its own)."""
    archive = context.archive
    ids = [chat.migrated_from, chat.id, stories_of(chat.id), *archive.comments.groups_of(chat.id)]
    known = [archive.chats.get(context.account, one) for one in ids if one]
    chat_folders = [known_folder(context, one) for one in known if one is not None]
    return [_all_there_is(context, chat_folder) for chat_folder in chat_folders if chat_folder.note_id]


def _all_there_is(context: RunContext, chat_folder: ChatFolder) -> ChatFolder:
    """Return ``chat_folder`` for planning all that is archived: where an export was stopped halfway, what had a note
    gets one again."""
    archive, chat = context.archive, chat_folder.chat
    top = archive.messages.newest_id(context.account, chat.id)
    is_part = bool(archive.coverage.gaps(context.account, chat.id, 1, top))
    return replace(chat_folder, chat=replace(chat, top=top), is_part=is_part)


def _retire(context: RunContext, chat_folder: ChatFolder) -> int:
    """The notes of a chat that are not laid out as they should be are to go; how many."""
    archive, chat_id = context.archive, chat_folder.chat.id
    channels = [
        one
        for one in archive.comments.channels_of(chat_id)
        if archive.comments.are_wanted(one) and archive.notes.by_tobs_id(str(one)) is not None
    ]
    commented = {one: layout_of(archive, context.account, one) for one in channels}
    return archive.relayouts.retire(context.account, chat_id, MESSAGE_NOTES, chat_folder.layout, commented)


def _plan_again(context: RunContext, chat_folder: ChatFolder) -> None:
    while not plan_messages(context, chat_folder, upto=settled_to(context, chat_folder, final=True), final=True).is_all:
        pass


def resume_relayouts(context: RunContext) -> None:
    """Go on where an earlier run was stopped while it laid chats out anew."""
    archive = context.archive
    for _, chat_id in archive.relayouts.chats():
        chat = archive.chats.get(context.account, chat_id)
        chat_folder = known_folder(context, chat) if chat is not None else None
        if chat_folder is not None and chat_folder.note_id:
            _plan_again(context, _all_there_is(context, chat_folder))
    hand_over(context)


def finish_relayouts(context: RunContext, *, previewed: Set[str] = frozenset()) -> None:
    """Remove the rest of earlier layouts once the new notes are written, and update links to them. ``previewed`` are
    the notes (vault paths) that a dry run has reported as changed."""
    archive = context.archive
    chats = archive.relayouts.chats()
    if chats and not any(archive.notes.stale(context.account, chat, kinds=MESSAGE_NOTES, limit=1) for _, chat in chats):
        # Links first, while the archive knows where they led.
        links = successors_of(context)
        context.events.emit(LinksUpdated(follow_links(context, links, previewed)))
        keep_words(context, links)
        clear_away(context)


def hand_over(context: RunContext) -> None:
    """Give the owner's words of retired notes to the notes that show the same messages; what is new is merged into them
    when they are pressed."""
    for rows, found in _retired_files(context):
        successors = context.archive.relayouts.successors(row.id for row in rows)
        for row, data in zip(rows, found, strict=True):
            successor = successors.get(row.id)
            if data is not None and successor is not None and successor.is_same and not _is_ours(row, data):
                _hand_over(context, row, _text(data), successor)


def _hand_over(context: RunContext, row: RetiredNote, text: str, successor: SuccessorNote) -> None:
    """The new file first, then the archive, then the old file: nothing is lost wherever it stops."""
    base = context.archive.notes.bases([row.id]).get(row.id)
    path, new = successor.shown.path, with_tobs_id(text, row.tobs_id, successor.tobs_id)
    (there,) = read_batch(context.root, [path])
    if base is None or (there is not None and plain_text(there) != new):
        return
    write_batch(context.root, [NoteFile(path, new)])
    base = with_tobs_id(base, row.tobs_id, successor.tobs_id)
    context.archive.relayouts.adopt(row.id, successor.note_id, text_hash=text_hash(base), base=pack_base(base))
    remove_notes(context.root, [row.path])


def follow_links(context: RunContext, successors: Successors, previewed: Set[str]) -> int:
    """Update links to retired notes in all files of the vault that people write. Return the number of changed files,
    in a dry run without those in ``previewed``."""
    changed = 0
    # The retired notes point at each other; they go.
    paths = (path for path in linking_files(context.root) if context.archive.relayouts.at(path) is None)
    while batch := list(islice(paths, _FILES)):
        changed += _follow_in(context, batch, successors, previewed)
    return changed


def _follow_in(context: RunContext, paths: Sequence[str], successors: Successors, previewed: Set[str]) -> int:
    changed = 0
    for _ in range(_ATTEMPTS):
        news = _relinked_files(context, paths, successors)
        if context.render_context.is_dry_run:
            return sum(new.path not in previewed for new in news)
        written = {file.path for file in write_batch(context.root, news)}
        changed += len(written)
        # What somebody saved meanwhile is read again.
        paths = [new.path for new in news if new.path not in written]
    for path in paths:
        context.events.problem("busy", path, "its links still lead to notes of the layout before")
    return changed


def _relinked_files(context: RunContext, paths: Sequence[str], successors: Successors) -> list[NoteFile]:
    """Those of ``paths`` that link to retired notes, as they are to be."""
    news = []
    for path, seen in zip(paths, read_batch_with_mtimes(context.root, paths), strict=True):
        try:
            text = seen[0].decode() if seen else ""
        except UnicodeDecodeError:
            continue
        if path.lower().endswith(".canvas"):
            new = relinked_canvas(text, successors)
        else:
            new = relinked(text, successors, path.rpartition("/")[0])
        if seen and new != text:
            news.append(NoteFile(path, new, seen[1]))
    return news


def successors_of(context: RunContext) -> Successors:
    """Where links to retired notes lead now."""
    own: set[str] = set()

    def own_names() -> set[str]:
        """What the owner's own notes are called; listed when a link names no folder."""
        if not own:
            own.add("")
            paths = (path for path in linking_files(context.root) if context.archive.paths.current(path) is None)
            own.update(path.rpartition("/")[2].casefold() for path in paths)
        return own

    @lru_cache(maxsize=4096)
    def successor(path: str, part: str) -> str | None:
        if "/" not in path and path.casefold() in own_names():
            return None
        return _successor(context, path, part)

    return successor


def _successor(context: RunContext, path: str, part: str) -> str | None:
    """What a link names now that named the retired note at ``path`` and the block ``part`` of it."""
    archive = context.archive
    row = archive.relayouts.at(path) or (archive.relayouts.called(path) if "/" not in path else None)
    if row is None:
        return None
    if block := _BLOCK.fullmatch(part):
        chat = archive.chats.get(context.account, row.chat_id)
        chat_id = chat.migrated_from if chat is not None and block[1] == "g" else row.chat_id
        shown = archive.notes.location(context.account, chat_id, int(block[2]))
        if shown is not None:
            return address(shown)
    successor = archive.relayouts.successors([row.id]).get(row.id)
    return address(successor.shown) if successor is not None else None


def keep_words(context: RunContext, links: Successors) -> None:
    """Keep the retired notes that the owner wrote into beside the notes that have their messages now, as notes of
    theirs; ``links`` in them lead to what there is now."""
    for rows, found in _retired_files(context):
        theirs = [
            (row, data) for row, data in zip(rows, found, strict=True) if data is not None and not _is_ours(row, data)
        ]
        successors = context.archive.relayouts.successors(row.id for row, _ in theirs)
        for row, data in theirs:
            text = relinked(_text(data), links, row.path.rpartition("/")[0])
            beside = _keep(context, row, text, successors.get(row.id))
            context.events.emit(OwnerTextKept(row.path, beside))
        if not context.render_context.is_dry_run:
            # Before they can write more into them.
            remove_notes(context.root, [row.path for row, _ in theirs])


def _keep(context: RunContext, row: RetiredNote, text: str, successor: SuccessorNote | None) -> str:
    """Write what the owner has in a retired note beside its successor; where."""
    candidates = owner_note_candidates(row.path, successor.shown.path if successor else row.path)
    path = context.archive.relayouts.keep(row.tobs_id, free_paths(context.root, candidates, ""))
    if not context.render_context.is_dry_run:
        write_batch(context.root, [NoteFile(path, as_owner_note(text, address(successor.shown) if successor else ""))])
    return path


def clear_away(context: RunContext) -> None:
    """Take the retired notes out of the vault and the archive."""
    relayouts = context.archive.relayouts
    for rows, found in _retired_files(context):
        if context.render_context.is_dry_run:
            for row, data in zip(rows, found, strict=True):
                if data is not None and _is_ours(row, data):
                    context.events.emit(NoteChangePreviewed(row.path, "removed"))
        else:
            remove_notes(context.root, [row.path for row in rows])
            relayouts.drop(row.id for row in rows)


def _retired_files(context: RunContext) -> Iterator[tuple[list[RetiredNote], list[bytes | None]]]:
    """The retired notes, a batch at a time, with what lies at their places."""
    last = 0
    while rows := context.archive.relayouts.retired(after=last):
        last = rows[-1].id
        yield rows, read_batch(context.root, [row.path for row in rows])


def _is_ours(row: RetiredNote, data: bytes) -> bool:
    return is_written_by_tobs(KnownNote(row.tobs_id, "written", row.text_hash), data, managed_hash)


def _text(data: bytes) -> str:
    """What a person wrote, whatever they wrote it with; lines end as in every note of tobs."""
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
