"""Durability: contents and names forced to the disk, in as few calls as the system allows."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path


def sync_file(path: str | Path) -> None:
    """Force one file to the disk. Windows needs it open for writing."""
    file = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(file)
    finally:
        os.close(file)


def sync_folders(folders: Iterable[str]) -> None:
    """Force the names inside ``folders`` (absolute) to the disk, so that a rename survives a power cut."""
    if sys.platform == "win32":
        return  # NTFS journals names by itself, and folders cannot be opened there
    for folder in folders:
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def sync_contents(temps: Iterable[str], folders: Iterable[str]) -> None:
    """Force the contents of ``temps``, which lie in ``folders``, to the disk: one call a file system where possible."""
    syncfs = _syncfs()
    if syncfs is None:
        for temp in temps:
            sync_file(temp)
        return
    for folder in {Path(folder).stat().st_dev: folder for folder in folders}.values():
        file = os.open(folder, os.O_RDONLY)
        try:
            syncfs(file)
        finally:
            os.close(file)


@cache
def _syncfs() -> Callable[[int], None] | None:
    """Return Linux's syncfs(2), which Python's `os` does not have; None elsewhere."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None) if sys.platform == "linux" else None
    if function is None:
        return None

    def syncfs(file: int) -> None:
        if function(file) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    return syncfs
