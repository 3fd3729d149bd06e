"""``tobs sync``: changes since the last run."""

from __future__ import annotations

from typing import Annotated

import typer

from tobs.cli import options
from tobs.cli.common import Common, takes_common
from tobs.cli.export import run_and_give
from tobs.model.requests import SyncRequest


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sync")(takes_common(sync))


def sync(
    common: Common,
    targets: options.SyncedTargets = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what a sync would fetch.")] = False,
    counters: Annotated[
        bool,
        typer.Option("--counters", help="Refresh views, reactions and polls of recent messages, and their notes."),
    ] = False,
    fill: Annotated[
        bool,
        typer.Option(
            "--fill",
            help="Fetch what is missing: ids never fetched, messages that could not be read, old edits.",
        ),
    ] = False,
    accept_deletions: Annotated[
        bool, typer.Option("--accept-deletions", help="Apply it when much of a chat was deleted on Telegram.")
    ] = False,
    accept_missing: options.AcceptMissing = False,
) -> int:
    """Apply to the vault what is new, edited, deleted or pinned since the last run."""
    request = SyncRequest(
        targets=tuple(targets or ()),
        dry_run=dry_run,
        counters=counters,
        fill=fill,
        accept_deletions=accept_deletions,
        accept_missing=accept_missing,
    )
    return run_and_give(common, request)
