"""``tobs render``: notes again from the archive, offline."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from tobs.cli.common import Common, give, stderr, stdout, takes_common
from tobs.cli.export import give_report, tell_warnings
from tobs.cli.progress import show_progress
from tobs.errors import TemplateBroken, UsageError
from tobs.model.report import RunReport


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("render")(takes_common(render))


def render(
    common: Common,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            help="Chats of the vault: @username, id, title or a part of it, t.me link, me (default: all).",
            metavar="TARGET...",
            show_default=False,
        ),
    ] = None,
    layout: Annotated[
        str | None, typer.Option(help="Lay the chats out anew: auto, message, day or month.", metavar="LAYOUT")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only notes of messages from then on: 2024-01-31 or 7d.", metavar="WHEN")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Only notes of messages up to then; a date is meant to its end.", metavar="WHEN")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change; write nothing.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what would change; write nothing.")] = False,
    template_check: Annotated[
        bool, typer.Option("--template-check", help="Try every template with sample data; nothing else.")
    ] = False,
    restore: Annotated[
        bool, typer.Option("--restore", help="Bring back notes that you deleted; files are fetched by tobs process.")
    ] = False,
    accept_missing: Annotated[
        bool, typer.Option("--accept-missing", help="Go on though many notes are missing: you deleted them yourself.")
    ] = False,
) -> int:
    """Make notes again from the archive: after a change of templates, settings or layout. Needs no Telegram."""
    from tobs.app.context import open_app_context
    from tobs.app.render import RenderCommand
    from tobs.app.render import render as run_render

    context = open_app_context(common.settings(), verbosity=common.verbose)
    tell_warnings(context.warnings)
    command = RenderCommand(layout=layout, since=since, until=until, dry=dry_run, diff=diff, restore=restore)
    if template_check:
        if targets or command != RenderCommand():
            raise UsageError("--template-check stands alone.", "Leave out targets and other options.")
        return _check(common)
    report = asyncio.run(
        run_render(
            context,
            targets or (),
            command,
            watch=lambda events: show_progress(events, stderr, quiet=common.quiet),
            accept_missing=accept_missing,
        )
    )
    if not common.json and not common.quiet:
        _show(report)
    return give_report(common, report)


def _check(common: Common) -> int:
    """Try the templates; the exit code of a broken one is that of every command that meets it."""
    from tobs.app.context import open_app_context
    from tobs.app.render import check

    found = check(open_app_context(common.settings(), verbosity=common.verbose))

    def show() -> None:
        for item in found.items:
            stdout.print(f"[red]broken:[/] {item.reason}", soft_wrap=True)
        if found.ok:
            stdout.print(f"{len(found.templates)} templates are right.")

    give(common, found, show)
    return 0 if found.ok else TemplateBroken.exit_code


def _show(report: RunReport) -> None:
    """What a rehearsal would do, and what became of layouts and of the owner's words."""
    told = report.rendering
    if told is None:
        return
    for change in told.changes or ():
        if change.diff:
            stdout.print(change.diff, markup=False, soft_wrap=True, end="")
        else:
            stdout.print(f"{change.outcome:9} {change.note}", markup=False, soft_wrap=True)
    if told.changes is not None:
        count = len(told.changes)
        would = f"{count:,} file{'s' if count > 1 else ''} would change" if count else "Nothing would change"
        stdout.print(f"{would}; this was a rehearsal.")
    for relaid in told.layouts:
        stdout.print(f"{relaid.chat}: layout {relaid.layout}, {relaid.notes:,} notes before", markup=False)
    for kept in told.kept:
        stdout.print(f"yours is kept: {kept.note} in {kept.beside}", markup=False, soft_wrap=True)
    if told.relinked:
        where = "1 file" if told.relinked == 1 else f"{told.relinked:,} files"
        stdout.print(f"links brought up to date in {where} of yours", markup=False)
