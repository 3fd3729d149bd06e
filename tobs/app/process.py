"""``tobs process``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tobs.app.runs import Watch, run_means
from tobs.app.telegram import telegram_settings
from tobs.app.workplace import Workplace
from tobs.errors import UsageError
from tobs.pipeline.report import RunReport


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
    from tobs.pipeline.process_run import ProcessRun, Work
    from tobs.vault.workspace import open_workspace

    open_workspace(place.vault)  # this makes no vault
    async with run_means(place, "process", targets, watch=watch, accept_missing=accept_missing, strict=strict) as means:
        known = {info.name for info in means.catalogue.plugins}
        if unknown := [name for name in plugins if name not in known]:
            raise UsageError(f"There is no plugin {unknown[0]!r}.", f"There are: {', '.join(sorted(known))}.")
        work = Work(tuple(targets), tuple(plugins), force=force, offline=offline)
        return await ProcessRun(means, partial(telegram_settings, place)).process(work)
