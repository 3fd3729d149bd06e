"""``tobs render``: notes from the archive, offline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from msgspec import Struct
from rich.markup import escape

from tobs.cli import options
from tobs.cli.common import Common, give, stdout, takes_common
from tobs.cli.export import give_report
from tobs.cli.invocation import error_document
from tobs.errors import TemplateBroken, UsageError
from tobs.model.requests import RenderRequest, TemplateCheckRequest

if TYPE_CHECKING:
    from tobs.model.report import RunReport


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("render")(takes_common(render))


class RenderGroup(Struct, frozen=True):
    """Options of the command."""

    layout: Annotated[
        str | None, typer.Option(help="Give the chats another layout: auto, message, day or month.", metavar="LAYOUT")
    ] = None
    since: Annotated[
        str | None, typer.Option(help="Only notes of messages since then: 2024-01-31 or 7d.", metavar="WHEN")
    ] = None
    until: Annotated[
        str | None,
        typer.Option(help="Only notes of messages until then; the whole day of a date is included.", metavar="WHEN"),
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")] = False
    diff: Annotated[bool, typer.Option("--diff", help="Show the differences; write nothing.")] = False
    template_check: Annotated[
        bool, typer.Option("--template-check", help="Try every template with sample data; nothing else.")
    ] = False
    restore: Annotated[
        bool,
        typer.Option("--restore", help="Write notes again that you deleted; files are fetched by tobs process."),
    ] = False
    accept_missing: options.AcceptMissing = False


def render(common: Common, own: RenderGroup, targets: options.ArchivedTargets = None) -> int:
    """Render the notes again from the archive: after a change of templates, settings or layout. Needs no Telegram."""
    from tobs.app.execute import execute

    request = RenderRequest(
        targets=tuple(targets or ()),
        layout=own.layout,
        since=own.since,
        until=own.until,
        dry_run=own.dry_run,
        diff=own.diff,
        restore=own.restore,
        accept_missing=own.accept_missing,
    )
    if own.template_check:
        if msgspec.structs.replace(request, accept_missing=False) != RenderRequest():
            raise UsageError("--template-check stands alone.", "Leave out targets and other options.")
        return _check(common)
    report = asyncio.run(execute(request, common.open(), common.events))
    if not common.json and not common.quiet:
        _show(report)
    return give_report(common, report)


def _check(common: Common) -> int:
    """Check the templates; the exit code of a broken one is that of every command that meets it."""
    from tobs.app.execute import execute

    found = asyncio.run(execute(TemplateCheckRequest(), common.open(), common.events))

    def show() -> None:
        for item in found.items:
            stdout.print(f"[red]broken:[/] {escape(item.reason)}", soft_wrap=True)
        if found.ok:
            stdout.print(f"{len(found.templates)} templates OK.")

    result = msgspec.to_builtins(found)
    if not found.ok:
        broken = TemplateBroken(f"{len(found.items)} of the templates are broken.", found.items[0].reason)
        result["error"] = error_document(broken)
    give(common, result, show)
    return 0 if found.ok else TemplateBroken.exit_code


def _show(report: RunReport) -> None:
    """Show what a dry run would do, new layouts, and text of the owner that was stored beside the notes."""
    rendering = report.rendering
    if rendering is None:
        return
    for change in rendering.changes or ():
        if change.diff:
            stdout.print(change.diff, markup=False, soft_wrap=True, end="")
        else:
            stdout.print(f"{change.outcome:9} {change.note}", markup=False, soft_wrap=True)
    if rendering.changes is not None:
        count = len(rendering.changes)
        would = f"{count:,} file{'s' if count > 1 else ''} would change" if count else "Nothing would change"
        stdout.print(f"{would}; this was a dry run.")
    for relaid in rendering.layouts:
        stdout.print(f"{relaid.chat}: layout {relaid.layout}, {relaid.notes:,} notes before", markup=False)
    for kept in rendering.kept:
        stdout.print(f"your text of {kept.note} is in {kept.beside}", markup=False, soft_wrap=True)
    if rendering.relinked:
        where = "1 file" if rendering.relinked == 1 else f"{rendering.relinked:,} files"
        stdout.print(f"links updated in {where} of yours", markup=False)
