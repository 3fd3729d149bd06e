"""Scan the vault before a run writes: find notes and files that the owner moved, renamed, deleted or restored.

A note is identified by its `tobs_id`, an attachment by its hash. The vault is scanned only if something is not at its
path. What cannot be found counts as deleted, unless so much is missing that the vault itself may be.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import islice
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from tobs.archive import Archive, FileRow, NoteRow
from tobs.model import path_key
from tobs.model.events import NotesCounted
from tobs.pipeline.context.events import RunEvents
from tobs.pipeline.notes.message_folders import folder_key
from tobs.vault.decide import plain_text, text_hash
from tobs.vault.layout import TELEGRAM, folder_of_note
from tobs.vault.merge import link_targets
from tobs.vault.missing import missing_notes, require_few_missing, require_on_disk
from tobs.vault.moved_notes import VaultFile, is_conflict_copy, properties_at, visible_files
from tobs.vault.read import read_batch
from tobs.vault.workspace import sweep_folders

#: Paths that are checked together.
_PATHS = 20_000

T = TypeVar("T")


class _Missing(Struct, frozen=True):
    """The notes and files that are not at their paths, with the numbers of all; ``outside`` are folders outside
    tobs's own."""

    notes: Sequence[NoteRow]
    note_count: int
    files: Sequence[FileRow]
    file_count: int
    outside: Set[str] = frozenset()


class _UnknownFiles(Struct, frozen=True):
    """The paths of notes (by ``tobs_id``) and files (by size) that the archive does not know.

    ``displaced`` are notes at whose path another note lies.
    """

    notes: Mapping[str, Sequence[str]]
    files: Mapping[int, Sequence[str]]
    displaced: Sequence[NoteRow]


def scan_vault(archive: Archive, root: Path, events: RunEvents, *, accept_missing: bool) -> None:
    """Apply the owner's changes of files to the archive.

    Raises VaultError if much is missing and this is not accepted, or if a part of the vault is not on this computer;
    then nothing is recorded.
    """
    missing = _find_missing(archive, root)
    sweep_folders(root, sorted(missing.outside))
    _restore_returned(archive, root)
    if not missing.notes and not missing.files:
        return
    unknown = _unknown_files(archive, root, missing)
    away = [*missing.notes, *unknown.displaced]
    moves = _moved_notes(root, away, unknown)
    lost_notes = [row for row in missing.notes if row.tobs_id not in moves]
    found_files = _moved_files(root, missing.files, unknown)
    lost_files = [row for row in missing.files if row.sha256 not in found_files]
    require_on_disk(root, [*(row.path for row in lost_notes), *(row.path for row in lost_files)])
    require_few_missing(missing.note_count, len(lost_notes), accept=accept_missing)
    require_few_missing(
        missing.file_count, len(lost_files), accept=accept_missing, subject="attachments are missing from the vault"
    )
    with archive.transaction():
        _apply_moves(archive, root, events, away, moves)
        for sha256, path in found_files.items():
            archive.files.moved(sha256, path)
        archive.notes.mark_deleted([row.id for row in lost_notes])
        for file in lost_files:
            archive.files.set_lost(file.sha256, lost=True)
        events.emit(NotesCounted(removed=len(lost_notes)))
        _restore_moved(archive, unknown, moves)
        old_paths = [*(row.path for row in away), *(row.path for row in missing.files)]
        archive.notes.mark_stale(notes_linking_to(archive, old_paths))
    _report_copies(events, unknown, moves)


def follow_displaced_notes(archive: Archive, root: Path, events: RunEvents, rows: Sequence[NoteRow]) -> int:
    """Follow notes among ``rows`` whose paths the owner exchanged, so that nothing is missing.

    They and the notes that link to them become stale. Return their number.
    """
    if all(properties_at(root, row.path).tobs_id in ("", row.tobs_id) for row in rows):
        return 0
    unknown = _unknown_files(archive, root, _Missing(rows, 0, (), 0))
    moves = _moved_notes(root, unknown.displaced, unknown)
    moved = [row for row in unknown.displaced if row.tobs_id in moves]
    with archive.transaction():
        _apply_moves(archive, root, events, moved, moves)
        archive.notes.mark_stale([*(row.id for row in moved), *notes_linking_to(archive, [row.path for row in moved])])
    return len(moved)


def _apply_moves(
    archive: Archive, root: Path, events: RunEvents, away: Sequence[NoteRow], moves: Mapping[str, str]
) -> None:
    _keep_folders(archive, root, away, moves)
    for row in away:
        if row.tobs_id in moves:
            archive.notes.moved(row.id, moves[row.tobs_id])
            events.emit(NotesCounted(moved=1))


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield ``items`` in lists of ``size``."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _find_missing(archive: Archive, root: Path) -> _Missing:
    notes: list[NoteRow] = []
    files: list[FileRow] = []
    note_count = file_count = 0
    outside = _folders_outside(row.path for row in archive.notes.planned_notes())
    for rows in batches(archive.notes.written_notes(), _PATHS):
        note_count += len(rows)
        outside |= _folders_outside(row.path for row in rows)
        missing = missing_notes(root, [row.path for row in rows])
        notes += [row for row in rows if row.path in missing]
    for batch in archive.files.all():
        present = [row for row in batch if not row.is_lost]
        file_count += len(present)
        outside |= _folders_outside(row.path for row in present)
        missing = missing_notes(root, [row.path for row in present])
        files += [row for row in present if row.path in missing]
    return _Missing(notes, note_count, files, file_count, outside)


