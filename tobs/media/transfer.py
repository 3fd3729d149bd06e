"""One file: fetched, resumed, checked, hashed, staged. Nothing short or empty ever gets past here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tobs.errors import TransferFailed
from tobs.media.staging import settle, unwritable
from tobs.model import FileItem
from tobs.model.mime import suffix_of


class Fetch(Protocol):
    """Brings one file: writes it to ``part`` from byte ``offset`` on, tells ``on_progress`` how many bytes are
    there, returns the number at the end. Raises TransferFailed."""

    async def __call__(self, part: Path, *, offset: int, on_progress: Callable[[int], None]) -> int: ...


class Transferred(Struct, frozen=True):
    """A verified file in the staging folder; ``sha256`` in hex, ``size`` in bytes."""

    path: Path
    sha256: str
    size: int


async def transfer(
    item: FileItem,
    fetch: Fetch,
    *,
    part: Path,
    staging: Path,
    offset: int = 0,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Transferred:
    """Fetch ``item`` into ``part``, going on from the verified ``offset``, and stage it.

    Raises TransferFailed when the file is not what was announced. A short ``part`` is kept to go on from; one
    that is empty or too long is of no use and removed. Raises VaultUnwritable when the disk refuses.
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
    settled = await asyncio.to_thread(settle, part, staging, suffix_of(item.name, item.mime))
    return Transferred(settled.path, settled.sha256, settled.size)


def _resume_from(part: Path, offset: int) -> int:
    """Cut ``part`` to its verified bytes. What is there beyond them may be half-written; when it has fewer than
    were verified, it is not the file that was verified: start over."""
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
