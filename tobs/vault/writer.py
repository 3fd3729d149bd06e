"""Atomic writes (invariant 5): temporary files in the same folder, one sync for a batch, then `os.replace`.

No `pathlib` and no thread hop for each file in here: a batch of 500 notes is 500 times open, write, close, rename.
After `write_batch` returns, its files and their names survive a power cut; only then may a row say `written`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from msgspec import Struct

from tobs.vault.durable import sync_contents, sync_folders
from tobs.vault.folders import absolute, make_folder, unwritable

#: Temporary files start with this, so that a later run knows and removes them (``sweep``); Obsidian hides them.
TEMP_PREFIX = ".tobs-"

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class NoteFile(Struct, frozen=True, gc=False):
    """A text file to write: a vault path and its whole text (LF). ``seen`` is the modification time (ns) of the file
    that the text was made from, 0 if there was none; None: the present file is replaced."""

    path: str
    text: str
    seen: int | None = None


class WrittenFile(Struct, frozen=True, gc=False):
    """A file on the disk: path, size in bytes, modification time in nanoseconds."""

    path: str
    size: int
    mtime_ns: int


def write_batch(root: Path, files: Sequence[NoteFile]) -> list[WrittenFile]:
    """Write ``files`` below ``root``, each whole or not at all, over present ones. Returns results in the same order,
    without files that another program wrote since they were ``seen``.

    Paths must differ from each other. Raises VaultUnwritable (full or read-only disk, permissions) and VaultError (a
    path that leads out of the vault). Files replaced before an error are whole and in place; writing them again is
    harmless. No temporary file stays behind.
    """
    base, token = str(root), token_hex(6)
    folders: dict[str, str] = {}
    temps: dict[str, str] = {}
    path = base
    try:
        for number, file in enumerate(files):
            path = file.path
            target = absolute(base, path)
            folder = path.rpartition("/")[0]
            inside = folders.get(folder)
            if inside is None:
                inside = folders[folder] = make_folder(root, folder)
            temp = f"{inside}{os.sep}{TEMP_PREFIX}{token}-{number}"
            temps[temp] = target
            _write_new(temp, file.text.encode())
        path = base
        sync_contents(temps, folders.values())
        written = []
        for file, (temp, target) in zip(files, list(temps.items()), strict=True):
            path = file.path
            if file.seen is not None and file.seen != _mtime(target):
                continue
            os.replace(temp, target)  # noqa: PTH105 -- hot, as above
            del temps[temp]
            stat = os.stat(target)  # noqa: PTH116
            written.append(WrittenFile(path, stat.st_size, stat.st_mtime_ns))
        path = base
        sync_folders(folders.values())
    except OSError as error:
        raise unwritable(error, path) from error
    finally:
        for temp in temps:
            discard(temp)
    return written


def _mtime(path: str) -> int:
    """Return the modification time of a file in nanoseconds; 0 if it is missing."""
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116
    except FileNotFoundError:
        return 0


def _write_new(path: str, data: bytes) -> None:
    """Create ``path``, which must be new, with ``data``."""
    file = os.open(path, _NEW_FILE, 0o666)
    try:
        left = memoryview(data)
        while left:
            # A disk that fills up takes a part first and refuses the next.
            left = left[os.write(file, left) :]
    finally:
        os.close(file)


def discard(path: str | Path) -> None:
    """Remove a temporary file; if the disk fails even that, the next run's sweep removes it."""
    with suppress(OSError):
        Path(path).unlink()
