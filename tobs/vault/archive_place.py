"""Place of a vault's archive: decided once, recorded in `vault.toml`, and never as an absolute path.

An archive lies in the vault. In a cloud-synced folder a new one lies in ``$TOBS_HOME/vaults/<vault id>/`` instead.
An archive that is in such a folder already stays there until its owner moves it (``tobs vault move-archive``).
"""

from __future__ import annotations

import tomllib
from contextlib import suppress
from pathlib import Path
from typing import get_args
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from tobs.config.vault_paths import TOBS, VaultPaths, paths_at
from tobs.errors import VaultError, VaultNewer
from tobs.model.requests import ArchivePlace
from tobs.vault.cloud_folders import sync_service
from tobs.vault.folders import unwritable
from tobs.vault.writer import NoteFile, write_batch

#: Format of a vault's files; a vault with a higher number is not touched.
SCHEMA = 1

#: Files that SQLite keeps beside a database while it is open.
_COMPANIONS = ("", "-wal", "-shm", "-journal")

#: File beside an archive under TOBS_HOME that holds the path of its vault.
_CLAIM = "vault"


class VaultIdentity(Struct, frozen=True):
    """Contents of `vault.toml`. ``archive`` is None until a place was recorded; ``leftover`` is a place from which the
    archive was moved and where the old copy may still lie."""

    id: str
    archive: ArchivePlace | None = None
    leftover: ArchivePlace | None = None


