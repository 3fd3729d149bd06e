"""Scan of the vault for notes and files that their owner moved, renamed or copied."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct

from tobs.errors import VaultError
from tobs.vault.decide import NoteProperties, plain_text, read_properties

#: Front matter longer than this is no note of ours.
_HEAD = 65_536

# What sync tools call the copy they could not merge: Syncthing, Dropbox and Obsidian Sync, iCloud.
_CONFLICT_COPY = re.compile(
    r"\.sync-conflict-\d|conflicted copy|\bconflict\b.*\d{4}-\d\d-\d\d| \d+\.[^.]+\Z", re.IGNORECASE
)


class VaultFile(Struct, frozen=True):
    """A file of the visible vault: its path from the root, size in bytes, modification time in nanoseconds."""

    path: str
    size: int
    mtime_ns: int


def visible_files(root: Path, batch: int = 5000) -> Iterator[list[VaultFile]]:
    """Yield every file that Obsidian shows, by folder, ``batch`` at a time. Links are not followed.

    Raises VaultError for a folder that cannot be listed.
    """
    walk = _walk(str(root))
    while files := list(islice(walk, batch)):
        yield files


def _walk(root: str) -> Iterator[VaultFile]:
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(f"{root}{os.sep}{folder}" if folder else root) as entries:
                found = sorted(
                    (entry for entry in entries if not entry.name.startswith(".")), key=lambda each: each.name
                )
        except FileNotFoundError:
            continue
        except OSError as error:
            raise VaultError(
                f"The folder {folder or root} cannot be listed: {error.strerror}.",
                "Check its permissions and its disk.",
            ) from error
        folders = []
        for entry in found:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif entry.is_file(follow_symlinks=False):
                stat = entry.stat()
                yield VaultFile(path, stat.st_size, stat.st_mtime_ns)
        pending += reversed(folders)


def properties_at(root: Path, path: str) -> NoteProperties:
    """Read the identifying properties of the note at ``path``; empty ones if it has none, or is gone."""
    try:
        with (root / path).open("rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError:
        return NoteProperties()
    except OSError as error:
        raise VaultError(
            f"{path} cannot be read: {error.strerror}.", "Check what it is and who may read it."
        ) from error
    # What follows the front matter may be cut within a letter.
    text = plain_text(head) if len(head) < _HEAD else head.decode("utf-8-sig", "ignore").replace("\r\n", "\n")
    return read_properties(text) if text else NoteProperties()


def is_conflict_copy(path: str) -> bool:
    """Tell if a sync tool named a file so because it could not merge it."""
    return _CONFLICT_COPY.search(path.rpartition("/")[2]) is not None
