"""``tobs vault``: where the files of a vault lie, and the move of its archive."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from msgspec import Struct

from tobs.app.backup import stamp
from tobs.app.context import AppContext
from tobs.app.events import Events
from tobs.app.vault import lock_vault
from tobs.config.vault_paths import VaultPaths, paths_at
from tobs.errors import VaultUnwritable
from tobs.model.requests import ArchivePlace, MoveArchiveRequest, VaultPathsRequest


class ShownPaths(Struct, frozen=True):
    """Paths of a vault as `tobs vault paths` prints them. ``place`` of the archive is ``vault`` or ``home``;
    ``synced_by`` names the service that syncs the vault's folder, empty where none is detected."""

    id: str
    place: ArchivePlace
    synced_by: str
    vault: str
    config: str
    templates: str
    plugins: str
    logs: str
    reports: str
    lock: str
    archive: str
    backups: str
    staging: str


class MovedArchive(Struct, frozen=True):
    """An archive at its place. ``moved``: it was elsewhere before; ``replaced``: where another archive is now that lay
    at the new place (empty: none); ``leftover``: the old copy where it could not be removed yet (empty: it is gone)."""

    archive: str
    place: ArchivePlace
    moved: bool
    replaced: str = ""
    leftover: str = ""


async def vault_paths(request: VaultPathsRequest, context: AppContext, events: Events) -> ShownPaths:
    """Return the paths of an existing vault. Raises VaultError."""
    from tobs.vault.cloud_folders import sync_service
    from tobs.vault.workspace import open_workspace

    paths = open_workspace(await asyncio.to_thread(context.vault.resolve), context.home)
    return ShownPaths(
        id=paths.id,
        place=paths.place,
        synced_by=sync_service(paths.root),
        vault=str(paths.root),
        config=str(paths.config),
        templates=str(paths.templates),
        plugins=str(paths.plugins),
        logs=str(paths.logs),
        reports=str(paths.reports),
        lock=str(paths.lock),
        archive=str(paths.archive),
        backups=str(paths.backups),
        staging=str(paths.staging),
    )


async def move_archive(request: MoveArchiveRequest, context: AppContext, events: Events) -> MovedArchive:
    """Move the archive, its backups and unfinished downloads to the requested place, and record that place.

    The new copy is on the disk and checked before the old one is removed; a crash leaves one of them in force and the
    next run removes the other. Raises VaultError for a damaged archive, VaultLocked, VaultUnwritable.
    """
    from tobs.vault.archive_place import claim_data, read_identity, record_place, remove_leftover
    from tobs.vault.workspace import open_workspace

    to = request.to
    root = open_workspace(context.vault, context.home).root
    # No decision is remarked: the owner makes it here.
    async with lock_vault(context, root, remark=_ignore) as old:
        identity = read_identity(root)
        assert identity is not None  # it was opened, and nobody else may change it now
        new = paths_at(root, old.id, to, context.home)
        if old.place == to or not old.archive.exists():
            record_place(root, identity, to, leftover=identity.leftover if identity.leftover != to else None)
            return MovedArchive(str(new.archive), to, moved=False)
        if to == "home":
            claim_data(new)
        replaced = _copy(old, new)
        record_place(root, identity, to, leftover=old.place)
        is_removed = remove_leftover(root, context.home)
    return MovedArchive(
        str(new.archive), to, moved=True, replaced=replaced, leftover="" if is_removed else str(old.archive)
    )


def _ignore(_remark: str) -> None:
    """Take a remark that needs not be shown."""


def _copy(old: VaultPaths, new: VaultPaths) -> str:
    """Copy the archive and the files beside it, forced to the disk and checked. Returns where another archive that lay
    at the new place is kept, empty if there was none."""
    from tobs.archive import inspect_backup, put_back
    from tobs.vault.archive_place import files_beside
    from tobs.vault.durable import sync_file, sync_folders
    from tobs.vault.workspace import make_data_folders, require_space

    facts, files = inspect_backup(old.archive), files_beside(old)
    make_data_folders(new)
    require_space(new.data, facts.size + sum(file.stat().st_size for file in files))
    aside = new.backups / f"archive-{stamp()}.replaced"
    replaced = put_back(old.archive, new.archive, aside)
    inspect_backup(new.archive)
    try:
        for file in files:
            target = new.data / file.relative_to(old.data)
            if not target.exists():
                part = target.with_name(f"{target.name}.moving")
                shutil.copy2(file, part)
                sync_file(part)
                part.replace(target)
        sync_folders(str(folder) for folder in (new.backups, new.staging, new.data, new.data.parent))
    except OSError as error:
        raise VaultUnwritable(
            f"{error.filename or new.data} cannot be written: {error.strerror}.",
            "The archive stays where it was; make room and try again.",
        ) from error
    return str(aside) if replaced else ""


def describe(moved: MovedArchive) -> list[str]:
    """Say in sentences what a move did."""
    if not moved.moved:
        return [f"The archive's place is {Path(moved.archive)}."]
    lines = [f"The archive is {moved.archive} now."]
    if moved.replaced:
        lines.append(f"Another archive lay there; it is kept as {moved.replaced}.")
    if moved.leftover:
        lines.append(f"The old copy {moved.leftover} is in use by another program; the next run removes it.")
    return lines
