"""``tobs backup`` and ``tobs restore``."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tobs.app.context import AppContext
from tobs.errors import UsageError, VaultError

if TYPE_CHECKING:
    from tobs.archive import BackupFacts

_SUFFIX = ".backup"


class Restored(Struct, frozen=True):
    """What was put back, and where the archive is now that was there (empty: there was none)."""

    backup: BackupFacts
    replaced: str


def back_up(context: AppContext, target: Path | None) -> BackupFacts:
    """A copy of the vault's archive, in ``target`` or among the vault's backups. Runs may go on meanwhile."""
    from tobs.archive import back_up as copy
    from tobs.vault.workspace import make_folders, open_workspace

    workspace = open_workspace(context.vault)
    make_folders(workspace)
    if target is None:
        target = workspace.backups / f"archive-{_stamp()}{_SUFFIX}"
    elif target.is_dir():
        target = target / f"archive-{_stamp()}{_SUFFIX}"
    if target.exists():
        raise UsageError(f"{target} is there already.", "Name a new file, or a folder.")
    return copy(workspace.archive, target)


def list_backups(context: AppContext) -> list[BackupFacts]:
    """The backups of the vault, newest first; damaged ones are left out."""
    from tobs.archive import inspect_backup
    from tobs.vault.workspace import open_workspace

    found = []
    for path in sorted(open_workspace(context.vault).backups.glob(f"*{_SUFFIX}"), reverse=True):
        try:
            found.append(inspect_backup(path))
        except VaultError:
            continue
    return found


async def restore(context: AppContext, source: Path | None) -> Restored:
    """Put ``source`` (or the newest backup) in the place of the archive, which is kept among the backups."""
    from tobs.archive import inspect_backup, put_back
    from tobs.vault.lock import write_lock
    from tobs.vault.workspace import make_folders, open_workspace

    workspace = open_workspace(context.vault)
    make_folders(workspace)
    if source is None:
        backups = list_backups(context)
        if not backups:
            raise VaultError(f"There is no backup in {workspace.backups}.", "Name the file to restore.")
        source = Path(backups[0].path)
    facts = inspect_backup(source)
    aside = workspace.backups / f"archive-{_stamp()}.replaced"
    async with write_lock(workspace.tobs, clock=time.time, sleep=asyncio.sleep):
        replaced = put_back(source, workspace.archive, aside)
    return Restored(facts, str(aside) if replaced else "")


def _stamp() -> str:
    """The moment as it stands in a file's name; to the microsecond, so that two are never one."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z"
