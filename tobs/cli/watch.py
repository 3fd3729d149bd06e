"""``tobs watch``: one process that keeps a vault live."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from tobs.cli.common import Common, give, stderr, stdout, takes_common
from tobs.cli.export import tell_warnings
from tobs.cli.trust_prompt import ask_trust
from tobs.errors import UsageError

if TYPE_CHECKING:
    from tobs.app.context import AppContext


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("watch")(takes_common(watch))


def watch(
    common: Common,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            help="Chats of the vault: @username, id, title or a part of it, me (default: all that were exported).",
            metavar="TARGET...",
            show_default=False,
        ),
    ] = None,
    every: Annotated[
        str | None, typer.Option(help="How often to look for what nobody pushes, such as 15m.", metavar="TIME")
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Only tell what a running watch does.")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="Have a running watch leave Telegram alone.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Have a paused watch go on.")] = False,
) -> int:
    """Stay on: what happens on Telegram and in the vault is taken up at once. Ends with Ctrl-C or SIGTERM."""
    from tobs.app.context import open_app_context
    from tobs.app.watch import pause_watch
    from tobs.app.watch import watch as run

    if status + pause + resume > 1:
        raise UsageError("--status, --pause and --resume exclude each other.", "Give one of them.")
    given = common.settings(watch_every=every)
    context = open_app_context(given, verbosity=common.verbose)
    tell_warnings(context.warnings)
    if pause or resume:
        pause_watch(context, paused=pause)
        return 0
    if status:
        return _tell_status(common, context)
    ask_trust(common, context)
    from tobs.cli.progress import show_progress

    asyncio.run(
        run(
            lambda: open_app_context(given, verbosity=None),
            targets or (),
            shown=lambda events: show_progress(events, stderr, quiet=True),
        )
    )
    return 0


def _tell_status(common: Common, context: AppContext) -> int:
    from tobs.app.watch import watch_status

    found = watch_status(context)
    if found is None:
        give(common, {"state": "not running"}, lambda: stdout.print("No watch is running on this vault."))
        return 1

    def show() -> None:
        stdout.print(f"{found.state}: {found.chats} chats, process {found.pid}, since {found.started}")
        stdout.print(f"last look {found.last_look or '-'}, next {found.next_look or '-'}")
        stdout.print(f"messages: {found.new} new, {found.edited} edited, {found.deleted} deleted; notes: {found.notes}")
        for problem in found.problems:
            stdout.print(f"! {problem}", markup=False)

    give(common, found, show)
    return 0
