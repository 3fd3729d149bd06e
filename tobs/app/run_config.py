"""What every run is given: a vault that is locked, the plugins, a report, and somebody who watches."""

from __future__ import annotations

import gc
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tobs.app.context import AppContext
from tobs.app.plugins import load_catalogue
from tobs.app.vault import open_vault, vault_zone
from tobs.config.home import environment
from tobs.model.events import RemarkMade
from tobs.pipeline.context.events import RunEvents
from tobs.pipeline.context.report import start_report

if TYPE_CHECKING:
    from tobs.pipeline.session.run_session import RunConfig

#: Shows a run's progress while it is open.
Watch = Callable[[RunEvents], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def open_run_config(
    context: AppContext,
    command: str,
    targets: Sequence[str],
    *,
    watch: Watch,
    accept_missing: bool = False,
    strict: bool = False,
    media_later: bool = False,
) -> AsyncIterator[RunConfig]:
    """The means of a run of ``command``; ``targets`` as the report names them. Raises VaultError, TemplateBroken,
    ConfigError."""
    from tobs.pipeline.session.run_session import RunConfig
    from tobs.plugin.functions import gather_functions

    # Pages make much garbage and no cycles; see tobs.pipeline.notes.render_worker.
    gc.set_threshold(50_000)
    report = start_report(new_run_id(time.time()), command, list(targets), time.time)
    with tempfile.TemporaryDirectory(prefix="tobs-plugins-") as private:
        catalogue = load_catalogue(context, context.paths.plugins, Path(private))
        functions = gather_functions(catalogue.having("template_functions"))

        def remark(text: str) -> None:
            report.events.emit(RemarkMade(text))

        async with open_vault(context, functions, remark=remark) as (paths, templates):
            config = RunConfig(
                settings=context.settings,
                profile=context.profile,
                machine=context.machine,
                workspace=paths,
                templates=templates,
                zone=vault_zone(context, paths),
                catalogue=catalogue,
                functions=functions,
                post_render_plugins=catalogue.having("post_render"),
                environment=environment(),
                report=report,
                accept_missing=accept_missing,
                strict=strict,
                media_later=media_later,
            )
            async with watch(report.events):
                yield config


def new_run_id(now: float) -> str:
    """Runs sort by their start."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
