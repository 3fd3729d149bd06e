"""``tobs process``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from tobs.app.context import AppContext, with_settings
from tobs.app.events import Events
from tobs.app.plugins import ask_trust, find_plugin
from tobs.app.run_config import open_run_config
from tobs.app.telegram import telegram_settings
from tobs.errors import UsageError
from tobs.model.report import RunReport
from tobs.model.requests import ProcessRequest

if TYPE_CHECKING:
    from tobs.plugin.catalogue import Catalogue


async def process(request: ProcessRequest, context: AppContext, events: Events) -> RunReport:
    """Run plugins on archived chats, and fetch files that failed or are still wanted. Raises TobsError for errors that
    end the run; the report has the others."""
    from tobs.pipeline.commands.process import ProcessRun
    from tobs.vault.workspace import open_workspace

    context = with_settings(context, **msgspec.structs.asdict(request.fetch))
    ask_trust(context)
    open_workspace(context.vault, context.home)  # this makes no vault
    async with open_run_config(
        context,
        "process",
        request.targets,
        events=events,
        accept_missing=request.accept_missing,
        strict=request.strict,
    ) as config:
        for name in request.plugins:
            _require_running(config.catalogue, name)
        return await ProcessRun(config, partial(telegram_settings, context)).process(request)


def _require_running(catalogue: Catalogue, name: str) -> None:
    """Raise UsageError for a plugin that does not exist or does not run: the request names it."""
    info = find_plugin(catalogue.plugins, name)
    if info.state != "ready":
        raise UsageError(f"The plugin {name} does not run ({info.state}): {info.reason}.")
