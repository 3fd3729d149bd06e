"""``tobs backup`` and ``tobs restore``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tobs.app.context import AppContext
from tobs.app.vault import lock_vault
from tobs.errors import UsageError, VaultError

if TYPE_CHECKING:
    from tobs.archive import BackupFacts

_SUFFIX = ".backup"


class Restored(Struct, frozen=True):
    """The backup that was put back, and where the archive is now that was there (empty: there was none). ``remarks``
    are sentences about where the archive lies."""

    backup: BackupFacts
    replaced: str
    remarks: tuple[str, ...] = ()


def back_up(context: AppContext, target: Path | None) -> BackupFacts:
    """A copy of the vault's archive, in ``target`` or among the vault's backups. Runs may go on meanwhile."""
    from tobs.archive import back_up as copy
    from tobs.vault.workspace import make_data_folders, open_workspace

    paths = open_workspace(context.vault, context.home)
    make_data_folders(paths)
    if target is None:
        target = paths.backups / f"archive-{stamp()}{_SUFFIX}"
    elif target.is_dir():
        target = target / f"archive-{stamp()}{_SUFFIX}"
    if target.exists():
        raise UsageError(f"{target} is there already.", "Name a new file, or a folder.")
    return copy(paths.archive, target)


def list_backups(context: AppContext) -> list[BackupFacts]:
    """The backups of the vault, newest first; damaged ones are left out."""
    from tobs.archive import inspect_backup
    from tobs.vault.workspace import open_workspace

    found = []
    for path in sorted(open_workspace(context.vault, context.home).backups.glob(f"*{_SUFFIX}"), reverse=True):
        try:
            found.append(inspect_backup(path))
        except VaultError:
            continue
    return found


async def restore(context: AppContext, source: Path | None) -> Restored:
    """Put ``source`` (or the newest backup) in the place of the archive, which is kept among the backups."""
    from tobs.archive import inspect_backup, put_back
    from tobs.vault.workspace import open_workspace

    root = open_workspace(context.vault, context.home).root
    remarks: list[str] = []
    async with lock_vault(context, root, remark=remarks.append) as paths:
        if source is None:
            backups = list_backups(context)
            if not backups:
                raise VaultError(f"There is no backup in {paths.backups}.", "Name the file to restore.")
            source = Path(backups[0].path)
        facts = inspect_backup(source)
        aside = paths.backups / f"archive-{stamp()}.replaced"
        replaced = put_back(source, paths.archive, aside)
    return Restored(facts, str(aside) if replaced else "", tuple(remarks))


def stamp() -> str:
    """The moment as it stands in a file's name; to the microsecond, so that two are never one."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z"
