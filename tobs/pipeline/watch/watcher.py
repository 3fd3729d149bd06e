"""The loop of a watch: wait for an event or a poll, then do the pending work in one step."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from loguru import logger
from msgspec import Struct
from msgspec.structs import replace

from tobs.archive import Archive
from tobs.errors import FloodWait, LoginError, NetworkError, TobsError
from tobs.model.clock import Clock
from tobs.model.events import RequestsCounted
from tobs.model.report import RunReport, iso_time
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.fetch.mass_deletion import refusal
from tobs.pipeline.notes.vault_scan import scan_vault
from tobs.pipeline.session.run_session import RunSession, store_report
from tobs.pipeline.sync.run import write_notes, write_notes_without_files
from tobs.pipeline.sync.syncer import PendingChanges
from tobs.pipeline.watch.change_queue import ChangeQueue, PendingWork
from tobs.pipeline.watch.polled_source import PolledSource
from tobs.pipeline.watch.saved_reactions import answer_saved
from tobs.pipeline.watch.schedule import RequestSchedule, Schedule
from tobs.pipeline.watch.status import State, WatchStatus, write_status
from tobs.pipeline.watch.telegram_changes import TelegramChanges
from tobs.pipeline.watch.vault_events import is_owners_move
from tobs.telegram.facade import Telegram

#: Waits until the event is set, at most so many seconds.
Wait = Callable[[asyncio.Event, float], Awaitable[None]]

#: Problems in the status file, the newest ones.
SHOWN_PROBLEMS = 5

#: Seconds in which pushes are collected before their changes are fetched.
_COLLECT = 0.2
#: Seconds between two attempts to connect to Telegram: the first delay is doubled up to the last.
_FIRST_DELAY, _LAST_DELAY = 1.0, 60.0
#: Seconds that work on files gets when the watch ends; the next start continues it.
_GRACE = 1.0


class WatchedSources(Struct, frozen=True):
    """The sources of a watch: Telegram, and others that are polled at every step."""

    telegram: TelegramChanges
    polled: Sequence[PolledSource] = ()


class Watcher:
    """Watches the chats of ``sources`` until ``stop`` is called. ``new_report`` makes the report of a step."""

    def __init__(
        self,
        run: RunSession,
        sources: WatchedSources,
        queue: ChangeQueue,
        schedule: Schedule,
        *,
        clock: Clock,
        wait: Wait,
        new_report: Callable[[], ReportBuilder],
    ) -> None:
        self._run = run
        self._sources = sources
        self._queue = queue
        self._schedule = RequestSchedule(run.config.paths.root, schedule, clock)
        self._clock = clock
        self._wait = wait
        self._new_report = new_report
        self._pending = PendingChanges()  # recorded, not yet written
        self._file_task: asyncio.Task[None] | None = None  # fetching and processing of files
        self._export_lock = asyncio.Lock()
        self._offline = False
        self._stopping = False
        self.status = WatchStatus(os.getpid(), iso_time(clock()))

    @property
    def _telegram(self) -> Telegram:
        return self._sources.telegram.telegram

    def stop(self) -> None:
        """End the watch after the current step."""
        self._stopping = True
        self._queue.wake()

    async def watch(self, targets: Sequence[str]) -> None:
        """Watch the chats that ``targets`` name (none: all of the vault) until ``stop``."""
        self.status.chats = await self._sources.telegram.choose(self._run, targets)
        self._report_idle_plugins()
        try:
            await self._loop()
            if self._file_task is not None:
                await asyncio.wait({self._file_task}, timeout=_GRACE)
        finally:
            if self._file_task is not None:
                self._file_task.cancel()
                await asyncio.gather(self._file_task, return_exceptions=True)
        self._write_status("stopped", 0)

    async def _loop(self) -> None:
        last = self._clock()
        await self._step(PendingWork())  # the work that an interrupted run left
        while not self._is_over():
            wake_at = self._schedule.wake_at(last, self._sources.telegram.next_poll())
            self._write_status(self._state(), wake_at)
            await self._wait(self._queue.event, max(0.0, wake_at - self._clock()))
            if self._is_over():
                break
            if self._file_task is not None and self._file_task.done():
                self._file_task.result()
                self._file_task = None
            rests = self._schedule.rest_reason() is not None
            work = self._queue.take(with_telegram=not rests)
            if not rests:
                now = self._clock()
                if self._schedule.is_poll_due(last):
                    work.everything, last = True, now
                work.boxes |= self._sources.telegram.take_polls(now)
            await self._step(work)

    async def listen(self) -> None:
        """Put the updates that Telegram pushes into the queue, and connect again after errors. Raises LoginError."""
        seconds = _FIRST_DELAY
        while True:
            try:
                await self._telegram.listen(self._queue.pushed)
                seconds = _FIRST_DELAY
            except FloodWait as error:
                self._wait_out_flood(error)
                await self._wait(asyncio.Event(), error.seconds)
            except NetworkError as error:
                logger.warning("{}", error)
                self._offline = True
            await self._wait(asyncio.Event(), seconds)
            seconds = min(_LAST_DELAY, seconds * 2)

    def _is_over(self) -> bool:
        return self._stopping

    # Steps

    async def _step(self, work: PendingWork) -> None:
        """Do the pending work."""
        run, context = self._new_run()
        await self._run_step(run, work, self._do(run, context, work))

    async def _do(self, run: RunSession, context: RunContext, work: PendingWork) -> None:
        if work.files:
            await run.archive_thread(_scan_moves, run.archive, context, work.files)
        polled = set[int]()
        for source in self._sources.polled:
            polled |= await source.fetch(context, run.archive_thread, run.config.policy)
        pending = await self._sources.telegram.fetch(run, context, work)
        pending.changed |= polled
        await self._write(run, context, pending)
        if pending.about:
            await self._sources.telegram.update_chats(run)
        if work.everything:
            self.status.last_look = iso_time(self._clock())
        if pending.refused:
            context.events.failed(refusal(pending.refused.values()), "deletions")

    def _new_run(self) -> tuple[RunSession, RunContext]:
        """Return the run with a report of its own, and its context."""
        run = replace(self._run, config=replace(self._run.config, report=self._new_report()))
        return run, run.context(self._telegram.account.id)

    async def _run_step(self, run: RunSession, work: PendingWork, step: Coroutine[Any, Any, None]) -> bool:
        """Await ``step`` and store its report; return True if it was completed. An error is reported, and ``work`` is
        put back into the queue. Raises LoginError."""
        events, is_done = run.config.events, False
        try:
            await step
            self._offline, is_done = False, True
        except LoginError:
            raise
        except NetworkError as error:
            self._offline = True
            self._queue.put_back(work)
            logger.warning("{}", error)
        except FloodWait as error:
            self._queue.put_back(work)
            self._wait_out_flood(error)
        except TobsError as error:
            self._queue.put_back(work)
            logger.error("{} {}", error.message, error.remedy)
            events.failed(error, "watch")
        await self._sources.telegram.peers.flush()
        async with self._export_lock:
            await run.exporters.export_new(run.config.report)
        await self._record_step(run, run.report)
        return is_done

    async def _write(self, run: RunSession, context: RunContext, pending: PendingChanges) -> None:
        """Write the notes of recorded changes. Files are fetched and processed in a task of its own, so that later
        messages get their notes at once."""
        self._pending.add(pending)
        is_alone = self._file_task is None or self._file_task.done()
        if is_alone and self._schedule.rest_reason() is not None:
            return await write_notes(_without_files(run), context, self._telegram, self._pop_pending())
        unfinished = await run.archive_thread(run.archive.messages.unfinished, context.account)
        chats = self._pending.changed | set(unfinished)
        if is_alone and not await run.archive_thread(_wants_files, run.archive, context.account, chats):
            return await self._write_all(run, context)
        if not run.config.catalogue.having("enrich"):  # a plugin is not called twice, and not waited for
            await write_notes_without_files(run, context, pending)
        if is_alone:
            self._file_task = asyncio.create_task(self._process_files())
            self._file_task.add_done_callback(self._file_task_ended)

    async def _process_files(self) -> None:
        """Fetch and process files, and write the notes that use them."""
        run, context = self._new_run()
        if await self._run_step(run, PendingWork(), self._write_all(run, context)) and self._pending.changed:
            self._queue.wake()  # later messages may have files too

    def _file_task_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._queue.wake()  # the loop raises the error

    async def _write_all(self, run: RunSession, context: RunContext) -> None:
        await write_notes(run, context, self._telegram, self._pop_pending())
        # ``write_notes`` has cleared the pending chats of the archive: add those that changed meanwhile.
        await run.archive_thread(run.archive.updates.add_pending, context.account, self._pending.changed)
        await run.archive_thread(run.archive.updates.add_pending, context.account, self._pending.about, about=True)
        for source in self._sources.polled:
            await source.release()
        if self._schedule.rest_reason() is None and not self._pending.changed:
            await answer_saved(context, run.archive_thread, self._telegram, run.config.settings.watch_answer)

    def _pop_pending(self) -> PendingChanges:
        pending, self._pending = self._pending, PendingChanges()
        return pending

    # Status and report

    def _report_idle_plugins(self) -> None:
        """Report at the start the plugins that cannot run: the report at the end of the watch would be too late."""
        for info in self._run.config.catalogue.plugins:
            if info.state in ("untrusted", "broken"):
                problem = f"plugin {info.name}: {info.reason}"
                logger.warning("{} does not run: {}", info.name, info.reason)
                self.status.problems = [*self.status.problems, problem][-SHOWN_PROBLEMS:]

    def _state(self) -> State:
        is_working = self._file_task is not None and not self._file_task.done()
        return self._schedule.rest_reason() or ("offline" if self._offline else "working" if is_working else "watching")

    def _wait_out_flood(self, error: FloodWait) -> None:
        """Send no requests until a flood wait is over; changes of the vault are still handled."""
        self._schedule.wait_out(error.seconds)
        logger.warning("{} The vault is watched meanwhile.", error.message)

    def _write_status(self, state: State, wake_at: float) -> None:
        status = self.status
        status.state, status.next_look = state, iso_time(wake_at) if wake_at else ""
        with suppress(TobsError):  # a full disk is reported when notes are written
            write_status(self._run.config.paths.root, status)

    async def _record_step(self, run: RunSession, report: RunReport) -> None:
        """Add the counts of a step to the status, and store the step as a run in the archive if it changed anything."""
        counts, notes = report.messages, report.notes
        written = notes.created + notes.updated
        self.status.new += counts.new
        self.status.edited += counts.edited
        self.status.deleted += counts.deleted
        self.status.notes += written
        problems = [f"{problem.item}: {problem.reason}" for problem in report.problems]
        self.status.problems = (self.status.problems + problems)[-SHOWN_PROBLEMS:]
        if counts.new or counts.edited or counts.deleted or written or notes.moved or notes.deleted or problems:
            run.config.events.emit(RequestsCounted(self._telegram.requests.total()))
            await run.archive_thread(_record_run, run, report)


def _without_files(run: RunSession) -> RunSession:
    """Return the run with files left to a later run: no requests are sent now."""
    return replace(run, config=replace(run.config, media_later=True))


def _wants_files(archive: Archive, account: int, chats: Collection[int]) -> bool:
    """Return whether files of ``chats`` are still to be fetched."""
    return any(archive.media.wanted(account, chat_id, 1) for chat_id in chats)


def _scan_moves(archive: Archive, context: RunContext, files: set[str]) -> None:
    """Scan the vault if the owner moved or deleted notes. Raises VaultError when many are missing."""
    if is_owners_move(archive, context.root, files):
        scan_vault(archive, context.root, context.events, accept_missing=False)


def _record_run(run: RunSession, report: RunReport) -> None:
    run.archive.runs.start(report.run_id, report.command, report.targets)
    store_report(run.config, run.archive)


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Wait in real time for ``event``, at most ``seconds``; events that follow at once are collected."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
        await asyncio.sleep(_COLLECT)
