"""``tobs render``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from msgspec import Struct

from tobs.app.context import AppContext
from tobs.app.plugins import plugin_functions
from tobs.app.run_config import Watch, open_run_config
from tobs.app.vault import load_templates
from tobs.config.home import local_timezone
from tobs.errors import UsageError, VaultError
from tobs.model.report import RunReport

LAYOUTS = ("auto", "message", "day", "month")


class RenderCommand(Struct, frozen=True):
    """What is to be made again and how, as the command line has it."""

    layout: str | None = None
    since: str | None = None
    until: str | None = None
    dry: bool = False
    diff: bool = False
    restore: bool = False


class TemplateFault(Struct, frozen=True):
    """What is wrong with a template: a sentence with file and line (0: the whole of it)."""

    template: str
    line: int
    reason: str


class TemplateCheck(Struct, frozen=True):
    """The templates that were tried, and what is wrong with some (``items``)."""

    ok: bool
    templates: tuple[str, ...]
    items: tuple[TemplateFault, ...]


async def render(
    context: AppContext, targets: Sequence[str], command: RenderCommand, *, watch: Watch, accept_missing: bool = False
) -> RunReport:
    """Make notes again from the archive. Raises TobsError for what ends a run; the rest is in the report."""
    from tobs.pipeline.commands.render import RenderRun, RenderSelection
    from tobs.pipeline.select.filters import FilterOptions, read_filters
    from tobs.vault.workspace import open_workspace

    if command.layout is not None and command.layout not in LAYOUTS:
        raise UsageError(f"--layout {command.layout} is not known.", f"Layouts: {', '.join(LAYOUTS)}.")
    if command.layout is not None and (command.since or command.until):
        raise UsageError("A chat has one layout for all of it.", "Leave out --since and --until.")
    workspace = open_workspace(context.vault, context.home)  # makes no vault
    if not workspace.archive.exists():
        raise VaultError(f"There is no archive in {context.vault}.", "Run `tobs export` into this vault first.")
    zone = ZoneInfo(context.settings.timezone or local_timezone())
    period = read_filters(FilterOptions(since=command.since, until=command.until), now=time.time(), zone=zone)
    asked = RenderSelection(
        targets=tuple(targets),
        since=period.since,
        until=period.until,
        layout=command.layout,  # type: ignore[arg-type]  # one of LAYOUTS
        dry=command.dry or command.diff,
        diff=command.diff,
        restore=command.restore,
    )
    accepted = accept_missing or command.restore
    async with open_run_config(context, "render", targets, watch=watch, accept_missing=accepted) as config:
        return await RenderRun(config, asked).render()


def check(context: AppContext) -> TemplateCheck:
    """Render every template with sample data; those of the vault where there is one. Writes nothing."""
    from tobs.render.builtin import builtin_templates
    from tobs.render.samples import check_templates

    with plugin_functions(context) as functions:
        broken = check_templates(load_templates(context, context.paths.templates, functions))
    items = tuple(TemplateFault(error.template, error.line, error.message) for error in broken)
    return TemplateCheck(not items, tuple(sorted(builtin_templates())), items)
