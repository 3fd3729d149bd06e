"""Download the media of a chat in the background, process them, and attach them in the order of their messages."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from tobs.archive import FileRow, MediaRow
from tobs.errors import TransferFailed
from tobs.media.chain import Chain, FetchThumbnail, Incoming, Processed
from tobs.media.policy import DownloadLimits, LimitReached
from tobs.media.transfer import transfer
from tobs.model import Message, thumbnail_of
from tobs.model.events import MediaCounted
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.media.attach import attach_media, staged_path
from tobs.sources import FetchFile

#: Files that are processed and attached together.
_BATCH = 100

#: Bytes after which the offset of a download is recorded, so that a later run continues there.
_CHECKPOINT = 4_000_000


class MediaStage:
    """The media of one chat in one run.

    ``downloads`` files are downloaded at a time, small before large and lowest first, within ``download_limits``.
    Without ``fetch`` none is; files that are already staged are attached.
    """

    def __init__(
        self,
        context: RunContext,
        chat_folder: ChatFolder,
        archive_thread: ArchiveThread,
        fetch: FetchFile | None,
        chain: Chain,
        *,
        downloads: int,
        download_limits: DownloadLimits,
    ) -> None:
        self._context = context
        self._chat_folder = chat_folder
        self._archive_thread = archive_thread
        self._fetch = fetch
        self._chain = chain
        self._downloads = downloads
        self._download_limits = download_limits
        # Bytes that the files being fetched still need.
        self._remaining: dict[str, int] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    async def run(
        self, pages_recorded: asyncio.Event, is_fetched: Callable[[], bool], attached: Callable[[], None]
    ) -> None:
        """Work until the history is fetched and no file is wanted.

        ``pages_recorded`` is set when pages were recorded; ``attached`` is called when notes may have become ready.
        Files are downloaded while others are processed, so that a slow processor does not stop the network.
        """
        attaching: asyncio.Task[bool] | None = None
        is_due = True
        try:
            while True:
                pages_recorded.clear()
                complete = is_fetched()
                await self._start_downloads()
                if is_due and attaching is None:
                    attaching = asyncio.create_task(self._attach_ready(complete=complete))
                    is_due = False
                if complete and not self._running and attaching is None:
                    return
                is_due |= await self._wait(pages_recorded, attaching)
                if attaching is not None and attaching.done():
                    if attaching.result():
                        attached()
                        is_due = True
                    attaching = None
        finally:
            tasks = [*self._running.values(), *([attaching] if attaching else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _start_downloads(self) -> None:
        free = self._downloads - len(self._running)
        if free <= 0 or self._fetch is None:
            return
        media, chat = self._context.archive.media, self._chat_folder.chat
        rows = await self._archive_thread(
            media.wanted, self._context.account, chat.id, self._downloads + len(self._running)
        )
        for row in [row for row in rows if row.key not in self._running][:free]:
            if limit := await self._limit_reached(row):
                return await self._postpone(limit)
            self._remaining[row.key] = max(0, row.item.size - row.offset)
            self._running[row.key] = asyncio.create_task(self._download(row))

    async def _limit_reached(self, row: MediaRow) -> LimitReached | None:
        """Return the reason why a file is not downloaded in this run; None if it is."""
        free = (await asyncio.to_thread(shutil.disk_usage, self._context.root)).free
        # Both at one moment, else a file that ends meanwhile counts twice.
        remaining, spent = sum(self._remaining.values()), self._context.meter.bytes
        return self._download_limits.limit_reached(max(0, row.item.size - row.offset) + remaining, spent, free)

    async def _postpone(self, limit: LimitReached) -> None:
        """Leave the wanted files to a later run; files that are already staged are attached."""
        archive, events = self._context.archive, self._context.events
        chat = self._chat_folder.chat
        count = await self._archive_thread(archive.media.postpone, self._context.account, chat.id, limit.reason)
        if count:
            events.postponed(count, chat.title, limit.reason, is_fault=limit.is_fault)

    async def _wait(self, pages_recorded: asyncio.Event, attaching: asyncio.Task[bool] | None) -> bool:
        """Wait until a download ends, pages come or ``attaching`` is done; report whether there may be more to
        attach."""
        waiter = asyncio.create_task(pages_recorded.wait())
        tasks: list[asyncio.Task[Any]] = [waiter, *self._running.values(), *([attaching] if attaching else [])]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
        ended = [key for key, task in self._running.items() if task.done()]
        for key in ended:
            # A download reports its own failure; what it raises ends the run (a full disk, a lost network).
            self._running.pop(key).result()
        return bool(ended) or pages_recorded.is_set()

    async def _download(self, row: MediaRow) -> None:
        media, events = self._context.archive.media, self._context.events
        part = self._context.staging / f"{hashlib.sha256(row.key.encode()).hexdigest()[:32]}.part"
        checkpoint = _Checkpoint(row.offset)

        async def fetch(part: Path, *, offset: int, on_progress: Callable[[int], None]) -> int:
            checkpoint.done = offset
            assert self._fetch is not None, "nothing is downloaded without it"
            return await self._fetch(row.item, row.message_key, part, offset=offset, on_progress=on_progress)

        def on_progress(done: int) -> None:
            came = max(0, done - checkpoint.done)
            self._context.meter.add(came)
            events.emit(MediaCounted(bytes=came))
            self._remaining[row.key] = max(0, self._remaining[row.key] - came)
            checkpoint.done = done

        watcher = asyncio.create_task(self._checkpoint(row.key, checkpoint))
        try:
            file = await transfer(
                row.item, fetch, part=part, staging=self._context.staging, offset=row.offset, on_progress=on_progress
            )
        except TransferFailed as error:
            await self._failed(row, error)
        else:
            events.emit(MediaCounted(downloaded=1))
            await self._archive_thread(media.staged, row.key, file.sha256, file.size)
        finally:
            self._remaining.pop(row.key, None)
            watcher.cancel()

    async def _checkpoint(self, key: str, checkpoint: _Checkpoint) -> None:
        while True:
            await asyncio.sleep(0.5)
            if checkpoint.done - checkpoint.kept >= _CHECKPOINT:
                checkpoint.kept = checkpoint.done
                await self._archive_thread(self._context.archive.media.set_offset, key, checkpoint.kept)

    async def _failed(self, row: MediaRow, error: TransferFailed) -> None:
        media, events = self._context.archive.media, self._context.events
        if error.retryable:
            events.emit(MediaCounted(failed=1))
            name = row.item.name or row.item.kind
            events.problem("media", f"{name} of message {row.message_id} in {self._chat_folder.chat.title}", str(error))
            await self._archive_thread(media.failed, row.key, error.message, retryable=True)
        else:
            events.emit(MediaCounted(unavailable=1))
            await self._archive_thread(media.unavailable, row.key, error.message)

    async def _attach_ready(self, *, complete: bool) -> bool:
        """Process and attach the staged files that are next; report whether anything changed.

        ``complete`` means that the history is fetched.
        """
        context = self._context
        ready = await self._archive_thread(
            _next_ready_files, context, self._chat_folder, self._fetch, complete=complete
        )
        if ready.files:
            results = await self._chain.run([file for _, file in ready.files])
            report_failures(context, results)
            rows = [row for row, _ in ready.files]
            await self._archive_thread(attach_media, context, self._chat_folder, list(zip(rows, results, strict=True)))
        return bool(ready.files or ready.lost)


def report_failures(context: RunContext, results: Sequence[Processed]) -> None:
    """Report the failures of plugins, one problem a file."""
    for failures in [processed.failures for processed in results if processed.failures]:
        names = ", ".join(failure.plugin for failure in failures)
        reasons = dict.fromkeys(failure.reason for failure in failures)
        subject = f"plugin {names}" if len(failures) == 1 else f"plugins {names}"
        context.events.problem(subject, failures[0].item, "; ".join(reasons))


class _Checkpoint(Struct):
    """The bytes of a file that are downloaded (``done``), and those that the archive has recorded (``kept``)."""

    kept: int
    done: int = 0


class _ReadyFiles(Struct, frozen=True):
    """Files that are next to be attached, and the number of staged files that are gone."""

    files: list[tuple[MediaRow, Incoming]]
    lost: int


def _next_ready_files(
    context: RunContext, chat_folder: ChatFolder, fetch: FetchFile | None, *, complete: bool
) -> _ReadyFiles:
    """Return the next files to attach. A staged file that is gone becomes wanted again."""
    archive = context.archive
    upto = (
        None if complete and chat_folder.is_part else archive.coverage.watermark(context.account, chat_folder.chat.id)
    )
    rows = archive.media.attachable(context.account, chat_folder.chat.id, _BATCH, upto=upto)
    known = archive.files.many([row.sha256 for row in rows if row.sha256])
    files, lost = [], 0
    for row in rows:
        path = staged_path(context.staging, row)
        file = None if path.exists() else known.get(row.sha256 or "")
        if file is not None:
            path = context.root / file.path
        message = archive.messages.get(row.message_key)
        if message is None or not path.exists():
            archive.media.unstage(row.key)
            lost += 1
        else:
            files.append((row, incoming(chat_folder, row, message, path, file, fetch)))
    return _ReadyFiles(files, lost)


def incoming(
    chat_folder: ChatFolder, row: MediaRow, message: Message, path: Path, file: FileRow | None, fetch: FetchFile | None
) -> Incoming:
    """Return the file at ``path`` as input of the chain; ``file`` is its row if it is in the vault, ``fetch``
    downloads its thumbnail."""
    name = row.item.name or row.item.kind
    return Incoming(
        path=path,
        sha256=file.digest if file else row.sha256 or "",
        size=file.size if file else row.size,
        item=row.item,
        message=message,
        chat=chat_folder.chat.title,
        label=f"{name} of message {row.message_id} in {chat_folder.chat.title}",
        thumbnail=_thumbnail(row, fetch) if fetch else None,
    )


def _thumbnail(row: MediaRow, fetch: FetchFile) -> FetchThumbnail | None:
    """Return a function that downloads the thumbnail of a file; None if the source has none."""
    item = thumbnail_of(row.item)
    return partial(fetch, item, row.message_key) if item else None
