"""The watch itself: waits for the bell or the clock, and does what is due, one thing after the other."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
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
from tobs.pipeline.sync.run import write_notes
from tobs.pipeline.sync.syncer import PendingChanges
from tobs.pipeline.watch.change_queue import ChangeQueue, PendingWork
from tobs.pipeline.watch.note_updates import wants_files, write_changed_notes
from tobs.pipeline.watch.polled_source import PolledSource
from tobs.pipeline.watch.saved_reactions import answer_saved
from tobs.pipeline.watch.schedule import Schedule
from tobs.pipeline.watch.status import State, WatchStatus, is_paused, write_status
from tobs.pipeline.watch.telegram_changes import TelegramChanges
from tobs.pipeline.watch.vault_events import is_owners_move
from tobs.telegram.facade import Telegram

#: Waits until the event is set, at most so many seconds.
Wait = Callable[[asyncio.Event, float], Awaitable[None]]

#: Seconds in which pushes are gathered before they are asked about.
_GATHER = 0.2
#: Seconds between two tries to reach Telegram: doubled up to the most.
_FIRST_TRY, _LAST_TRY = 1.0, 60.0
_TOLD = 5
#: Seconds that work on files gets when the watch ends; the next start goes on with it.
_GRACE = 1.0


class WatchedSources(Struct, frozen=True):
    """The sources of a watch: Telegram, and others that are polled at every step."""

    telegram: TelegramChanges
    polled: Sequence[PolledSource] = ()


class Watcher:
    """Keeps the chats of ``sources`` in step until it is told to stop. ``new_report`` makes the report of a step."""

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
        self._schedule = schedule
        self._clock = clock
        self._wait = wait
        self._new_report = new_report
        self._pending = PendingChanges()  # what is still to be written
        self._file_task: asyncio.Task[None] | None = None  # fetches and processes files
        self._export_lock = asyncio.Lock()
        self._offline = False
        self._asked_to_wait = 0.0  # until then (Unix time) Telegram wants to be left alone
        self._stopping = False
        self.status = WatchStatus(os.getpid(), iso_time(clock()))

    @property
    def _telegram(self) -> Telegram:
        return self._sources.telegram.telegram

    @property
    def _root(self) -> Path:
        return self._run.config.workspace.root

    def stop(self) -> None:
        """End after what is being done now."""
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
        await self._step(PendingWork())  # what an interrupted run left
        while not self._is_over():
            due_at = self._due_at(last)
            self._write_status(self._state(), due_at)
            await self._wait(self._queue.event, max(0.0, due_at - self._clock()))
            if self._is_over():
                break
            if self._file_task is not None and self._file_task.done():
                self._file_task.result()
                self._file_task = None
            rests = self._rest_reason() is not None
            due = self._queue.take(with_telegram=not rests)
            now = self._clock()
            if not rests:
                if now >= self._schedule.next(last, last):
                    due.everything, last = True, now
                due.boxes |= self._sources.telegram.take_polls(now)
            await self._step(due)

    def _due_at(self, last: float) -> float:
        """When there is something to do though nobody rings; ``last`` is when everything was looked at."""
        now = self._clock()
        match self._rest_reason():
            case "waiting":
                return self._asked_to_wait  # then what could not be done is
            case "paused":
                return self._schedule.next(now, now)  # whoever ends the pause rings
            case "quiet":
                return self._schedule.next(last, now)
        poll, scheduled = self._sources.telegram.next_poll(), self._schedule.next(last, now)
        return scheduled if poll is None else min(scheduled, poll)

    async def listen(self) -> None:
        """Have Telegram ring the bell, over and over. Raises LoginError."""
        seconds = _FIRST_TRY
        while True:
            try:
                await self._telegram.listen(self._queue.pushed)
                seconds = _FIRST_TRY
            except FloodWait as error:
                self._wait_out_flood(error)
                await self._wait(asyncio.Event(), error.seconds)
            except NetworkError as error:
                logger.warning("{}", error)
                self._offline = True
            await self._wait(asyncio.Event(), seconds)
            seconds = min(_LAST_TRY, seconds * 2)

    def _is_over(self) -> bool:
        return self._stopping

    # one step

    async def _step(self, due: PendingWork) -> None:
        """Do what is due."""
        run, context = self._new_run()
        await self._run_step(run, due, self._do(run, context, due))

    async def _do(self, run: RunSession, context: RunContext, due: PendingWork) -> None:
        if due.files:
            await run.archive_thread(_follow_moves, run.archive, context, due.files)
        polled = set[int]()
        for source in self._sources.polled:
            polled |= await source.fetch(context, run.archive_thread, run.config.policy)
        pending = await self._sources.telegram.fetch(run, context, due)
        pending.changed |= polled
        await self._write(run, context, pending)
        if pending.about:
            await self._sources.telegram.update_chats(run)
        if due.everything:
            self.status.last_look = iso_time(self._clock())
        if pending.refused:
            context.events.failed(refusal(pending.refused.values()), "deletions")

    def _new_run(self) -> tuple[RunSession, RunContext]:
        """The run with a report of its own."""
        run = replace(self._run, config=replace(self._run.config, report=self._new_report()))
        return run, run.context(self._telegram.account.id)

    async def _run_step(self, run: RunSession, due: PendingWork, work: Coroutine[Any, Any, None]) -> bool:
        """Await ``work`` and keep its report; whether it came to its end. What does not work is told, and ``due`` the
        next time. Raises LoginError."""
        events, is_done = run.config.events, False
        try:
            await work
            self._offline, is_done = False, True
        except LoginError:
            raise
        except NetworkError as error:
            self._offline = True
            self._queue.put_back(due)
            logger.warning("{}", error)
        except FloodWait as error:
            self._queue.put_back(due)
            self._wait_out_flood(error)
        except TobsError as error:
            self._queue.put_back(due)
            logger.error("{} {}", error.message, error.remedy)
            events.failed(error, "watch")
        await self._sources.telegram.peers.flush()
        async with self._export_lock:
            await run.exporters.export_new(run.config.report)
        await self._record_step(run, run.report)
        return is_done

    async def _write(self, run: RunSession, context: RunContext, pending: PendingChanges) -> None:
        """Write the notes of what came. Where files are to be fetched and processed, that is done aside: what comes
        meanwhile has its notes at once."""
        self._pending.add(pending)
        is_alone = self._file_task is None or self._file_task.done()
        if is_alone and self._rest_reason() is not None:
            return await write_notes(_without_files(run), context, self._telegram, self._take_pending())
        unfinished = await run.archive_thread(run.archive.messages.unfinished, context.account)
        chats = self._pending.changed | set(unfinished)
        if is_alone and not await run.archive_thread(wants_files, run.archive, context.account, chats):
            return await self._write_all(run, context)
        if not run.config.catalogue.having("enrich"):  # a plugin is not to be asked twice, nor to be waited for
            await write_changed_notes(run, context, pending)
        if is_alone:
            self._file_task = asyncio.create_task(self._process_files())
            self._file_task.add_done_callback(self._file_task_ended)

    async def _process_files(self) -> None:
        """Fetch and process files, and write their notes."""
        run, context = self._new_run()
        if await self._run_step(run, PendingWork(), self._write_all(run, context)) and self._pending.changed:
            self._queue.wake()  # what came meanwhile may have files too

    def _file_task_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._queue.wake()  # who waits for the bell raises it

    async def _write_all(self, run: RunSession, context: RunContext) -> None:
        await write_notes(run, context, self._telegram, self._take_pending())
        # All news counts as told by now: what came meanwhile is not.
        await run.archive_thread(run.archive.updates.add_pending, context.account, self._pending.changed)
        await run.archive_thread(run.archive.updates.add_pending, context.account, self._pending.about, about=True)
        for source in self._sources.polled:
            await source.release()
        if self._rest_reason() is None and not self._pending.changed:
            await answer_saved(context, run.archive_thread, self._telegram, run.config.settings.watch_answer)

    def _take_pending(self) -> PendingChanges:
        waiting, self._pending = self._pending, PendingChanges()
        return waiting

    # what is told

    def _report_idle_plugins(self) -> None:
        """Name the plugins that are not to run as they are now: with its last report a watch tells that too late."""
        for info in self._run.config.catalogue.plugins:
            if info.state in ("untrusted", "broken"):
                told = f"plugin {info.name}: {info.reason}"
                logger.warning("{} is not run: {}", info.name, info.reason)
                self.status.problems = [*self.status.problems, told][-_TOLD:]

    def _state(self) -> State:
        is_working = self._file_task is not None and not self._file_task.done()
        return self._rest_reason() or ("offline" if self._offline else "working" if is_working else "watching")

    def _rest_reason(self) -> State | None:
        """Why Telegram is left alone now, None when it is not."""
        if is_paused(self._root):
            return "paused"
        if self._clock() < self._asked_to_wait:
            return "waiting"
        return "quiet" if self._schedule.is_quiet(self._clock()) else None

    def _wait_out_flood(self, error: FloodWait) -> None:
        """A flood wait that is too long to stand still for: only the vault is watched until it is over."""
        self._asked_to_wait = max(self._asked_to_wait, self._clock() + error.seconds)
        logger.warning("{} The vault is watched meanwhile.", error.message)

    def _write_status(self, state: State, due_at: float) -> None:
        status = self.status
        status.state, status.next_look = state, iso_time(due_at) if due_at else ""
        with suppress(TobsError):  # a full disk is told by what writes notes
            write_status(self._root, status)

    async def _record_step(self, run: RunSession, report: RunReport) -> None:
        """Count what a step did; a step that did something is a run of its own in the archive."""
        counts, notes = report.messages, report.notes
        written = notes.created + notes.updated
        self.status.new += counts.new
        self.status.edited += counts.edited
        self.status.deleted += counts.deleted
        self.status.notes += written
        told = [f"{one.item}: {one.reason}" for one in report.problems]
        self.status.problems = (self.status.problems + told)[-_TOLD:]
        if counts.new or counts.edited or counts.deleted or written or notes.moved or notes.deleted or told:
            run.config.events.emit(RequestsCounted(self._telegram.requests.total()))
            await run.archive_thread(_record_run, run, report)


def _without_files(run: RunSession) -> RunSession:
    """The run while Telegram is left alone: what is to be fetched from it waits."""
    return replace(run, config=replace(run.config, media_later=True))


def _follow_moves(archive: Archive, context: RunContext, files: set[str]) -> None:
    """What the owner moved or deleted. Raises VaultError when much is missing."""
    if is_owners_move(archive, context.root, files):
        scan_vault(archive, context.root, context.events, accept_missing=False)


def _record_run(run: RunSession, report: RunReport) -> None:
    run.archive.runs.start(report.run_id, report.command, report.targets)
    store_report(run.config, run.archive)


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Wait in real time; what rings at once is gathered."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
        await asyncio.sleep(_GATHER)
