"""Execution of requests: one function for the command line, jobs and servers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, overload

from tobs.app.archive_place import MovedArchive, ShownPaths, move_archive, vault_paths
from tobs.app.backup import back_up, list_backups, restore
from tobs.app.context import AppContext
from tobs.app.events import Events
from tobs.app.export import export, plan
from tobs.app.import_export import import_export, plan_import
from tobs.app.process import process
from tobs.app.render import check_templates, render
from tobs.app.sync import sync
from tobs.app.telegram import list_chats
from tobs.app.undo import list_undoable, undo
from tobs.app.verify import verify
from tobs.app.watch import pause_watch, watch, watch_status
from tobs.model import requests

if TYPE_CHECKING:
    from tobs.app.results import (
        BackupFacts,
        ImportPlan,
        Plan,
        RestoredBackup,
        RunReport,
        TemplateCheck,
        UndoableRun,
        Verification,
        WatchStatus,
    )
    from tobs.model import Chat

#: The handler of each type of request. A new request needs a line here and an overload below.
_HANDLERS: Mapping[type[requests.Request], Callable[[Any, AppContext, Events], Awaitable[Any]]] = {
    requests.ExportRequest: export,
    requests.PlanRequest: plan,
    requests.SyncRequest: sync,
    requests.WatchRequest: watch,
    requests.WatchStatusRequest: watch_status,
    requests.WatchPauseRequest: pause_watch,
    requests.ImportRequest: import_export,
    requests.ImportPlanRequest: plan_import,
    requests.RenderRequest: render,
    requests.TemplateCheckRequest: check_templates,
    requests.ProcessRequest: process,
    requests.VerifyRequest: verify,
    requests.UndoRequest: undo,
    requests.UndoListRequest: list_undoable,
    requests.BackupRequest: back_up,
    requests.BackupListRequest: list_backups,
    requests.RestoreRequest: restore,
    requests.VaultPathsRequest: vault_paths,
    requests.MoveArchiveRequest: move_archive,
    requests.ChatsRequest: list_chats,
}


@overload
async def execute(request: requests.RunRequest, context: AppContext, events: Events) -> RunReport: ...
@overload
async def execute(request: requests.PlanRequest, context: AppContext, events: Events) -> Plan: ...
@overload
async def execute(request: requests.WatchRequest, context: AppContext, events: Events) -> None: ...
@overload
async def execute(request: requests.WatchPauseRequest, context: AppContext, events: Events) -> None: ...
@overload
async def execute(request: requests.WatchStatusRequest, context: AppContext, events: Events) -> WatchStatus | None: ...
@overload
async def execute(request: requests.ImportPlanRequest, context: AppContext, events: Events) -> ImportPlan: ...
@overload
async def execute(request: requests.TemplateCheckRequest, context: AppContext, events: Events) -> TemplateCheck: ...
@overload
async def execute(request: requests.VerifyRequest, context: AppContext, events: Events) -> Verification: ...
@overload
async def execute(request: requests.UndoListRequest, context: AppContext, events: Events) -> list[UndoableRun]: ...
@overload
async def execute(request: requests.BackupRequest, context: AppContext, events: Events) -> BackupFacts: ...
@overload
async def execute(request: requests.BackupListRequest, context: AppContext, events: Events) -> list[BackupFacts]: ...
@overload
async def execute(request: requests.RestoreRequest, context: AppContext, events: Events) -> RestoredBackup: ...
@overload
async def execute(request: requests.VaultPathsRequest, context: AppContext, events: Events) -> ShownPaths: ...
@overload
async def execute(request: requests.MoveArchiveRequest, context: AppContext, events: Events) -> MovedArchive: ...
@overload
async def execute(request: requests.ChatsRequest, context: AppContext, events: Events) -> list[Chat]: ...


async def execute(request: requests.Request, context: AppContext, events: Events) -> Any:
    """Execute a request in the vault and for the account of ``context``, and return its result. ``events`` gets what
    happens meanwhile; ``context.prompt`` asks for a passphrase, and for trust in the vault's plugins. Raises TobsError
    for errors that end it, CancelledError when the task is cancelled (state is kept)."""
    return await _HANDLERS[type(request)](request, context, events)
