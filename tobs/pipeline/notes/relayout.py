"""Change the layout of a chat: its messages are planned again, the owner's text is kept, links follow.

Steps: retire notes, plan again, move the owner's text into the notes that have the same messages, render, remove the
retired notes. All that the steps need is in the archive, and each can be repeated: the next run finishes what was
stopped.
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

#: Files of the vault that are searched for links together.
_FILES = 200
#: Attempts to change a file that somebody else saves at the same time.
_ATTEMPTS = 3


def change_layout(context: RunContext, chat: Chat, wanted: AskedLayout) -> list[ChatFolder]:
    """Change the layout of ``chat`` and of all that is filed in its folder to ``wanted``; return the folders
    concerned.

    The list is empty if nothing has to change. Notes that the owner deleted stay deleted, and so do their messages.
    """
    archive = context.archive
    layout = _wanted_layout(context, chat, wanted)
    with archive.transaction():
        is_new = layout != layout_of(archive, context.account, chat.id)
        if is_new:
            archive.chats.set_layout(context.account, chat.id, layout, "tobs render --layout asked for it")
        chat_folders = _folders_laid_out_together(context, chat)
        retired = sum(_retire_notes(context, chat_folder) for chat_folder in chat_folders)
    if not (is_new or retired):
        return []
    context.events.emit(ChatRelaid(chat.title, layout, retired))
    for chat_folder in chat_folders:
        _replan(context, chat_folder)
    return chat_folders


def _wanted_layout(context: RunContext, chat: Chat, wanted: AskedLayout) -> LayoutName:
    """Return the layout that a chat is to have."""
    messages = context.archive.messages
    count = messages.count(context.account, chat.id)
    count += messages.count(context.account, chat.migrated_from) if chat.migrated_from else 0
    return choose_layout(wanted, count)[0]


def _folders_laid_out_together(context: RunContext, chat: Chat) -> list[ChatFolder]:
    """Return the folder of ``chat`` and of all that shares its layout: its old group, its stories, and the discussion
    groups with comments under its posts."""
    archive = context.archive
    ids = [chat.migrated_from, chat.id, stories_of(chat.id), *archive.comments.groups_of(chat.id)]
    known = [archive.chats.get(context.account, chat_id) for chat_id in ids if chat_id]
    chat_folders = [known_folder(context, other) for other in known if other is not None]
    return [_whole_archived_part(context, chat_folder) for chat_folder in chat_folders if chat_folder.note_id]


def _whole_archived_part(context: RunContext, chat_folder: ChatFolder) -> ChatFolder:
    """Return ``chat_folder`` for planning all that is archived: after an unfinished export, notes above the watermark
    come back too."""
    archive, chat = context.archive, chat_folder.chat
    top = archive.messages.newest_id(context.account, chat.id)
    is_part = bool(archive.coverage.gaps(context.account, chat.id, 1, top))
    return replace(chat_folder, chat=replace(chat, top=top), is_part=is_part)


def _retire_notes(context: RunContext, chat_folder: ChatFolder) -> int:
    """Mark the notes of a chat that have another layout as retired; return their number."""
    archive, chat_id = context.archive, chat_folder.chat.id
    channels = [
        channel_id
        for channel_id in archive.comments.channels_of(chat_id)
        if archive.comments.are_wanted(channel_id) and archive.notes.by_tobs_id(str(channel_id)) is not None
    ]
    commented = {channel_id: layout_of(archive, context.account, channel_id) for channel_id in channels}
    return archive.relayouts.retire(context.account, chat_id, MESSAGE_NOTES, chat_folder.layout, commented)


def _replan(context: RunContext, chat_folder: ChatFolder) -> None:
    while not plan_messages(context, chat_folder, upto=settled_to(context, chat_folder, final=True), final=True).is_all:
        pass


def resume_relayouts(context: RunContext) -> None:
    """Continue the changes of layout that an earlier run did not finish."""
    archive = context.archive
    for _, chat_id in archive.relayouts.chats():
        chat = archive.chats.get(context.account, chat_id)
        chat_folder = known_folder(context, chat) if chat is not None else None
        if chat_folder is not None and chat_folder.note_id:
            _replan(context, _whole_archived_part(context, chat_folder))
    transfer_owner_text(context)


def finish_relayouts(context: RunContext, *, previewed: Set[str] = frozenset()) -> None:
    """Update links to retired notes and remove these notes, once the new notes are written.

    ``previewed`` are the notes (vault paths) that a dry run has reported as changed.
    """
    archive = context.archive
    chats = archive.relayouts.chats()
    if chats and not any(archive.notes.stale(context.account, chat, kinds=MESSAGE_NOTES, limit=1) for _, chat in chats):
        # Links first, while the archive knows where they led.
        links = successors_of(context)
        context.events.emit(LinksUpdated(follow_links(context, links, previewed)))
        keep_owner_text(context, links)
        remove_retired_notes(context)


def transfer_owner_text(context: RunContext) -> None:
    """Move the owner's text in retired notes to the notes that show the same messages; it is merged when they are
    rendered."""
    for rows, contents in _retired_files(context):
        successors = context.archive.relayouts.successors(row.id for row in rows)
        for row, data in zip(rows, contents, strict=True):
            successor = successors.get(row.id)
            if data is not None and successor is not None and successor.is_same and not _is_ours(row, data):
                _transfer_note(context, row, _text(data), successor)


def _transfer_note(context: RunContext, row: RetiredNote, text: str, successor: SuccessorNote) -> None:
    """Write the new file, then the archive, then remove the old file: nothing is lost if it stops in between."""
    base = context.archive.notes.bases([row.id]).get(row.id)
    path, new = successor.shown.path, with_tobs_id(text, row.tobs_id, successor.tobs_id)
    (content,) = read_batch(context.root, [path])
    if base is None or (content is not None and plain_text(content) != new):
        return
    write_batch(context.root, [NoteFile(path, new)])
    base = with_tobs_id(base, row.tobs_id, successor.tobs_id)
    context.archive.relayouts.adopt(row.id, successor.note_id, text_hash=text_hash(base), base=pack_base(base))
    remove_notes(context.root, [row.path])


def follow_links(context: RunContext, successors: Successors, previewed: Set[str]) -> int:
    """Update links to retired notes in all Markdown and canvas files of the vault.

    Return the number of changed files, in a dry run without those in ``previewed``.
    """
    changed = 0
    # Not in the retired notes: they will be removed.
    paths = (path for path in linking_files(context.root) if context.archive.relayouts.at(path) is None)
    while batch := list(islice(paths, _FILES)):
        changed += _follow_in(context, batch, successors, previewed)
    return changed


def _follow_in(context: RunContext, paths: Sequence[str], successors: Successors, previewed: Set[str]) -> int:
    changed = 0
    for _ in range(_ATTEMPTS):
        changed_files = _relinked_files(context, paths, successors)
        if context.render_context.is_dry_run:
            return sum(new.path not in previewed for new in changed_files)
        written = {file.path for file in write_batch(context.root, changed_files)}
        changed += len(written)
        # What somebody saved meanwhile is read again.
        paths = [new.path for new in changed_files if new.path not in written]
    for path in paths:
        context.events.problem("busy", path, "its links still lead to notes of the old layout")
    return changed


def _relinked_files(context: RunContext, paths: Sequence[str], successors: Successors) -> list[NoteFile]:
    """Return those of ``paths`` that link to retired notes, with their new text."""
    files = []
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
            files.append(NoteFile(path, new, seen[1]))
    return files


def successors_of(context: RunContext) -> Successors:
    """Return a function that maps the target of a link to a retired note to its new target."""
    own: set[str] = set()

    def own_names() -> set[str]:
        """List the file names of the owner's own notes; only read if a link names no folder."""
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
    """Return the new target of a link to the retired note at ``path`` and its block ``part``; None if there is
    none."""
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


