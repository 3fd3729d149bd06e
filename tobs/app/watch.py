"""``tobs watch``."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from tobs.app.context import AppContext
from tobs.app.run_config import Watch, new_run_id, open_run_config
from tobs.app.telegram import telegram_settings, without_pause
from tobs.app.vault import check_vault_templates
from tobs.pipeline.context.report import ReportBuilder, start_report
from tobs.pipeline.watch.status import WatchStatus, read_status, set_paused
from tobs.vault.lock import read_lease
from tobs.vault.workspace import open_workspace

#: Seconds after which a watch that was told to stop is stopped, whatever it is doing.
_PATIENCE = 3.0
#: Seconds of a flood wait at most in which the vault is not watched either.
_STANDS_STILL = 60.0


async def watch(reopen: Callable[[], AppContext], targets: Sequence[str], *, shown: Watch) -> None:
    """Keep the vault live until the process is told to stop. When templates, plugins or configuration change,
    everything is opened anew with them. Raises LoginError, VaultError, ConfigError."""
    from tobs.pipeline.watch.reload import changes_rendering
    from tobs.pipeline.watch.run import WatchRun

    context = reopen()
    open_workspace(context.vault, context.home)  # a watch makes no vault
    stop, changed, before = _stopped_by_signals(), frozenset[str](), context.settings
    while not stop.is_set():
        settings = without_pause(telegram_settings(context), most=_STANDS_STILL)

        def new_report(named: Sequence[str] = tuple(targets)) -> ReportBuilder:
            return start_report(new_run_id(time.time()), "watch", list(named), time.time)

        async with open_run_config(context, "watch", targets, watch=shown) as config:
            is_other = changes_rendering(before, context.settings)
            run = WatchRun(
                config,
                settings,
                context.home.resolve(),
                lambda: _probe(reopen),
                new_report,
                stop,
                changed,
                is_other,
                context.warnings,
            )
            with suppress(asyncio.CancelledError):
                changed = await run.watch(targets)
        context, before = reopen(), context.settings


def _probe(reopen: Callable[[], AppContext]) -> None:
    """Raise TobsError where the vault cannot be opened as it is now."""
    context = reopen()
    check_vault_templates(context, context.paths.templates)


def _stopped_by_signals() -> asyncio.Event:
    """Set when the process is asked to stop; what is not done a few seconds later is cancelled, and done again by the
    next start."""
    stop, loop, task = asyncio.Event(), asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def ask() -> None:
        stop.set()
        loop.call_later(_PATIENCE, task.cancel)

    with suppress(NotImplementedError):  # Windows: Ctrl-C cancels
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ask)
    return stop


def watch_status(context: AppContext) -> WatchStatus | None:
    """What the watch of a vault is doing; None where none is running. Raises VaultError."""
    paths = open_workspace(context.vault, context.home)
    status, lease = read_status(paths.root), read_lease(paths.tobs)
    return status if status is not None and lease is not None and lease.pid == status.pid else None


def pause_watch(context: AppContext, *, paused: bool) -> None:
    """Have a watch leave Telegram alone, or go on; also one that is started later. Raises VaultError."""
    set_paused(open_workspace(context.vault, context.home).root, paused=paused)
