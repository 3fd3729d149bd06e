"""``tobs watch``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from tobs.app.context import AppContext, reopen, with_settings
from tobs.app.events import Events
from tobs.app.plugins import ask_trust
from tobs.app.run_config import new_run_id, open_run_config
from tobs.app.telegram import telegram_settings, without_pause
from tobs.app.vault import check_vault_templates
from tobs.model.requests import WatchPauseRequest, WatchRequest, WatchStatusRequest
from tobs.pipeline.context.report import ReportBuilder, start_report

if TYPE_CHECKING:
    from tobs.pipeline.watch.status import WatchStatus

#: Seconds that a cancelled watch has to finish what it is doing.
_PATIENCE = 3.0
#: Longest flood wait in seconds during which the vault is not watched either.
_STANDS_STILL = 60.0


async def watch(request: WatchRequest, context: AppContext, events: Events) -> None:
    """Keep the vault up to date until the task is cancelled. When templates, plugins or configuration change,
    everything is opened again with them. Raises LoginError, VaultError, ConfigError."""
    from tobs.vault.workspace import open_workspace

    context = with_settings(context, watch_every=request.every)
    ask_trust(context)
    open_workspace(context.vault, context.home)  # a watch makes no vault
    stop = asyncio.Event()
    await _finish_when_cancelled(_watch(context, request.targets, events, stop), stop)


async def _watch(context: AppContext, targets: Sequence[str], events: Events, stop: asyncio.Event) -> None:
    from tobs.pipeline.watch.reload import changes_rendering
    from tobs.pipeline.watch.run import WatchRun

    changed, before = frozenset[str](), context.settings
    while not stop.is_set():
        settings = without_pause(telegram_settings(context), most=_STANDS_STILL)

        def new_report() -> ReportBuilder:
            return start_report(new_run_id(time.time()), "watch", list(targets), time.time)

        async with open_run_config(context, "watch", targets, events=events) as config:
            is_other = changes_rendering(before, context.settings)
            run = WatchRun(
                config,
                settings,
                context.home.resolve(),
                lambda opened=context: _probe(opened),  # type: ignore[misc]
                new_report,
                stop,
                changed,
                is_other,
                context.warnings,
            )
            changed = await run.watch(targets)
        context, before = reopen(context), context.settings


async def _finish_when_cancelled(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Run ``work``. When this task is cancelled, set ``stop`` and give ``work`` some seconds to end in order; what it
    does not finish is cancelled, and done again by the next start. Raises CancelledError then, or the error that ended
    ``work``."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait({task}, timeout=_PATIENCE)
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome from None
        raise


def _probe(context: AppContext) -> None:
    """Raise TobsError if the vault cannot be opened with its present files."""
    context = reopen(context)
    check_vault_templates(context, context.paths.templates)


async def watch_status(request: WatchStatusRequest, context: AppContext, events: Events) -> WatchStatus | None:
    """Read the status of the vault's watch; None if none is running. Raises VaultError."""
    from tobs.pipeline.watch.status import read_status
    from tobs.vault.lock import read_lease
    from tobs.vault.workspace import open_workspace

    paths = open_workspace(context.vault, context.home)
    status, lease = read_status(paths.root), read_lease(paths.tobs)
    return status if status is not None and lease is not None and lease.pid == status.pid else None


async def pause_watch(request: WatchPauseRequest, context: AppContext, events: Events) -> None:
    """Pause the vault's watch or let it continue, also a watch that is started later. Raises VaultError."""
    from tobs.pipeline.watch.status import set_paused
    from tobs.vault.workspace import open_workspace

    set_paused(open_workspace(context.vault, context.home).root, paused=request.paused)