def keep_owner_text(context: RunContext, links: Successors) -> None:
    """Keep the retired notes that the owner wrote into, as notes of the owner beside their successors.

    ``links`` updates the links in them.
    """
    for rows, contents in _retired_files(context):
        theirs = [
            (row, data)
            for row, data in zip(rows, contents, strict=True)
            if data is not None and not _is_ours(row, data)
        ]
        successors = context.archive.relayouts.successors(row.id for row, _ in theirs)
        for row, data in theirs:
            text = relinked(_text(data), links, row.path.rpartition("/")[0])
            path = _keep(context, row, text, successors.get(row.id))
            context.events.emit(OwnerTextKept(row.path, path))
        if not context.render_context.is_dry_run:
            # At once, before the owner can write more into them.
            remove_notes(context.root, [row.path for row, _ in theirs])


def _keep(context: RunContext, row: RetiredNote, text: str, successor: SuccessorNote | None) -> str:
    """Write the owner's text of a retired note beside its successor; return its path."""
    candidates = owner_note_candidates(row.path, successor.shown.path if successor else row.path)
    path = context.archive.relayouts.keep(row.tobs_id, free_paths(context.root, candidates, ""))
    if not context.render_context.is_dry_run:
        write_batch(context.root, [NoteFile(path, as_owner_note(text, address(successor.shown) if successor else ""))])
    return path


def remove_retired_notes(context: RunContext) -> None:
    """Remove the retired notes from the vault and the archive."""
    relayouts = context.archive.relayouts
    for rows, contents in _retired_files(context):
        if context.render_context.is_dry_run:
            for row, data in zip(rows, contents, strict=True):
                if data is not None and _is_ours(row, data):
                    context.events.emit(NoteChangePreviewed(row.path, "removed"))
        else:
            remove_notes(context.root, [row.path for row in rows])
            relayouts.drop(row.id for row in rows)


def _retired_files(context: RunContext) -> Iterator[tuple[list[RetiredNote], list[bytes | None]]]:
    """Yield the retired notes in batches, with the content of their files (None: no file)."""
    last = 0
    while rows := context.archive.relayouts.retired(after=last):
        last = rows[-1].id
        yield rows, read_batch(context.root, [row.path for row in rows])


def _is_ours(row: RetiredNote, data: bytes) -> bool:
    return is_written_by_tobs(KnownNote(row.tobs_id, "written", row.text_hash), data, managed_hash)


def _text(data: bytes) -> str:
    """Decode a file of the owner in any usual form, with the line ends of tobs (LF)."""
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
