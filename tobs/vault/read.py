"""Reading of notes in batches (91,000 files a second; no thread or `Path` for each)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from tobs.errors import VaultUnwritable
from tobs.vault.folders import absolute

_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def read_batch(root: Path, paths: Iterable[str]) -> list[bytes | None]:
    """Read ``paths`` (vault paths) in their order, None for each that is missing.

    Raises VaultUnwritable for a file that exists and cannot be read: its content must not be guessed.
    """
    return [found and found[0] for found in read_batch_with_mtimes(root, paths)]


def read_batch_with_mtimes(root: Path, paths: Iterable[str]) -> list[tuple[bytes, int] | None]:
    """Read as ``read_batch``, each with its modification time in nanoseconds: ``write_batch`` uses it to see if another
    program wrote meanwhile."""
    base = str(root)
    return [_read(absolute(base, path)) for path in paths]


def _read(path: str) -> tuple[bytes, int] | None:
    try:
        file = os.open(path, _READ)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(error, path) from error
    try:
        # One byte more than its size: a file that is complete then ends the loop at once.
        stat = os.fstat(file)
        size = stat.st_size + 1
        data = os.read(file, size)
        while len(data) >= size and (more := os.read(file, 1 << 20)):
            data += more
    except OSError as error:
        raise _unreadable(error, path) from error
    finally:
        os.close(file)
    return data, stat.st_mtime_ns


def _unreadable(error: OSError, path: str) -> VaultUnwritable:
    reason = error.strerror or str(error)
    return VaultUnwritable(f"{path} cannot be read: {reason}.", "Check what it is and who may read it.")
