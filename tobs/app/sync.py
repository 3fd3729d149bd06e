"""``tobs sync``."""

from __future__ import annotations

import time

from tobs.app.context import AppContext, with_settings
from tobs.app.events import Events
from tobs.app.plugins import ask_trust
from tobs.app.run_config import open_run_config
from tobs.app.telegram import telegram_settings
from tobs.model.report import RunReport
from tobs.model.requests import SyncRequest
from tobs.pipeline.context.report import start_report


async def sync(request: SyncRequest, context: AppContext, events: Events) -> RunReport:
    """Apply the changes since the last run; a dry run only counts them. Raises TobsError for errors that end the run;
    the report has the others."""
    from tobs.pipeline.sync.run import SyncRun
    from tobs.vault.workspace import open_workspace

    context = with_settings(context, counters=request.counters or None)
    ask_trust(context)
    open_workspace(context.vault, context.home)  # a sync makes no vault
    settings = telegram_settings(context)
    if request.dry_run:
        from tobs.pipeline.sync.preview import preview_sync

        report = start_report("dry-run", "sync", list(request.targets), time.time)
        return await preview_sync(context.paths.archive, settings, request.targets, report)
    async with open_run_config(
        context, "sync", request.targets, events=events, accept_missing=request.accept_missing
    ) as config:
        run = SyncRun(config, settings, request.accept_deletions, context.settings.counters, request.fill)
        return await run.sync(request.targets)
