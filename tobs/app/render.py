"""``tobs render``."""

from __future__ import annotations

import time
from zoneinfo import ZoneInfo

from msgspec import Struct

from tobs.app.context import AppContext
from tobs.app.events import Events
from tobs.app.plugins import plugin_functions
from tobs.app.run_config import open_run_config
from tobs.app.vault import load_templates
from tobs.config.home import local_timezone
from tobs.errors import UsageError, VaultError
from tobs.model.report import RunReport
from tobs.model.requests import MessageFilter, RenderRequest, TemplateCheckRequest

LAYOUTS = ("auto", "message", "day", "month")


class TemplateFault(Struct, frozen=True):
    """A fault of a template: a sentence with file and line (0: the whole of it)."""

    template: str
    line: int
    reason: str


class TemplateCheck(Struct, frozen=True):
    """The templates that were checked, and their faults (``items``)."""

    ok: bool
    templates: tuple[str, ...]
    items: tuple[TemplateFault, ...]


async def render(request: RenderRequest, context: AppContext, events: Events) -> RunReport:
    """Render notes from the archive. Raises TobsError for errors that end the run; the report has the others."""
    from tobs.pipeline.commands.render import RenderRun, RenderSelection
    from tobs.pipeline.select.filters import read_filters
    from tobs.vault.workspace import open_workspace

    if request.layout is not None and request.layout not in LAYOUTS:
        raise UsageError(f"--layout {request.layout} is not known.", f"Layouts: {', '.join(LAYOUTS)}.")
    if request.layout is not None and (request.since or request.until):
        raise UsageError("A chat has one layout for all of it.", "Leave out --since and --until.")
    paths = open_workspace(context.vault, context.home)  # makes no vault
    if not paths.archive.exists():
        raise VaultError(f"There is no archive in {context.vault}.", "Run `tobs export` into this vault first.")
    zone = ZoneInfo(context.settings.timezone or local_timezone())
    period = read_filters(MessageFilter(since=request.since, until=request.until), now=time.time(), zone=zone)
    asked = RenderSelection(
        targets=request.targets,
        since=period.since,
        until=period.until,
        layout=request.layout,  # type: ignore[arg-type]  # one of LAYOUTS
        dry=request.dry_run or request.diff,
        diff=request.diff,
        restore=request.restore,
    )
    accepted = request.accept_missing or request.restore
    async with open_run_config(context, "render", request.targets, events=events, accept_missing=accepted) as config:
        return await RenderRun(config, asked).render()


async def check_templates(request: TemplateCheckRequest, context: AppContext, events: Events) -> TemplateCheck:
    """Render every template, those of the vault too, with sample data. Writes nothing."""
    from tobs.render.builtin import builtin_templates
    from tobs.render.samples import check_templates as check

    with plugin_functions(context) as functions:
        broken = check(load_templates(context, context.paths.templates, functions))
    items = tuple(TemplateFault(error.template, error.line, error.message) for error in broken)
    return TemplateCheck(not items, tuple(sorted(builtin_templates())), items)
