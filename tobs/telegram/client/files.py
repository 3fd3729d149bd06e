"""Download of a file by upload.getFile in aligned parts, resumed from any offset; a short or damaged part is never
accepted.

Source: https://core.telegram.org/api/files
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from loguru import logger
from msgspec.structs import replace
from telethon.tl import functions, types

from tobs.errors import FloodWait, LoginError, MigrateNeeded, RequestRefused, TargetNotFound, TransferFailed
from tobs.model import FileItem, MessageKey, RemoteFile
from tobs.telegram.client.cdn import CdnCopy, CdnFailed
from tobs.telegram.client.file_hashes import FileHashes, HashAvailability
from tobs.telegram.net.events import Retried
from tobs.telegram.net.invoker import Invoker
from tobs.telegram.net.pace import Bandwidth
from tobs.telegram.net.rpc_errors import STALE_REFERENCES
from tobs.telegram.net.settings import TelegramSettings

OnProgress = Callable[[int], None]
Refresh = Callable[[], Awaitable[RemoteFile | None]]
"""Fetch the file's message again; None when the message or its file is gone."""
RenewReference = Callable[[MessageKey, RemoteFile], Awaitable[RemoteFile | None]]
"""(message, file) -> the file with a fresh reference; None when the message or its file is gone."""
T = TypeVar("T")

_FILE_WORKERS = 1000
"""Number of the first connection for files: pages never wait behind a part."""
_KB = 1024
_MB = 1024 * _KB
_LARGE = 10 * _MB
_PARALLEL_PARTS = 4
_RENEWALS, _TRIES, _MOVES, _CDN_FAILURES = 8, 4, 3, 2
_SLOWEST_LINE = 32 * _KB
_PART = "upload.getFile"
_GONE = ("LOCATION_INVALID", "FILE_ID_INVALID", "LOCATION_NOT_AVAILABLE")


def part_size(size: int) -> int:
    """Return the bytes to request at once for a file of ``size`` bytes (0: unknown).

    The result divides 1 MiB, so no aligned part crosses a 1 MiB border.
    """
    if 0 < size <= 128 * _KB:
        return 128 * _KB
    if size <= _LARGE:
        return 512 * _KB
    return _MB


def parallel_parts(size: int) -> int:
    """Return the number of parts of a file of ``size`` bytes that are requested at the same time."""
    return _PARALLEL_PARTS if size > _LARGE else 1


def extra_seconds(size: int) -> float:
    """Return the seconds to add to the request timeout of a part: a slow line has to deliver all parallel parts."""
    return part_size(size) * parallel_parts(size) / _SLOWEST_LINE


def location_of(remote: RemoteFile) -> Any:
    """Build the TL location of a file."""
    kind = types.InputPhotoFileLocation if remote.type == "photo" else types.InputDocumentFileLocation
    return kind(remote.id, remote.access_hash, remote.reference, remote.thumb)


def renewed_reference(remote: RemoteFile, files: Iterable[FileItem]) -> RemoteFile | None:
    """Return ``remote`` with the reference that it has in ``files`` of a message; None when the message has it no more.

    For a thumbnail the reference of its document is taken.
    """
    named = (each.remote for each in files if each.remote is not None)
    fresh = next((each for each in named if (each.type, each.id) == (remote.type, remote.id)), None)
    return replace(fresh, thumb=remote.thumb) if fresh else None


class FileDownloader:
    """Downloads the files of one account; they share the bandwidth and the connections of ``settings``."""

    def __init__(self, invoker: Invoker, settings: TelegramSettings, renew: RenewReference) -> None:
        self._invoker = invoker
        self._connections = settings.file_connections
        self._renew = renew
        self._bandwidth = Bandwidth(settings.bandwidth)
        self._availability = HashAvailability()
        self._transfers = count()

    async def fetch(
        self, item: FileItem, key: MessageKey, part: Path, *, offset: int, on_progress: OnProgress | None
    ) -> int:
        """Write ``item`` of message ``key`` to ``part`` from byte ``offset`` on and return the whole size in bytes.

        Raises TransferFailed; the bytes written so far stay in ``part``.
        """
        remote = item.remote
        if remote is None:
            raise TransferFailed("Telegram does not have this file.", retryable=False)
        first = next(self._transfers)
        transfer = Transfer(
            self._invoker,
            remote,
            item.size,
            workers=[_FILE_WORKERS + (first + number) % self._connections for number in range(self._connections)],
            refresh=partial(self._renew, key, remote),
            availability=self._availability,
            bandwidth=self._bandwidth,
        )
        return await transfer.run(part, offset, on_progress)


