"""``tobs sync``: what changed since the last run."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from tobs.cli.common import Common, stderr, takes_common
from tobs.cli.export import give_report, tell_warnings
from tobs.cli.progress import show_progress
from tobs.cli.trust_prompt import ask_trust


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sync")(takes_common(sync))


def sync(
    common: Common,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            help="Chats of the vault: @username, id, title or a part of it, me (default: all that were exported).",
            metavar="TARGET...",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what a sync would bring.")] = False,
    counters: Annotated[
        bool,
        typer.Option("--counters", help="Refresh views, reactions and polls of recent messages, and their notes."),
    ] = False,
    fill: Annotated[
        bool,
        typer.Option(
            "--fill",
            help="Fetch what is missing: ids never fetched, what could not be read, edits too long ago.",
        ),
    ] = False,
    accept_deletions: Annotated[
        bool, typer.Option("--accept-deletions", help="Take over that much of a chat was deleted on Telegram.")
    ] = False,
    accept_missing: Annotated[
        bool, typer.Option("--accept-missing", help="Go on though many notes are missing: you deleted them yourself.")
    ] = False,
) -> int:
    """Bring what is new, edited, deleted or pinned since the last run into the vault."""
    from tobs.app.context import open_app_context
    from tobs.app.sync import sync as run

    context = open_app_context(common.settings(counters=counters or None), verbosity=common.verbose)
    tell_warnings(context.warnings)
    ask_trust(common, context)
    report = asyncio.run(
        run(
            context,
            targets or (),
            watch=lambda events: show_progress(events, stderr, quiet=common.quiet),
            accept_missing=accept_missing,
            accept_deletions=accept_deletions,
            dry_run=dry_run,
            fill=fill,
        )
    )
    return give_report(common, report)
