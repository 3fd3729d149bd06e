"""Transfer of a file: fetched, resumed, checked, hashed, staged. Incomplete and empty files are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tobs.errors import TransferFailed
from tobs.media.staging import StagedFile, stage_file, unwritable
from tobs.model import FileItem
from tobs.model.mime import suffix_of


class Fetch(Protocol):
    """Function that fetches a file: writes it to ``part`` from byte ``offset`` on.

    Reports the number of bytes written so far to ``on_progress`` and returns the final number. Raises TransferFailed.
    """

    async def __call__(self, part: Path, *, offset: int, on_progress: Callable[[int], None]) -> int: ...


async def transfer(
    item: FileItem,
    fetch: Fetch,
    *,
    part: Path,
    staging: Path,
    offset: int = 0,
    on_progress: Callable[[int], None] = lambda _: None,
) -> StagedFile:
    """Fetch ``item`` into ``part``, continuing at the verified ``offset`` (bytes), and stage it.

    Raises TransferFailed if the file is not as announced. A short ``part`` stays, to be continued; an empty or too long
    one is removed. Raises VaultUnwritable if the disk refuses.
    """
    try:
        start = await asyncio.to_thread(_resume_from, part, offset)
    except OSError as error:
        raise unwritable(part.parent, error) from error
    await fetch(part, offset=start, on_progress=on_progress)
    try:
        size = await asyncio.to_thread(_size, part)
        if size == 0 or (item.size and size > item.size):
            await asyncio.to_thread(part.unlink, missing_ok=True)
    except OSError as error:
        raise unwritable(part.parent, error) from error
    if size == 0:
        raise TransferFailed("An empty file came.", "A later run tries again.")
    if item.size and size != item.size:
        raise TransferFailed(f"{size} bytes came instead of {item.size}.", "A later run tries again.")
    return await asyncio.to_thread(stage_file, part, staging, suffix_of(item.name, item.mime))


def _resume_from(part: Path, offset: int) -> int:
    """Cut ``part`` to its verified bytes and return the offset to continue at.

    Bytes after the offset may be half-written. A file with fewer bytes than verified is another file and starts again
    at 0.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    size = _size(part)
    start = offset if offset <= size else 0
    if start != size:
        with part.open("r+b") as file:
            file.truncate(start)
    return start


def _size(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0