def read_identity(root: Path) -> VaultIdentity | None:
    """Read `vault.toml` of the vault at ``root``; None where there is none. Raises VaultError, VaultNewer."""
    path = root / TOBS / "vault.toml"
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        schema = int(table["schema"])
        # Checked first: the other keys of a newer file are not known here.
        if schema > SCHEMA:
            raise VaultNewer(
                f"The vault {root} was made by a newer tobs (format {schema}, this one knows {SCHEMA}).", "Update tobs."
            )
        return VaultIdentity(str(UUID(table["id"])), _place(table, "archive"), _place(table, "leftover"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise VaultError(f"{path} cannot be read: {error.strerror}.", "Check the permissions of the vault.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise VaultError(
            f"{path} is damaged ({error}).", "Take it from a backup; without it tobs cannot know which vault this is."
        ) from error


def _place(table: dict[str, object], key: str) -> ArchivePlace | None:
    value = table.get(key)
    for place in get_args(ArchivePlace):
        if value == place:
            return place  # type: ignore[no-any-return]  # one of the literals
    if value is not None:
        raise ValueError(f"{key} is {value!r}")
    return None


def vault_paths(root: Path, identity: VaultIdentity, home: Path) -> VaultPaths:
    """Return the paths of a vault. The archive is at the recorded place, else in the vault; an archive that is only at
    the other place is in force: `vault.toml` may have come from another machine, which has an archive of its own."""
    inside, outside = (paths_at(root, identity.id, place, home) for place in get_args(ArchivePlace))
    wanted, other = (outside, inside) if identity.archive == "home" else (inside, outside)
    return other if other.archive.exists() and not wanted.archive.exists() else wanted


def settle_archive(root: Path, home: Path) -> tuple[VaultPaths, str]:
    """Decide where the archive of a vault lies, unless that is recorded; finish a move that was interrupted.

    The caller holds the write lock. Returns the paths, and a remark for the owner (empty: there is nothing to say).
    Raises VaultError, VaultUnwritable.
    """
    identity = read_identity(root)
    if identity is None:
        raise VaultError(f"{root} is no vault of tobs.", "Run `tobs export` first.")
    if identity.leftover is not None:
        remove_leftover(root, home)
    paths = vault_paths(root, identity, home)
    service = sync_service(root) if identity.archive is None else ""
    if not service:
        if paths.place == "home":
            claim_data(paths)
        if identity.archive in (None, paths.place):
            return paths, ""
        return paths, (
            f"vault.toml names another place for the archive, but the only archive here is {paths.archive}: it is used."
            f" `tobs vault move-archive --to {identity.archive}` moves it to that place."
        )
    if paths.place == "vault" and (paths.archive.exists() or files_beside(paths)):
        return paths, (
            f"The archive lies in a folder that {service} syncs: file sync can damage a database that is in use."
            " `tobs vault move-archive` moves it out; `tobs vault move-archive --to vault` lets it stay."
        )
    paths = paths_at(root, identity.id, "home", home)
    claim_data(paths)
    record_place(root, identity, "home")
    return paths, (
        f"{service} syncs the vault's folder, and file sync can damage a database that is in use. So the archive of"
        f" this vault lies in {paths.data}; `tobs vault move-archive --to vault` moves it into the vault."
    )


def claim_data(paths: VaultPaths) -> None:
    """Note beside an archive under TOBS_HOME which vault it belongs to. Raises VaultError for a copy of that vault."""
    claim, root = paths.data / _CLAIM, paths.root.resolve()
    try:
        known = claim.read_text("utf-8").strip() if claim.is_file() else ""
        if known == str(root):
            return
        if known and _has_id(Path(known), paths.id):
            raise VaultError(
                f"{root} is a copy of the vault {known}: both would use the archive {paths.archive}.",
                "Remove .tobs/vault.toml of the copy to make it a vault of its own.",
            )
        for folder in (paths.data.parent, paths.data):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        part = claim.with_name(f"{_CLAIM}.part")
        part.write_text(f"{root}\n", "utf-8")
        part.replace(claim)
    except OSError as error:
        raise unwritable(error, error.filename or claim) from error


def _has_id(root: Path, id: str) -> bool:
    """Report whether the folder ``root`` is the vault ``id``."""
    try:
        identity = read_identity(root)
    except VaultError:
        return False
    return identity is not None and identity.id == id


def record_place(
    root: Path, identity: VaultIdentity, place: ArchivePlace, leftover: ArchivePlace | None = None
) -> VaultIdentity:
    """Write ``place`` into `vault.toml`. This is the moment from which an archive counts as moved."""
    identity = replace(identity, archive=place, leftover=leftover)
    keys = (("archive", place), ("leftover", leftover))
    lines = [f'id = "{identity.id}"', f"schema = {SCHEMA}"]
    lines += [f'{key} = "{value}"' for key, value in keys if value is not None]
    write_batch(root, [NoteFile(f"{TOBS}/vault.toml", "\n".join([*lines, ""]))])
    return identity


def remove_leftover(root: Path, home: Path) -> bool:
    """Remove the copy of the archive from which it was moved, and files beside it that were moved too.

    A file without a twin at the new place stays. Returns False when another program has the copy open (on Windows);
    the next run tries again.
    """
    identity = read_identity(root)
    if identity is None or identity.archive is None or identity.leftover is None:
        return True
    old = paths_at(root, identity.id, identity.leftover, home)
    new = paths_at(root, identity.id, identity.archive, home)
    if not new.archive.exists():
        # Without the new archive (TOBS_HOME of another machine) the old copy is the only one here.
        return True
    try:
        for file in files_beside(old):
            twin = new.data / file.relative_to(old.data)
            if twin.is_file() and twin.stat().st_size == file.stat().st_size:
                file.unlink(missing_ok=True)
        for end in _COMPANIONS:
            Path(f"{old.archive}{end}").unlink(missing_ok=True)
        if old.place == "home":
            (old.data / _CLAIM).unlink(missing_ok=True)
    except PermissionError:
        return False
    except OSError as error:
        raise unwritable(error, error.filename or old.data) from error
    for folder in (old.staging, old.backups, *([old.data] if old.place == "home" else [])):
        with suppress(OSError):  # not empty
            folder.rmdir()
    record_place(root, identity, identity.archive)
    return True


def files_beside(paths: VaultPaths) -> list[Path]:
    """List the files that go where the archive goes: backups, copies made by migrations, downloads."""
    found = [path for path in paths.data.glob("archive.db.v*") if path.is_file()]
    for folder in (paths.backups, paths.staging):
        found += [path for path in folder.glob("*") if path.is_file()]
    return sorted(found)