def _folders_outside(paths: Iterable[str]) -> set[str]:
    """Return the folders of ``paths`` that are not in the folder of tobs."""
    return {path.rpartition("/")[0] for path in paths if not path.startswith(f"{TELEGRAM}/")}


def _restore_returned(archive: Archive, root: Path) -> None:
    """Record notes and attachments that the owner had deleted and put back at their paths."""
    for rows in batches(archive.notes.deleted_notes(), _PATHS):
        missing = missing_notes(root, [row.path for row in rows])
        back = [row for row in rows if row.path not in missing and properties_at(root, row.path).tobs_id == row.tobs_id]
        if back:
            with archive.transaction():
                archive.notes.undelete([row.id for row in back])
    for files in archive.files.all():
        lost = [row for row in files if row.is_lost]
        missing = missing_notes(root, [row.path for row in lost])
        for row in lost:
            if row.path not in missing:
                archive.files.set_lost(row.sha256, lost=False)


def _unknown_files(archive: Archive, root: Path, missing: _Missing) -> _UnknownFiles:
    """Scan the vault for notes at unknown paths or with changes, and for files with the size of a missing one."""
    sizes = {row.size for row in missing.files}
    notes: defaultdict[str, list[str]] = defaultdict(list)
    files: defaultdict[int, list[str]] = defaultdict(list)
    displaced: list[NoteRow] = []
    for batch in visible_files(root):
        known = archive.notes.at_paths(file.path for file in batch)
        for file in batch:
            if file.path.endswith(".md"):
                row = known.get(file.path)
                tobs_id = _note_id_at(root, file, row) if missing.notes else ""
                if tobs_id:
                    notes[tobs_id].append(file.path)
                    displaced += [row] if row is not None else []
            elif file.size in sizes:
                files[file.size].append(file.path)
    return _UnknownFiles(notes, files, displaced)


def _note_id_at(root: Path, file: VaultFile, known: NoteRow | None) -> str:
    """Return the ``tobs_id`` of a note that is not known to lie there; empty for every other file."""
    if known is not None and (known.size, known.mtime_ns) == (file.size, file.mtime_ns):
        return ""
    tobs_id = properties_at(root, file.path).tobs_id
    return "" if known is not None and known.tobs_id == tobs_id else tobs_id


def _moved_notes(root: Path, missing: Sequence[NoteRow], unknown: _UnknownFiles) -> dict[str, str]:
    """Return the new paths of notes by ``tobs_id``. Of several copies it is the unchanged one, then the shortest
    path."""
    moves = {}
    for row in missing:
        paths = unknown.notes.get(row.tobs_id, ())
        if len(paths) > 1:
            texts = dict(zip(paths, read_batch(root, paths), strict=True))
            same = {path for path, data in texts.items() if text_hash(plain_text(data or b"") or "") == row.text_hash}
            paths = sorted(paths, key=lambda path: (is_conflict_copy(path), path not in same, len(path), path))
        if paths:
            moves[row.tobs_id] = paths[0]
    return moves


def _moved_files(root: Path, missing: Sequence[FileRow], unknown: _UnknownFiles) -> dict[str, str]:
    """Return the new paths of attachments by hash."""
    wanted = {row.digest: row.sha256 for row in missing}
    new_paths: dict[str, str] = {}
    for path in sorted({path for row in missing for path in unknown.files.get(row.size, ())}):
        with (root / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest in wanted:
            new_paths.setdefault(wanted[digest], path)
    return new_paths


def _keep_folders(archive: Archive, root: Path, missing: Sequence[NoteRow], moves: Mapping[str, str]) -> None:
    """Record the folder of a chat or topic if the owner moved its note alone or its folder alone."""
    moved = [(row, moves[row.tobs_id]) for row in missing if row.tobs_id in moves]
    for row, path in moved:
        if row.kind not in ("chat", "topic"):
            continue
        before, after = folder_of_note(row.path), folder_of_note(path)
        key = folder_key(row.tobs_id)
        before = archive.meta.get(key) or before
        is_moved_with_notes = any(
            other is not row and old.startswith(f"{before}/") and new == after + old[len(before) :]
            for other, new in moved
            for old in (other.path,)
        )
        archive.meta.set(key, after if is_moved_with_notes or not (root / before).is_dir() else before)


def _restore_moved(archive: Archive, unknown: _UnknownFiles, moves: Mapping[str, str]) -> None:
    """Record notes that the owner had deleted and put back at another path."""
    others = [tobs_id for tobs_id in unknown.notes if tobs_id not in moves]
    for row in archive.notes.many(others).values():
        if row.state == "deleted":
            archive.notes.moved(row.id, unknown.notes[row.tobs_id][0])
            archive.notes.mark_stale([row.id])


def notes_linking_to(archive: Archive, paths: Iterable[str]) -> list[int]:
    """Return the notes that link to one of ``paths``, by the text last written.

    Obsidian may have changed their links since, so that every path that a file ever had counts.
    """
    old_keys = archive.paths.aliases(paths)

    def is_gone(target: str) -> bool:
        return path_key(f"{target}.md") in old_keys or path_key(target) in old_keys

    return [note for note, text in archive.notes.texts() if any(map(is_gone, link_targets(text)))]


def _report_copies(events: RunEvents, unknown: _UnknownFiles, moves: Mapping[str, str]) -> None:
    for tobs_id, path in moves.items():
        for other in unknown.notes[tobs_id]:
            if other != path:
                events.recovered(f"{other} is a copy of {path} and is left alone")
