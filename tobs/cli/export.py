"""``tobs export``: the main job."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from tobs.cli.common import Common, give, stderr, stdout, takes_common
from tobs.cli.progress import shown_progress
from tobs.cli.show import show_report
from tobs.errors import UsageError
from tobs.pipeline.report import RunReport


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(takes_common(export))


def export(
    common: Common,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            help="@username, t.me link, id, part of a title, me, or folder:NAME.",
            metavar="TARGET...",
            show_default=False,
        ),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="How hard to work: conservative, balanced, aggressive or custom.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Client connections that fetch history.")] = None,
    layout: Annotated[str | None, typer.Option(help="Notes of new chats: auto, message, day or month.")] = None,
    media: Annotated[str | None, typer.Option(help="Kinds to download: all, or a list such as photo,audio.")] = None,
    no_media: Annotated[bool, typer.Option("--no-media", help="Download no media.")] = False,
    max_size: Annotated[str | None, typer.Option(help="Largest file to download, such as 50MB.")] = None,
    no_takeout: Annotated[bool, typer.Option("--no-takeout", help="Do not ask for a takeout session.")] = False,
    all_chats: Annotated[bool, typer.Option("--all", help="Every chat of the account, archived ones too.")] = False,
    left: Annotated[bool, typer.Option("--left", help="Channels the account has left, too (needs a takeout).")] = False,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Leave out a chat: @username, id, part of a title, folder:NAME. Repeatable.", metavar="CHAT"),
    ] = None,
    join: Annotated[bool, typer.Option("--join", help="Join the chats of invite links.")] = False,
    since: Annotated[
        str | None, typer.Option(help="Only messages from then on: 2024-01-31, 2024-01-31T18:30 or 7d.", metavar="WHEN")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Only messages up to then; a date is meant to its end.", metavar="WHEN")
    ] = None,
    min_id: Annotated[int | None, typer.Option(help="Only messages from this id on.", metavar="ID")] = None,
    max_id: Annotated[int | None, typer.Option(help="Only messages up to this id.", metavar="ID")] = None,
    limit: Annotated[int | None, typer.Option(help="Only the newest N messages of each chat.", metavar="N")] = None,
    sender: Annotated[
        list[str] | None, typer.Option("--from", help="Only messages of this sender. Repeatable.", metavar="USER")
    ] = None,
    topic: Annotated[
        list[int] | None, typer.Option(help="Only messages of this forum topic. Repeatable.", metavar="ID")
    ] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option("--type", help="Only messages of these types, such as photo,voice,text.", metavar="TYPES"),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help='Only messages for which this holds, such as "views > 100".', metavar="EXPR"),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="End the run when a plugin fails.")] = False,
    accept_missing: Annotated[
        bool, typer.Option("--accept-missing", help="Many missing notes were deleted on purpose: leave them deleted.")
    ] = False,
) -> int:
    """Bring chats into the vault; also picks up where it stopped."""
    if no_media and media is not None:
        raise UsageError("--media and --no-media exclude each other.", "Give one of them.")
    from tobs.app.export import Choice
    from tobs.app.export import export as run_export
    from tobs.app.workplace import open_workplace
    from tobs.pipeline.filters import Asked

    asked = Asked(
        since=since,
        until=until,
        min_id=min_id,
        max_id=max_id,
        limit=limit,
        senders=tuple(sender or ()),
        topics=tuple(topic or ()),
        types=tuple(type_ or ()),
        where=where,
    )
    place = open_workplace(
        common.settings(
            profile=profile,
            workers=workers,
            layout=layout,
            media="none" if no_media else media,
            max_size=max_size,
            takeout=False if no_takeout else None,
        ),
        verbosity=common.verbose,
    )
    tell_warnings(place.warnings)
    report = asyncio.run(
        run_export(
            place,
            targets or ([] if all_chats or left else list(place.settings.targets)),
            watch=lambda reporter: shown_progress(reporter, stderr, quiet=common.quiet),
            accept_missing=accept_missing,
            strict=strict,
            choice=Choice(all=all_chats, left=left, exclude=exclude or (), join=join, asked=asked),
        )
    )
    return give_report(common, report)


def give_report(common: Common, report: RunReport) -> int:
    """Hand the run report out; the exit code it stands for."""
    give(common, report, lambda: show_report(stdout, report))
    return report.exit_code


def tell_warnings(warnings: tuple[str, ...]) -> None:
    """What was ignored in the configuration."""
    for warning in warnings:
        stderr.print(f"[yellow]tobs:[/] {warning}", soft_wrap=True)
