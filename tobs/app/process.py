"""``tobs process``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tobs.app.context import Workplace
from tobs.app.plugins import find_plugin
from tobs.app.run_config import Watch, run_means
from tobs.app.telegram import telegram_settings
from tobs.errors import UsageError
from tobs.pipeline.context.report import RunReport
from tobs.plugin.catalogue import Catalogue


async def process(
    place: Workplace,
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

    open_workspace(place.vault)  # this makes no vault
    async with run_means(place, "process", targets, watch=watch, accept_missing=accept_missing, strict=strict) as means:
        for name in plugins:
            require_running(means.catalogue, name)
        work = Work(tuple(targets), tuple(plugins), force=force, offline=offline)
        return await ProcessRun(means, partial(telegram_settings, place)).process(work)


def require_running(catalogue: Catalogue, name: str) -> None:
    """Raises UsageError for a plugin that is not there, or that does not run: it was asked for by its name."""
    info = find_plugin(catalogue.plugins, name)
    if info.state != "ready":
        raise UsageError(f"The plugin {name} does not run ({info.state}): {info.reason}.")
