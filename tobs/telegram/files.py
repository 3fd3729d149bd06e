"""Fetching a file: our own upload.getFile loop over aligned parts, resumed from any offset, never accepted short.

Source: https://core.telegram.org/api/files
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, BinaryIO

from loguru import logger
from telethon.tl import functions, types

from tobs.errors import LoginError, MigrateNeeded, RequestRefused, TransferFailed
from tobs.model import RemoteFile
from tobs.telegram.invoke import Door
from tobs.telegram.refusals import STALE_REFERENCES

OnProgress = Callable[[int], None]
Refresh = Callable[[], Awaitable[RemoteFile | None]]
"""Fetches the file's message again; None when the message or its file is gone."""

_KB = 1024
_RENEWALS, _SHORT_TRIES, _MOVES = 3, 3, 3


def part_size(size: int) -> int:
    """Bytes asked for at once: divides 1 MiB, so that no aligned part crosses a 1 MiB border; ``size`` 0: unknown."""
    if 0 < size <= 128 * _KB:
        return 128 * _KB
    if size <= 10 * _KB * _KB:
        return 512 * _KB
    return 1024 * _KB


def location_of(remote: RemoteFile) -> Any:
    """The TL location of a file."""
    kind = types.InputPhotoFileLocation if remote.type == "photo" else types.InputDocumentFileLocation
    return kind(remote.id, remote.access_hash, remote.reference, remote.thumb)


class Transfer:
    """One file on its way into ``part``. ``size`` 0 means that Telegram did not say."""

    def __init__(self, door: Door, remote: RemoteFile, size: int, *, worker: int, refresh: Refresh) -> None:
        self._door = door
        self._remote = remote
        self._dc = remote.dc
        self._size = size
        self._limit = part_size(size)
        self._worker = worker
        self._refresh = refresh
        self._renewals = 0

    async def run(self, part: Path, offset: int, on_progress: OnProgress | None) -> int:
        """Write the file from ``offset`` on and give its whole size. Raises TransferFailed; the part stays."""
        try:
            file, start = await asyncio.to_thread(_open_at, part, offset, self._limit)
        except OSError as error:
            raise TransferFailed(f"{part.name} cannot be written: {error.strerror}.") from error
        try:
            return await self._fill(file, start, on_progress)
        finally:
            await asyncio.to_thread(file.close)

    async def _fill(self, file: BinaryIO, offset: int, on_progress: OnProgress | None) -> int:
        short = 0
        while not self._size or offset < self._size:
            data = await self._part(offset)
            expected = min(self._limit, self._size - offset) if self._size else 0
            if len(data) < expected:
                short += 1
                if short >= _SHORT_TRIES:
                    raise TransferFailed(
                        f"Telegram sent {offset + len(data)} of {self._size} bytes.", "Try again later."
                    )
                continue
            short, self._renewals = 0, 0
            try:
                await asyncio.to_thread(file.write, data)
            except OSError as error:
                raise TransferFailed(f"The file cannot be written: {error.strerror}.") from error
            offset += len(data)
            if on_progress is not None:
                on_progress(offset)
            if len(data) < self._limit:
                break
        return offset

    async def _part(self, offset: int) -> bytes:
        """One part; stale references are renewed, files that moved are followed."""
        moves = 0
        while True:
            request = functions.upload.GetFileRequest(location_of(self._remote), offset, self._limit)
            try:
                answer = await self._door(request, worker=self._worker, dc=self._dc)
            except MigrateNeeded as moved:
                moves += 1
                if moves > _MOVES:
                    raise TransferFailed("Telegram keeps moving this file.", "Try again later.") from moved
                self._dc = moved.dc
            except LoginError as lost:
                moves += 1
                if moves > 1 or not self._door.links.home(self._dc):
                    raise
                logger.info("data centre {} forgot the login: {}", self._dc, lost.message)
                await self._door.links.forget_key(self._dc)
            except RequestRefused as refused:
                if refused.name not in STALE_REFERENCES:
                    raise _failed(refused) from refused
                await self._renew(refused)
            else:
                if not isinstance(answer, types.upload.File):
                    raise TransferFailed("Telegram sent something else than the file.", "Try again later.")
                if len(answer.bytes) > self._limit:
                    raise TransferFailed("Telegram sent more than was asked for.", "Try again later.")
                return bytes(answer.bytes)

    async def _renew(self, refused: RequestRefused) -> None:
        self._renewals += 1
        if self._renewals > _RENEWALS:
            raise _failed(refused) from refused
        fresh = await self._refresh()
        if fresh is None:
            raise TransferFailed("The message of this file is gone.", retryable=False) from refused
        self._remote = fresh


def _failed(refused: RequestRefused) -> TransferFailed:
    """What Telegram refused about one file: passing trouble may be tried again, the rest not."""
    gone = refused.code == 400 and refused.name not in STALE_REFERENCES
    return TransferFailed(refused.message, refused.remedy, retryable=not gone)


def _open_at(part: Path, offset: int, limit: int) -> tuple[BinaryIO, int]:
    """The part file, cut back to the last whole part at or below ``offset``, and where writing starts."""
    file = part.open("r+b" if part.exists() else "w+b")
    there = min(offset, file.seek(0, 2))
    start = there - there % limit
    file.truncate(start)
    file.seek(start)
    return file, start
