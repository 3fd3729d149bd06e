"""``tobs backup`` and ``tobs restore``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tobs.app.context import AppContext
from tobs.app.events import Events
from tobs.app.threads import in_thread
from tobs.app.vault import lock_vault
from tobs.errors import UsageError, VaultError
from tobs.model.requests import BackupListRequest, BackupRequest, RestoreRequest

if TYPE_CHECKING:
    from tobs.archive import BackupFacts

_SUFFIX = ".backup"


class RestoredBackup(Struct, frozen=True):
    """The backup that is the archive now, and the path of the archive before it (empty: there was none)."""

    backup: BackupFacts
    replaced: str
    remarks: tuple[str, ...] = ()


async def back_up(request: BackupRequest, context: AppContext, events: Events) -> BackupFacts:
    """Copy the vault's archive to the target, or into the vault's backups; runs may go on meanwhile. Raises UsageError,
    VaultError."""
    from tobs.archive import back_up as copy
    from tobs.archive.backups import discard_part
    from tobs.vault.workspace import make_data_folders, open_workspace

    paths = open_workspace(context.vault, context.home)
    make_data_folders(paths)
    target = Path(request.target)
    if not request.target:
        target = paths.backups / f"archive-{stamp()}{_SUFFIX}"
    elif target.is_dir():
        target = target / f"archive-{stamp()}{_SUFFIX}"
    if target.exists():
        raise UsageError(f"{target} is there already.", "Name a new file, or a folder.")
    try:
        return await in_thread(lambda: copy(paths.archive, target))
    except asyncio.CancelledError:
        discard_part(target)  # the thread ends with the process, wherever it is
        raise


async def list_backups(request: BackupListRequest, context: AppContext, events: Events) -> list[BackupFacts]:
    """List the backups of the vault, newest first, without damaged ones."""
    return _backups(context)


def _backups(context: AppContext) -> list[BackupFacts]:
    from tobs.archive import inspect_backup
    from tobs.vault.workspace import open_workspace

    found = []
    for path in sorted(open_workspace(context.vault, context.home).backups.glob(f"*{_SUFFIX}"), reverse=True):
        try:
            found.append(inspect_backup(path))
        except VaultError:
            continue
    return found


async def restore(request: RestoreRequest, context: AppContext, events: Events) -> RestoredBackup:
    """Replace the archive by a backup; the archive before it is stored among the backups. Raises VaultError."""
    from tobs.archive import inspect_backup, put_back
    from tobs.vault.workspace import open_workspace

    root = open_workspace(context.vault, context.home).root
    remarks: list[str] = []
    async with lock_vault(context, root, remark=remarks.append) as paths:
        source = Path(request.source)
        if not request.source:
            backups = _backups(context)
            if not backups:
                raise VaultError(f"There is no backup in {paths.backups}.", "Name the file to restore.")
            source = Path(backups[0].path)
        facts = inspect_backup(source)
        aside = paths.backups / f"archive-{stamp()}.replaced"
        replaced = put_back(source, paths.archive, aside)
    return RestoredBackup(facts, str(aside) if replaced else "", tuple(remarks))


def stamp() -> str:
    """The time for a file's name; with microseconds, so that no two files have the same name."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z"
