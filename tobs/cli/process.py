"""``tobs process``: plugins on files and messages already in the vault."""

from __future__ import annotations

from typing import Annotated

import typer
from msgspec import Struct

from tobs.cli import options
from tobs.cli.common import Common, takes_common
from tobs.cli.export import run_and_give
from tobs.model.requests import FetchOptions, ProcessRequest


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("process")(takes_common(process))


class ProcessGroup(Struct, frozen=True):
    """Options of the command."""

    plugin: Annotated[list[str] | None, typer.Option(help="Run only this plugin. Repeatable.", metavar="NAME")] = None
    force: Annotated[bool, typer.Option("--force", help="Process again what has a result already.")] = False
    offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing from Telegram.")] = False
    media_budget: options.MediaBudget = None
    bandwidth: options.Bandwidth = None
    strict: options.Strict = False
    accept_missing: options.AcceptMissing = False


def process(common: Common, own: ProcessGroup, targets: options.ArchivedTargets = None) -> int:
    """Run plugins on files and messages already in the vault: new and changed plugins, and those that failed. Files
    that failed or are still wanted are fetched; if there are none, Telegram is not needed."""
    request = ProcessRequest(
        targets=tuple(targets or ()),
        plugins=tuple(own.plugin or ()),
        force=own.force,
        offline=own.offline,
        fetch=FetchOptions(media_budget=own.media_budget, bandwidth=own.bandwidth),
        strict=own.strict,
        accept_missing=own.accept_missing,
    )
    return run_and_give(common, request)
