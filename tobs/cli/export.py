"""``tobs export``: the main job."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from tobs.cli import fetch_options
from tobs.cli.common import Common, give, stderr, stdout, takes_common
from tobs.cli.output import show_report
from tobs.cli.progress import show_progress
from tobs.cli.trust_prompt import ask_trust
from tobs.errors import UsageError
from tobs.model.report import RunReport


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export")(takes_common(export))


def export(
    common: Common,
    targets: fetch_options.Targets = None,
    profile: fetch_options.Profile = None,
    workers: fetch_options.Workers = None,
    layout: fetch_options.Layout = None,
    media: fetch_options.Media = None,
    no_media: fetch_options.NoMedia = False,
    max_size: fetch_options.MaxSize = None,
    media_later: fetch_options.MediaLater = False,
    media_budget: fetch_options.MediaBudget = None,
    bandwidth: fetch_options.Bandwidth = None,
    no_takeout: fetch_options.NoTakeout = False,
    all_chats: fetch_options.AllChats = False,
    left: fetch_options.Left = False,
    exclude: fetch_options.Exclude = None,
    comments: fetch_options.Comments = None,
    stories: fetch_options.Stories = False,
    join: fetch_options.Join = False,
    since: fetch_options.Since = None,
    until: fetch_options.Until = None,
    min_id: fetch_options.MinId = None,
    max_id: fetch_options.MaxId = None,
    limit: fetch_options.Limit = None,
    sender: fetch_options.Senders = None,
    topic: fetch_options.Topics = None,
    type_: fetch_options.Types = None,
    where: fetch_options.Where = None,
    strict: Annotated[bool, typer.Option("--strict", help="End the run when a plugin fails.")] = False,
    accept_missing: Annotated[
        bool, typer.Option("--accept-missing", help="Many missing notes were deleted on purpose: leave them deleted.")
    ] = False,
) -> int:
    """Bring chats into the vault; also picks up where it stopped."""
    from tobs.app.context import open_app_context
    from tobs.app.export import Choice
    from tobs.app.export import export as run_export

    asked = fetch_options.asked_for(
        since=since,
        until=until,
        min_id=min_id,
        max_id=max_id,
        limit=limit,
        sender=sender,
        topic=topic,
        type_=type_,
        where=where,
    )
    settings = fetch_options.fetch_settings(
        profile=profile,
        workers=workers,
        layout=layout,
        media=media,
        no_media=no_media,
        max_size=max_size,
        no_takeout=no_takeout,
    )
    if no_media and media_later:
        raise UsageError("--media-later and --no-media exclude each other.", "Give one of them.")
    settings |= {"media_budget": media_budget, "bandwidth": bandwidth}
    context = open_app_context(common.settings(**settings), verbosity=common.verbose)
    tell_warnings(context.warnings)
    ask_trust(common, context)
    report = asyncio.run(
        run_export(
            context,
            targets or ([] if all_chats or left else list(context.settings.targets)),
            watch=lambda events: show_progress(events, stderr, quiet=common.quiet),
            accept_missing=accept_missing,
            strict=strict,
            media_later=media_later,
            choice=Choice(
                all=all_chats,
                left=left,
                exclude=exclude or (),
                join=join,
                comments=comments,
                stories=stories,
                asked=asked,
            ),
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
