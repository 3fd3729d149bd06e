"""``tobs sync``."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tobs.app.context import AppContext
from tobs.app.run_config import Watch, open_run_config
from tobs.app.telegram import telegram_settings
from tobs.model.report import RunReport
from tobs.pipeline.context.report import start_report


async def sync(
    context: AppContext,
    targets: Sequence[str],
    *,
    watch: Watch,
    accept_missing: bool = False,
    accept_deletions: bool = False,
    dry_run: bool = False,
    fill: bool = False,
) -> RunReport:
    """Bring what changed since the last run; with ``dry_run`` only tell what that is. Raises TobsError for what ends a
    run; the rest is in the report."""
    from tobs.pipeline.sync.run import SyncRun
    from tobs.vault.workspace import open_workspace

    open_workspace(context.vault, context.home)  # a sync makes no vault
    settings = telegram_settings(context)
    if dry_run:
        from tobs.pipeline.sync.preview import preview_sync

        report = start_report("dry-run", "sync", list(targets), time.time)
        return await preview_sync(context.paths.archive, settings, targets, report)
    async with open_run_config(context, "sync", targets, watch=watch, accept_missing=accept_missing) as config:
        return await SyncRun(config, settings, accept_deletions, context.settings.counters, fill).sync(targets)
