"""``tobs undo``: notes as they were before a run."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from tobs.cli.common import Common, give, stderr, stdout, takes_common
from tobs.cli.export import give_report
from tobs.cli.output import show_table
from tobs.cli.progress import show_progress
from tobs.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("undo")(takes_common(undo))


def undo(
    common: Common,
    run: Annotated[
        str | None, typer.Argument(help="The run's id (in its report), or last.", metavar="RUN", show_default=False)
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show the runs that can be undone.")] = False,
    accept_missing: Annotated[
        bool, typer.Option("--accept-missing", help="Many missing notes were deleted on purpose: leave them deleted.")
    ] = False,
) -> int:
    """Put back the notes a run changed; what you wrote since stays. What it fetched stays in the archive."""
    from tobs.app import undo as undoing
    from tobs.app.context import open_app_context
    from tobs.model.report import iso_time

    context = open_app_context(common.settings(), verbosity=common.verbose)
    if list_:
        found = undoing.undoable(context)
        rows = [(one.id, one.command, iso_time(one.started), one.changed, one.made) for one in found]
        columns = ("run", "command", "started", "changed", "made")
        give(common, {"items": found}, lambda: show_table(stdout, columns, rows))
        return 0
    if run is None:
        raise UsageError("There is no run to undo.", "Name one, or last; `tobs undo --list` shows them.")
    report = asyncio.run(
        undoing.undo(
            context,
            run,
            watch=lambda events: show_progress(events, stderr, quiet=common.quiet),
            accept_missing=accept_missing,
        )
    )
    return give_report(common, report)