class Transfer:
    """Download of one file into ``part``. ``size`` is in bytes, 0: unknown.

    ``workers`` are the numbers of the connections to use; the parts of a large file are spread over them.
    """

    def __init__(
        self,
        invoker: Invoker,
        remote: RemoteFile,
        size: int,
        *,
        workers: Sequence[int],
        refresh: Refresh,
        availability: HashAvailability,
        bandwidth: Bandwidth,
    ) -> None:
        self._invoker = invoker
        self._remote = remote
        self._dc = remote.dc
        self._size = size
        self._limit = part_size(size)
        self._workers = workers
        self._refresh = refresh
        self._bandwidth = bandwidth
        self._renewing = asyncio.Lock()
        self._renewals = 0
        self._copy: CdnCopy | None = None
        self._cdn_failures = 0
        self._file_hashes = FileHashes(self._request_hashes, availability)

    async def run(self, part: Path, offset: int, on_progress: OnProgress | None) -> int:
        """Write the file from ``offset`` on and return its size in bytes. Raises TransferFailed, and ``part`` stays."""
        try:
            file, start = _open_at(part, offset, self._limit)
        except OSError as error:
            raise TransferFailed(f"{part.name} cannot be written: {error.strerror}.") from error
        with file:
            if start:
                start = await self._verified_start(file, start)
            return await self._download(file, start, on_progress)

    async def _verified_start(self, file: BinaryIO, start: int) -> int:
        """Return the offset to resume from: behind the last part in ``file`` that matches Telegram's hashes.

        All bytes are checked, because the file may have been damaged since an earlier run verified it.
        """
        for low in range(0, start, _PARALLEL_PARTS * _MB):
            high = min(start, low + _PARALLEL_PARTS * _MB)
            await asyncio.gather(*(self._file_hashes.load(at, min(high, at + _MB)) for at in range(low, high, _MB)))
            if not self._file_hashes.offered:
                break
            data = await _run_in_thread(_read_at, file, low, high - low)
            mismatch = await _run_in_thread(self._file_hashes.first_mismatch, low, data)
            self._file_hashes.discard(low, high)
            if mismatch is not None:
                logger.info("a partial file is damaged at byte {}: downloaded again from there", mismatch)
                self._invoker.emit(Retried(_PART, "the partial file was damaged", 1, 0.0))
                start = mismatch - mismatch % self._limit
                break
        await _run_in_thread(_truncate, file, start)
        return start

    async def _download(self, file: BinaryIO, offset: int, on_progress: OnProgress | None) -> int:
        """Write the parts in their order, so that the file is always complete from its beginning. Return the size in
        bytes."""
        under_way: deque[asyncio.Task[bytes]] = deque()
        requested, number, done = offset, 0, False
        try:
            while not done:
                while len(under_way) < parallel_parts(self._size) and (requested < self._size or not self._size):
                    worker = self._workers[number % len(self._workers)]
                    under_way.append(asyncio.create_task(self._verified_part(requested, worker)))
                    requested, number = requested + self._limit, number + 1
                if not under_way:
                    break
                data = await under_way[0]
                under_way.popleft()
                try:
                    await _run_in_thread(_write, file, data)
                except OSError as error:
                    raise TransferFailed(f"The file cannot be written: {error.strerror}.") from error
                offset += len(data)
                if on_progress is not None:
                    on_progress(offset)
                done = len(data) < self._limit
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        return offset

    async def _verified_part(self, offset: int, worker: int) -> bytes:
        """Return the part at ``offset``, complete and checked against Telegram's hashes where there are any.

        Raises TransferFailed after several attempts.
        """
        end = self._end_of(offset)
        for attempt in range(1, _TRIES + 1):
            await self._bandwidth.take(end - offset)
            # A CDN has hashes of its own.
            hashes_loaded = asyncio.create_task(self._file_hashes.load(offset, end if self._copy is None else offset))
            try:
                data = await self._fetch_part(offset, worker)
                await hashes_loaded
            finally:
                hashes_loaded.cancel()
                await asyncio.gather(hashes_loaded, return_exceptions=True)
            if len(data) > (end - offset):
                raise TransferFailed("Telegram sent more bytes than requested.", "Try again later.")
            if self._size and len(data) < end - offset:
                reason, event_reason = (
                    f"Telegram sent {offset + len(data)} of {self._size} bytes.",
                    "a part was too short",
                )
            elif await _run_in_thread(self._file_hashes.first_mismatch, offset, data) is not None:
                reason, event_reason = "Telegram sent a damaged part.", "a part was damaged"
                self._file_hashes.discard(offset, end)
            else:
                self._renewals = 0
                self._file_hashes.discard(offset, end)
                return data
            self._invoker.emit(Retried(_PART, event_reason, attempt, 0.0))
        raise TransferFailed(reason, "Try again later.")

    async def _fetch_part(self, offset: int, worker: int) -> bytes:
        """Fetch a part from the file's data centre, or from a CDN as long as the CDN works. Raises TransferFailed."""
        reason = ""
        for attempt in range(1, _TRIES + 1):
            copy = self._copy
            if copy is None:
                answer = await self._invoke(lambda: self._request(offset), worker)
                if isinstance(answer, types.upload.File):
                    return bytes(answer.bytes)
                if not isinstance(answer, types.upload.FileCdnRedirect):
                    raise TransferFailed("Telegram sent something other than the file.", "Try again later.")
                if self._copy is None:  # else another part was redirected meanwhile
                    self._copy = CdnCopy(self._invoker, answer, dc=self._dc, extra=extra_seconds(self._size))
                copy = self._copy
            try:
                return await copy.part(offset, self._limit, self._end_of(offset), worker)
            except CdnFailed as failed:
                reason = str(failed)
                if self._copy is copy:  # only the first failing part counts
                    self._copy = None
                    self._cdn_failures += 1
                self._invoker.emit(Retried("upload.getCdnFile", f"the CDN failed: {reason}", attempt, 0.0))
        raise TransferFailed(f"Telegram's CDN does not give the file: {reason}.", "Try again later.")

    def _request(self, offset: int) -> Any:
        """Build the request for a part; after two failures of a CDN, redirects to a CDN are no longer accepted."""
        cdn = self._cdn_failures < _CDN_FAILURES
        return functions.upload.GetFileRequest(location_of(self._remote), offset, self._limit, cdn_supported=cdn)

    def _end_of(self, offset: int) -> int:
        """Return the expected end of the part at ``offset``."""
        return min(offset + self._limit, self._size) if self._size else offset + self._limit

    async def _request_hashes(self, offset: int) -> list[Any]:
        answer: list[Any] = await self._invoke(
            lambda: functions.upload.GetFileHashesRequest(location_of(self._remote), offset), self._workers[0], raw=True
        )
        return answer

    async def _invoke(self, request: Callable[[], Any], worker: int, *, raw: bool = False) -> Any:
        """Send a request; renew stale references, follow a file to another data centre, repeat a lost login.

        ``raw``: raise RequestRefused as it is instead of TransferFailed.
        """
        moves = 0
        while True:
            remote = self._remote
            try:
                return await self._invoker(request(), worker=worker, dc=self._dc, extra=extra_seconds(self._size))
            except MigrateNeeded as moved:
                moves += 1
                if moves > _MOVES:
                    raise TransferFailed("Telegram keeps moving this file.", "Try again later.") from moved
                self._dc = moved.dc
            except LoginError as lost:
                moves += 1
                if moves > 1 or not self._invoker.connections.home(self._dc):
                    raise
                logger.info("data centre {} no longer knows the login: {}", self._dc, lost.message)
                await self._invoker.connections.drop_key(self._dc)
            except RequestRefused as refused:
                if refused.name not in STALE_REFERENCES:
                    if raw or isinstance(refused, FloodWait):
                        raise
                    raise _transfer_failed(refused) from refused
                await self._renew_reference(remote, refused)

    async def _renew_reference(self, stale: RemoteFile, refused: RequestRefused) -> None:
        """Replace the reference of ``stale``; parallel parts share the new one. Raises TransferFailed."""
        async with self._renewing:
            if self._remote is not stale:
                return
            self._renewals += 1
            if self._renewals > _RENEWALS:
                raise _transfer_failed(refused) from refused
            try:
                fresh = await self._refresh()
            except FloodWait:
                raise
            except (RequestRefused, TargetNotFound) as error:  # this chat cannot be read any more; others can
                raise TransferFailed(error.message, error.remedy) from error
            if fresh is None:
                raise TransferFailed("The message of this file is gone.", retryable=False) from refused
            self._remote = fresh


def _transfer_failed(refused: RequestRefused) -> TransferFailed:
    """Convert a refusal into TransferFailed; only for a file that is gone a later run does not try again."""
    return TransferFailed(refused.message, refused.remedy, retryable=refused.name not in _GONE)


async def _run_in_thread(function: Callable[..., T], *args: object) -> T:
    """Run ``function`` in a thread to its end, even when the caller is cancelled: the file is closed after it."""
    work = asyncio.ensure_future(asyncio.to_thread(function, *args))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise


def _open_at(part: Path, offset: int, limit: int) -> tuple[BinaryIO, int]:
    """Open the part file, cut to the last whole part at or below ``offset``; return it and the offset where writing
    starts.

    The file is unbuffered: a killed process does not lose bytes that were reported as written.
    """
    file: BinaryIO = part.open("r+b" if part.exists() else "w+b", buffering=0)
    size = min(offset, file.seek(0, 2))
    start = size - size % limit
    _truncate(file, start)
    return file, start


def _truncate(file: BinaryIO, size: int) -> None:
    file.truncate(size)
    file.seek(size)


def _read_at(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(size)


def _write(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
