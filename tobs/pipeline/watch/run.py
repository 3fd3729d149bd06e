"""One watch: opens what every run has, then listens, looks at the vault and at the clock side by side."""

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
from tobs.pipeline.session.telegram_session import tell
from tobs.pipeline.watch.change_queue import ChangeQueue
from tobs.pipeline.watch.polled_source import open_polled_sources
from tobs.pipeline.watch.reload import apply_changed_sources
from tobs.pipeline.watch.schedule import Schedule, read_quiet
from tobs.pipeline.watch.status import is_paused
from tobs.pipeline.watch.telegram_changes import TelegramChanges
from tobs.pipeline.watch.vault_events import VaultChanges, watch_vault
from tobs.pipeline.watch.watcher import WatchedSources, Watcher, wait_for
from tobs.telegram.net.settings import TelegramSettings
from tobs.telegram.opening import open_telegram
from tobs.telegram.stores import Stores

#: Seconds between two looks at the file that pauses a watch.
_LOOK = 1.0


class WatchRun(Struct, frozen=True):
    """A watch: what every run works with, the way to Telegram, and TOBS_HOME. ``probe`` raises TobsError where
    templates, plugins or configuration could not be opened as they are now; ``new_report`` makes the report of a
    step. ``changed`` is what made it open anew (vault paths, files of TOBS_HOME), ``is_other`` says that notes look
    otherwise now; ``warnings`` tell what of the configuration is not used."""

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
        """Keep the vault live until ``stop`` is set, or what makes notes changed and everything is to be opened anew.
        The vault paths of what changed. Raises LoginError, VaultError."""
        async with open_run(self.config) as run:
            peers = ArchivePeers(run.archive, run.archive_thread)
            posts, on_event = ArchivePosts(run.archive, run.archive_thread), partial(tell, self.config.events)
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

        root = self.config.workspace.root
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
        """Whether what makes notes can be used as it is now; if not that is told, and what was good is kept."""
        told = ", ".join(paths)
        try:
            self.probe()
        except TobsError as error:
            logger.error("{}: {} What was good before is kept.", told, error)
            watcher.status.problems = [*watcher.status.problems, f"{told}: {error}"][-5:]
            return False
        logger.info("{} changed: taken up", told)
        return True


class _Done(Exception):
    """The watch has ended: the tasks beside it end too."""


async def _watch_pause(root: Path, queue: ChangeQueue) -> None:
    """Ring the bell when the owner pauses the watch or lets it go on."""
    before = None
    while True:
        paused = is_paused(root)
        if before is not None and paused != before:
            queue.wake()
        before = paused
        await asyncio.sleep(_LOOK)
