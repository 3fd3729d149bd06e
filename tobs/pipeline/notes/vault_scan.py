"""Before a run writes: what the owner moved, renamed, deleted or brought back since the last one.

A note is known by its `tobs_id`, an attachment by its hash. Only when something is not where it was, the vault is
looked through for it. What cannot be found was deleted by its owner, unless so much is missing that the vault itself
may be.
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

#: Paths looked at together.
_PATHS = 20_000

T = TypeVar("T")


class _Absent(Struct, frozen=True):
    """What is not where it was, of how many; ``elsewhere`` are the owner's folders in which something is."""

    notes: Sequence[NoteRow]
    of_notes: int
    files: Sequence[FileRow]
    of_files: int
    elsewhere: Set[str] = frozenset()


class _UnknownFiles(Struct, frozen=True):
    """Where notes (by ``tobs_id``) and files (by size) lie that are not known to be there; the notes at whose place
    another one lies are ``displaced``."""

    notes: Mapping[str, Sequence[str]]
    files: Mapping[int, Sequence[str]]
    displaced: Sequence[NoteRow]


def scan_vault(archive: Archive, root: Path, events: RunEvents, *, accept_missing: bool) -> None:
    """Follow what the owner did to the files of the vault. Raises VaultError if much of it is missing and that is not
    accepted, or if a part of it is not on this computer: then nothing was taken down."""
    absent = _absent(archive, root)
    sweep_folders(root, sorted(absent.elsewhere))
    _take_back(archive, root)
    if not absent.notes and not absent.files:
        return
    unknown = _unknown_files(archive, root, absent)
    away = [*absent.notes, *unknown.displaced]
    moves = _moved_notes(root, away, unknown)
    lost_notes = [row for row in absent.notes if row.tobs_id not in moves]
    found_files = _moved_files(root, absent.files, unknown)
    lost_files = [row for row in absent.files if row.sha256 not in found_files]
    require_on_disk(root, [*(row.path for row in lost_notes), *(row.path for row in lost_files)])
    require_few_missing(absent.of_notes, len(lost_notes), accept=accept_missing)
    require_few_missing(
        absent.of_files, len(lost_files), accept=accept_missing, told="attachments are missing from the vault"
    )
    with archive.transaction():
        _follow(archive, root, events, away, moves)
        for sha256, path in found_files.items():
            archive.files.moved(sha256, path)
        archive.notes.mark_deleted([row.id for row in lost_notes])
        for file in lost_files:
            archive.files.set_lost(file.sha256, lost=True)
        events.emit(NotesCounted(removed=len(lost_notes)))
        _bring_back(archive, unknown, moves)
        gone = [*(row.path for row in away), *(row.path for row in absent.files)]
        archive.notes.mark_stale(linking_to(archive, gone))
    _tell_copies(events, unknown, moves)


def follow_displaced_notes(archive: Archive, root: Path, events: RunEvents, rows: Sequence[NoteRow]) -> int:
    """Follow notes among ``rows`` at whose place another note lies: their owner exchanged names, so nothing is missing.
    They, what lies at their places and what links there are stale; how many notes were followed."""
    if all(properties_at(root, row.path).tobs_id in ("", row.tobs_id) for row in rows):
        return 0
    unknown = _unknown_files(archive, root, _Absent(rows, 0, (), 0))
    moves = _moved_notes(root, unknown.displaced, unknown)
    moved = [row for row in unknown.displaced if row.tobs_id in moves]
    with archive.transaction():
        _follow(archive, root, events, moved, moves)
        archive.notes.mark_stale([*(row.id for row in moved), *linking_to(archive, [row.path for row in moved])])
    return len(moved)


def _follow(archive: Archive, root: Path, events: RunEvents, away: Sequence[NoteRow], moves: Mapping[str, str]) -> None:
    _keep_folders(archive, root, away, moves)
    for row in away:
        if row.tobs_id in moves:
            archive.notes.moved(row.id, moves[row.tobs_id])
            events.emit(NotesCounted(moved=1))


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """``items``, ``size`` at a time."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _absent(archive: Archive, root: Path) -> _Absent:
    notes: list[NoteRow] = []
    files: list[FileRow] = []
    of_notes = of_files = 0
    elsewhere = _folders_elsewhere(row.path for row in archive.notes.planned_notes())
    for rows in batches(archive.notes.written_notes(), _PATHS):
        of_notes += len(rows)
        elsewhere |= _folders_elsewhere(row.path for row in rows)
        missing = missing_notes(root, [row.path for row in rows])
        notes += [row for row in rows if row.path in missing]
    for found in archive.files.all():
        there = [row for row in found if not row.is_lost]
        of_files += len(there)
        elsewhere |= _folders_elsewhere(row.path for row in there)
        missing = missing_notes(root, [row.path for row in there])
        files += [row for row in there if row.path in missing]
    return _Absent(notes, of_notes, files, of_files, elsewhere)


def _folders_elsewhere(paths: Iterable[str]) -> set[str]:
    """The folders of ``paths`` that are not in tobs's own."""
    return {path.rpartition("/")[0] for path in paths if not path.startswith(f"{TELEGRAM}/")}


