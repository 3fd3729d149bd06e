"""``tobs process``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tobs.app.context import AppContext
from tobs.app.plugins import find_plugin
from tobs.app.run_config import Watch, open_run_config
from tobs.app.telegram import telegram_settings
from tobs.errors import UsageError
from tobs.model.report import RunReport
from tobs.plugin.catalogue import Catalogue


async def process(
    context: AppContext,
    targets: Sequence[str],
    *,
    watch: Watch,
    plugins: Sequence[str] = (),
    force: bool = False,
    offline: bool = False,
    strict: bool = False,
    accept_missing: bool = False,
) -> RunReport:
    """Let plugins work on what the vault has, and fetch what failed or is still wanted. Raises TobsError for what ends
    a run; the rest is in the report."""
    from tobs.pipeline.commands.process import ProcessRun, Work
    from tobs.vault.workspace import open_workspace

    open_workspace(context.vault, context.home)  # this makes no vault
    async with open_run_config(
        context, "process", targets, watch=watch, accept_missing=accept_missing, strict=strict
    ) as config:
        for name in plugins:
            require_running(config.catalogue, name)
        work = Work(tuple(targets), tuple(plugins), force=force, offline=offline)
        return await ProcessRun(config, partial(telegram_settings, context)).process(work)


def require_running(catalogue: Catalogue, name: str) -> None:
    """Raises UsageError for a plugin that is not there, or that does not run: it was asked for by its name."""
    info = find_plugin(catalogue.plugins, name)
    if info.state != "ready":
        raise UsageError(f"The plugin {name} does not run ({info.state}): {info.reason}.")
