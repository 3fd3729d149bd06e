"""``tobs undo``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tobs.app.context import AppContext
from tobs.app.events import Events
from tobs.app.run_config import open_run_config
from tobs.model.report import RunReport
from tobs.model.requests import UndoListRequest, UndoRequest

if TYPE_CHECKING:
    from tobs.archive import UndoableRun


async def undo(request: UndoRequest, context: AppContext, events: Events) -> RunReport:
    """Undo the changes of a run to notes. Raises UsageError for a run that cannot be undone."""
    from tobs.pipeline.commands.undo import UndoRun
    from tobs.vault.workspace import open_workspace

    open_workspace(context.vault, context.home)  # this makes no vault
    async with open_run_config(
        context, "undo", [request.run], events=events, accept_missing=request.accept_missing
    ) as config:
        return await UndoRun(config).undo(request.run)


async def list_undoable(request: UndoListRequest, context: AppContext, events: Events) -> list[UndoableRun]:
    """List the runs that can be undone, newest first. Raises VaultError."""
    from tobs.archive import open_archive
    from tobs.vault.workspace import open_workspace

    with open_archive(open_workspace(context.vault, context.home).archive, clock=time.time, read_only=True) as archive:
        return archive.replaced.runs()
