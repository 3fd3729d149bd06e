"""Configuration of every run: a locked vault, the plugins, a report, and the consumers of its events."""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tobs.app.context import AppContext
from tobs.app.events import Events
from tobs.app.plugins import load_catalogue
from tobs.app.vault import open_vault, vault_zone
from tobs.config.home import environment
from tobs.model.events import RemarkMade
from tobs.pipeline.context.report import start_report

if TYPE_CHECKING:
    from tobs.pipeline.session.run_session import RunConfig


@asynccontextmanager
async def open_run_config(
    context: AppContext,
    command: str,
    targets: Sequence[str],
    *,
    events: Events,
    accept_missing: bool = False,
    strict: bool = False,
    media_later: bool = False,
) -> AsyncIterator[RunConfig]:
    """Open the configuration of a run of ``command``; ``targets`` as the report names them. Raises VaultError,
    TemplateBroken, ConfigError."""
    from tobs.pipeline.session.run_session import RunConfig
    from tobs.plugin.functions import gather_functions

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
                paths=paths,
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
            async with events.show(report):
                yield config


def new_run_id(now: float) -> str:
    """A new id of a run; ids sort by their start (``now``, Unix seconds)."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}"
