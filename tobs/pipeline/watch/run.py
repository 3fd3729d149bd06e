"""A watch from start to end: open the session, then run the watcher, the listener and the vault events side by side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from loguru import logger
from msgspec import Struct

from tobs.errors import TobsError
from tobs.pipeline.context.adapters import ArchivePeers, ArchivePosts
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.session.chat_stages import run_stages
from tobs.pipeline.session.run_session import RunConfig, open_run
from tobs.pipeline.session.telegram_session import report_event
from tobs.pipeline.watch.change_queue import ChangeQueue
from tobs.pipeline.watch.polled_source import open_polled_sources
from tobs.pipeline.watch.reload import apply_changed_sources
from tobs.pipeline.watch.schedule import Schedule, read_quiet
from tobs.pipeline.watch.status import is_paused
from tobs.pipeline.watch.telegram_changes import TelegramChanges
from tobs.pipeline.watch.vault_events import VaultChanges, watch_vault
from tobs.pipeline.watch.watcher import SHOWN_PROBLEMS, WatchedSources, Watcher, wait_for
from tobs.telegram.net.settings import TelegramSettings
from tobs.telegram.opening import open_telegram
from tobs.telegram.stores import Stores

#: Seconds between two checks of the file that pauses a watch.
_PAUSE_CHECK = 1.0


class WatchRun(Struct, frozen=True):
    """A watch of a vault. ``config`` is the configuration of the run, ``telegram`` the settings of the connection,
    ``home`` is TOBS_HOME. ``probe`` raises TobsError if changed templates, plugins or configuration cannot be opened;
    ``new_report`` makes the report of a step. ``changed`` are the changes that made the watch restart (vault paths,
    names of files in TOBS_HOME); ``is_other``: the settings change the text of all notes; ``warnings`` name settings
    that are not used."""

    config: RunConfig
    telegram: TelegramSettings
    home: Path
    probe: Callable[[], None]
    new_report: Callable[[], ReportBuilder]
    stop: asyncio.Event
    changed: frozenset[str] = frozenset()
    is_other: bool = False
    warnings: tuple[str, ...] = ()

    async def watch(self, targets: Sequence[str]) -> frozenset[str]:
        """Run the watch until ``stop`` is set, or until templates, plugins or configuration change and the watch has to
        restart. Return these changes (vault paths, names of files in TOBS_HOME). Raises LoginError, VaultError."""
        async with open_run(self.config) as run:
            peers = ArchivePeers(run.archive, run.archive_thread)
            posts, on_event = ArchivePosts(run.archive, run.archive_thread), partial(report_event, self.config.events)
            async with open_telegram(
                self.telegram, Stores(peers, post_of=posts), on_event=on_event, verify_account=False
            ) as telegram:
                queue, settings = ChangeQueue(), self.config.settings
                context = run.context(telegram.account.id)
                await apply_changed_sources(run, context, telegram.fetch_file, self.changed, is_other=self.is_other)
                schedule = Schedule(settings.watch_every, self.config.zone, read_quiet(settings.watch_quiet))
                async with open_polled_sources(context, run.archive_thread, queue.wake) as polled:
                    watcher = Watcher(
                        run,
                        WatchedSources(TelegramChanges(telegram, peers, time.time), polled),
                        queue,
                        schedule,
                        clock=time.time,
                        wait=wait_for,
                        new_report=self.new_report,
                    )
                    watcher.status.problems = list(self.warnings)
                    return await self._run_tasks(watcher, queue, targets)

    async def _run_tasks(self, watcher: Watcher, queue: ChangeQueue, targets: Sequence[str]) -> frozenset[str]:
        changed: frozenset[str] = frozenset()

        def on_changes(changes: VaultChanges) -> None:
            nonlocal changed
            if changes.files:
                queue.changed(set(changes.files))
            if changes.sources and self._can_open(sorted(changes.sources), watcher):
                changed |= changes.sources
                watcher.stop()
            queue.wake()

        async def watch() -> None:
            await watcher.watch(targets)
            raise _Done

        async def until_stopped() -> None:
            await self.stop.wait()
            watcher.stop()

        root = self.config.paths.root
        with suppress(_Done):
            await run_stages(
                watch(),
                watcher.listen(),
                watch_vault(root, self.home, on_changes),
                until_stopped(),
                _watch_pause(root, queue),
            )
        return changed

    def _can_open(self, paths: Sequence[str], watcher: Watcher) -> bool:
        """Return whether changed templates, plugins and configuration can be opened; report an error if not."""
        names = ", ".join(paths)
        try:
            self.probe()
        except TobsError as error:
            logger.error("{}: {} The watch continues with the earlier version.", names, error)
            watcher.status.problems = [*watcher.status.problems, f"{names}: {error}"][-SHOWN_PROBLEMS:]
            return False
        logger.info("{} changed: the watch restarts with it", names)
        return True


class _Done(Exception):
    """Ends the other tasks when the watch has ended."""


async def _watch_pause(root: Path, queue: ChangeQueue) -> None:
    """Wake the watch when the owner pauses or resumes it."""
    before = None
    while True:
        paused = is_paused(root)
        if before is not None and paused != before:
            queue.wake()
        before = paused
        await asyncio.sleep(_PAUSE_CHECK)
