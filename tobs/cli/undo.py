"""``tobs undo``: notes as they were before a run."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from tobs.cli import options
from tobs.cli.common import Common, give, stdout, takes_common
from tobs.cli.export import run_and_give
from tobs.cli.output import show_table
from tobs.errors import UsageError
from tobs.model.requests import UndoListRequest, UndoRequest


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("undo")(takes_common(undo))


def undo(
    common: Common,
    run: Annotated[
        str | None, typer.Argument(help="The run's id (in its report), or last.", metavar="RUN", show_default=False)
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show the runs that can be undone.")] = False,
    accept_missing: options.AcceptMissing = False,
) -> int:
    """Undo the changes of a run to notes; what you wrote since stays. What it fetched stays in the archive."""
    if list_:
        return _list(common)
    if run is None:
        raise UsageError("There is no run to undo.", "Name one, or last; `tobs undo --list` shows them.")
    return run_and_give(common, UndoRequest(run=run, accept_missing=accept_missing))


def _list(common: Common) -> int:
    from tobs.app.execute import execute
    from tobs.model.report import iso_time

    found = asyncio.run(execute(UndoListRequest(), common.open(), common.events))
    rows = [(one.id, one.command, iso_time(one.started), one.changed, one.made) for one in found]
    columns = ("run", "command", "started", "changed", "made")
    give(common, {"items": found}, lambda: show_table(stdout, columns, rows))
    return 0
