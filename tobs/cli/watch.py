"""``tobs watch``: a process that keeps a vault up to date."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from tobs.cli import options
from tobs.cli.common import Common, give, stdout, takes_common
from tobs.errors import UsageError
from tobs.model.requests import WatchPauseRequest, WatchRequest, WatchStatusRequest

if TYPE_CHECKING:
    from tobs.app.results import WatchStatus


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch")(takes_common(watch))


def watch(
    common: Common,
    targets: options.SyncedTargets = None,
    every: Annotated[
        str | None,
        typer.Option(help="How often to poll for changes that Telegram does not push, such as 15m.", metavar="TIME"),
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Only show what a running watch does.")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="Let a running watch send nothing to Telegram.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Let a paused watch continue.")] = False,
) -> int:
    """Keep running: changes on Telegram and in the vault are applied immediately. Ends with Ctrl-C or SIGTERM."""
    from tobs.app.execute import execute

    if status + pause + resume > 1:
        raise UsageError("--status, --pause and --resume exclude each other.", "Give one of them.")
    context = common.open(watch_every=every)
    if pause or resume:
        asyncio.run(execute(WatchPauseRequest(paused=pause), context, common.events))
        give(common, {"paused": pause}, lambda: None)
        return 0
    if status:
        return _show_status(common, asyncio.run(execute(WatchStatusRequest(), context, common.events)))
    request = WatchRequest(targets=tuple(targets or ()), every=every)
    with suppress(KeyboardInterrupt):  # the watch has ended in order
        asyncio.run(execute(request, context, common.events_shown(progress=False)))
    give(common, {"state": "stopped"}, lambda: None)
    return 0


def _show_status(common: Common, found: WatchStatus | None) -> int:
    if found is None:
        give(common, {"state": "not running"}, lambda: stdout.print("No watch is running on this vault."))
        return 1

    def show() -> None:
        stdout.print(f"{found.state}: {found.chats} chats, process {found.pid}, since {found.started}")
        stdout.print(f"last poll {found.last_look or '-'}, next {found.next_look or '-'}")
        stdout.print(f"messages: {found.new} new, {found.edited} edited, {found.deleted} deleted; notes: {found.notes}")
        for problem in found.problems:
            stdout.print(f"! {problem}", markup=False)

    give(common, found, show)
    return 0