def _take_back(archive: Archive, root: Path) -> None:
    """What the owner had deleted and put back is a note, or an attachment, again."""
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


def _unknown_files(archive: Archive, root: Path, absent: _Absent) -> _UnknownFiles:
    """Look through the vault: notes at a path where none is known to be, or that changed since; files of a size that is
    missing."""
    sizes = {row.size for row in absent.files}
    notes: defaultdict[str, list[str]] = defaultdict(list)
    files: defaultdict[int, list[str]] = defaultdict(list)
    displaced: list[NoteRow] = []
    for batch in visible_files(root):
        known = archive.notes.at_paths(file.path for file in batch)
        for file in batch:
            if file.path.endswith(".md"):
                row = known.get(file.path)
                tobs_id = _note_id_at(root, file, row) if absent.notes else ""
                if tobs_id:
                    notes[tobs_id].append(file.path)
                    displaced += [row] if row is not None else []
            elif file.size in sizes:
                files[file.size].append(file.path)
    return _UnknownFiles(notes, files, displaced)


def _note_id_at(root: Path, file: VaultFile, known: NoteRow | None) -> str:
    """The ``tobs_id`` of a note that is not known to lie there; empty for every other file."""
    if known is not None and (known.size, known.mtime_ns) == (file.size, file.mtime_ns):
        return ""
    tobs_id = properties_at(root, file.path).tobs_id
    return "" if known is not None and known.tobs_id == tobs_id else tobs_id


def _moved_notes(root: Path, absent: Sequence[NoteRow], unknown: _UnknownFiles) -> dict[str, str]:
    """Where notes are now, by ``tobs_id``. Of several copies the one as it was written, by its shortest path."""
    moves = {}
    for row in absent:
        paths = unknown.notes.get(row.tobs_id, ())
        if len(paths) > 1:
            texts = dict(zip(paths, read_batch(root, paths), strict=True))
            same = {path for path, data in texts.items() if text_hash(plain_text(data or b"") or "") == row.text_hash}
            paths = sorted(paths, key=lambda path: (is_conflict_copy(path), path not in same, len(path), path))
        if paths:
            moves[row.tobs_id] = paths[0]
    return moves


def _moved_files(root: Path, absent: Sequence[FileRow], unknown: _UnknownFiles) -> dict[str, str]:
    """Where attachments are now, by hash."""
    wanted = {row.digest: row.sha256 for row in absent}
    found: dict[str, str] = {}
    for path in sorted({path for row in absent for path in unknown.files.get(row.size, ())}):
        with (root / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest in wanted:
            found.setdefault(wanted[digest], path)
    return found


def _keep_folders(archive: Archive, root: Path, absent: Sequence[NoteRow], moves: Mapping[str, str]) -> None:
    """The folder of a chat or topic is that of its note. If the owner moved one of them alone, it is remembered."""
    moved = [(row, moves[row.tobs_id]) for row in absent if row.tobs_id in moves]
    for row, path in moved:
        if row.kind not in ("chat", "topic"):
            continue
        before, now = folder_of_note(row.path), folder_of_note(path)
        key = folder_key(row.tobs_id)
        before = archive.meta.get(key) or before
        together = any(
            other is not row and old.startswith(f"{before}/") and new == now + old[len(before) :]
            for other, new in moved
            for old in (other.path,)
        )
        archive.meta.set(key, now if together or not (root / before).is_dir() else before)


def _bring_back(archive: Archive, unknown: _UnknownFiles, moves: Mapping[str, str]) -> None:
    """Notes the owner had deleted, and put back somewhere else."""
    others = [tobs_id for tobs_id in unknown.notes if tobs_id not in moves]
    for row in archive.notes.many(others).values():
        if row.state == "deleted":
            archive.notes.moved(row.id, unknown.notes[row.tobs_id][0])
            archive.notes.mark_stale([row.id])


def linking_to(archive: Archive, paths: Iterable[str]) -> list[int]:
    """The notes that link to what was at one of ``paths``, by what was last written into them: Obsidian may have
    written their links anew since, so every path that it ever had counts."""
    gone = archive.paths.aliases(paths)

    def is_gone(target: str) -> bool:
        return path_key(f"{target}.md") in gone or path_key(target) in gone

    return [note for note, text in archive.notes.texts() if any(map(is_gone, link_targets(text)))]


def _tell_copies(events: RunEvents, unknown: _UnknownFiles, moves: Mapping[str, str]) -> None:
    for tobs_id, path in moves.items():
        for other in unknown.notes[tobs_id]:
            if other != path:
                events.recovered(f"{other} is a copy of {path} and is left alone")
