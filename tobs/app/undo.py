"""``tobs undo``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tobs.app.context import AppContext
from tobs.app.run_config import Watch, open_run_config
from tobs.model.report import RunReport

if TYPE_CHECKING:
    from tobs.archive import UndoableRun


async def undo(context: AppContext, run_id: str, *, watch: Watch, accept_missing: bool = False) -> RunReport:
    """Put back the notes that a run changed. Raises UsageError for a run that cannot be undone."""
    from tobs.pipeline.commands.undo import UndoRun
    from tobs.vault.workspace import open_workspace

    open_workspace(context.vault, context.home)  # this makes no vault
    async with open_run_config(context, "undo", [run_id], watch=watch, accept_missing=accept_missing) as config:
        return await UndoRun(config).undo(run_id)


def undoable(context: AppContext) -> list[UndoableRun]:
    """The runs that can be undone, newest first."""
    from tobs.archive import open_archive
    from tobs.vault.workspace import open_workspace

    with open_archive(open_workspace(context.vault, context.home).archive, clock=time.time, read_only=True) as archive:
        return archive.replaced.runs()
