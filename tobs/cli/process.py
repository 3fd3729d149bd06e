"""``tobs process``: plugins at work on what the vault has."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from tobs.cli import fetch_options
from tobs.cli.common import Common, stderr, takes_common
from tobs.cli.export import give_report, tell_warnings
from tobs.cli.progress import show_progress
from tobs.cli.trust_prompt import ask_trust


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("process")(takes_common(process))


def process(
    common: Common,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            help="Chats of the vault: @username, id, part of a title (default: all).",
            metavar="TARGET...",
            show_default=False,
        ),
    ] = None,
    plugin: Annotated[
        list[str] | None, typer.Option(help="Only this plugin works. Repeatable.", metavar="NAME")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Find out again what is known already.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing from Telegram.")] = False,
    media_budget: fetch_options.MediaBudget = None,
    bandwidth: fetch_options.Bandwidth = None,
    strict: Annotated[bool, typer.Option("--strict", help="End the run when a plugin fails.")] = False,
    accept_missing: Annotated[
        bool, typer.Option("--accept-missing", help="Many missing notes were deleted on purpose: leave them deleted.")
    ] = False,
) -> int:
    """Let plugins work on what the vault has: new ones, changed ones, and what failed. Files that failed or are still
    wanted are fetched; without any, Telegram is not needed."""
    from tobs.app.context import open_app_context
    from tobs.app.process import process as process_vault

    context = open_app_context(
        common.settings(media_budget=media_budget, bandwidth=bandwidth), verbosity=common.verbose
    )
    tell_warnings(context.warnings)
    ask_trust(common, context)
    report = asyncio.run(
        process_vault(
            context,
            targets or [],
            watch=lambda events: show_progress(events, stderr, quiet=common.quiet),
            plugins=plugin or (),
            force=force,
            offline=offline,
            strict=strict,
            accept_missing=accept_missing,
        )
    )
    return give_report(common, report)
