"""Opening and making a vault: `.tobs/` with its folders, its time zone, and the removal of temporary files."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from tobs.config.vault_paths import TOBS, VaultPaths, paths_at
from tobs.errors import VaultError, VaultUnwritable
from tobs.vault.archive_place import SCHEMA, read_identity, vault_paths
from tobs.vault.folders import unwritable
from tobs.vault.layout import TELEGRAM
from tobs.vault.writer import TEMP_PREFIX, NoteFile, write_batch

#: Bytes that stay free: with less a run does not start, because databases break on full disks.
MIN_FREE = 50_000_000

_FOLDERS = ("templates", "plugins", "logs", "reports")

# Templates, plugins and configuration are worth keeping in git; the archive and what a run leaves are not.
_GITIGNORE = "\n".join(
    (
        "/archive.db*",
        "/logs/",
        "/reports/",
        "/exports/",
        "/staging/",
        "/backups/",
        "/lock",
        "/lease.json",
        f"{TEMP_PREFIX}*",
        "",
    )
)
_TEMP_NAME = re.compile(re.escape(TEMP_PREFIX) + r"[0-9a-f]{12}-\d+")


def open_workspace(root: Path, home: Path) -> VaultPaths:
    """Return the paths of the vault at ``root``, which a run made before. Writes nothing; ``home`` is TOBS_HOME.

    Raises VaultError (no vault, or one that cannot be read) and VaultNewer.
    """
    identity = read_identity(root)
    if identity is None:
        raise VaultError(
            f"{root} is no vault of tobs.", "Run `tobs export` first, or give the right folder as --vault."
        )
    return vault_paths(root, identity, home)


def locate_vault(root: Path, home: Path) -> VaultPaths:
    """Return the paths as ``open_workspace`` does, also for a folder that is no vault yet: it has no archive."""
    identity = read_identity(root)
    return paths_at(root, "", "vault", home) if identity is None else vault_paths(root, identity, home)


def make_workspace(root: Path, home: Path, new_id: Callable[[], str]) -> VaultPaths:
    """Make the vault at ``root``, or complete it: `.tobs/` (0700) and the folders inside.

    ``new_id`` gives a UUID. What exists is not written again. ``settle_archive`` decides where a new archive lies.
    Raises VaultUnwritable, VaultNewer, VaultError.
    """
    tobs = root / TOBS
    try:
        root.mkdir(parents=True, exist_ok=True)
        root = root.resolve()
        with suppress(FileExistsError):
            # The archive holds other people's messages: nobody else on this machine reads it.
            tobs.mkdir(mode=0o700)
        files = [NoteFile(f"{TOBS}/.gitignore", _GITIGNORE)]
        files.append(NoteFile(f"{TOBS}/vault.toml", f'id = "{new_id()}"\nschema = {SCHEMA}\n'))
        write_batch(root, [file for file in files if not (root / file.path).exists()])
        paths = open_workspace(root, home)
        for name in _FOLDERS:
            (tobs / name).mkdir(exist_ok=True)
        _probe(tobs)
    except OSError as error:
        raise unwritable(error, error.filename or root) from error
    return paths


def make_data_folders(paths: VaultPaths) -> None:
    """Make the missing folders of the archive, its backups and downloads (0700). Raises VaultUnwritable."""
    try:
        for folder in (paths.data, paths.staging, paths.backups):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if paths.place == "home":
            paths.data.parent.chmod(0o700)
            paths.data.chmod(0o700)
    except OSError as error:
        raise unwritable(error, error.filename or paths.data) from error


def require_space(folder: Path, size: int = 0) -> None:
    """Raise VaultUnwritable if ``folder``'s disk has no room for ``size`` bytes and a reserve."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise unwritable(error, folder) from error
    if free < size + MIN_FREE:
        raise VaultUnwritable(
            f"The disk of {folder} has {free / 1e6:.0f} MB left; {(size + MIN_FREE) / 1e6:.0f} MB are needed.",
            "Free some space and run the same command again.",
        )


def sweep(root: Path, folders: Iterable[str] = (TELEGRAM, ".obsidian", TOBS)) -> int:
    """Remove the temporary files that a killed run left below ``folders`` (vault paths); return their number.

    Only the holder of the write lock may sweep: then no temporary file can belong to a running process.
    """
    removed = 0
    try:
        for path in temporary_files(root, folders):
            (root / path).unlink(missing_ok=True)
            removed += 1
    except OSError as error:
        raise unwritable(error, error.filename or root) from error
    return removed


def sweep_folders(root: Path, folders: Iterable[str]) -> int:
    """Remove temporary files as ``sweep`` does, in just these folders (the owner's, into which notes were moved) and
    not below them."""
    removed = 0
    try:
        for folder in folders:
            for path in _temporary_in(str(root / folder), []):
                Path(path).unlink(missing_ok=True)
                removed += 1
    except OSError as error:
        raise unwritable(error, error.filename or root) from error
    return removed


def temporary_files(root: Path, folders: Iterable[str] = (TELEGRAM, ".obsidian", TOBS)) -> Iterator[str]:
    """Yield the temporary files below ``folders`` (vault paths). Raises OSError."""
    pending = [str(root / folder) for folder in folders]
    while pending:
        for path in _temporary_in(pending.pop(), pending):
            yield Path(path).relative_to(root).as_posix()


def _temporary_in(folder: str, inside: list[str]) -> Iterator[str]:
    """Yield the temporary files in ``folder``; its folders are added to ``inside``."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                inside.append(entry.path)
            elif _TEMP_NAME.fullmatch(entry.name):
                yield entry.path


def _probe(folder: Path) -> None:
    """Write and remove a small file: only an attempt shows permissions and mount options."""
    path = folder / f"{TEMP_PREFIX}{token_hex(6)}-0"
    path.write_bytes(b"tobs")
    path.unlink()


def recorded_timezone(paths: VaultPaths) -> str | None:
    """Return the time zone (IANA) that the vault's first run recorded; None before it."""
    try:
        value = tomllib.loads(paths.config.read_text("utf-8")).get("timezone")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise VaultError(f"{paths.config} cannot be read: {error}.", "Repair that file.") from error
    return value if isinstance(value, str) and value else None


def record_timezone(paths: VaultPaths, name: str) -> None:
    """Write the time zone into the vault's configuration, before its other lines."""
    path = paths.config
    try:
        rest = path.read_text("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(f"{path} cannot be read: {error}.", "Repair that file.") from error
    note = "# Dates of this vault are in this time zone; notes would move if it changed.\n"
    write_batch(paths.root, [NoteFile(f"{TOBS}/config.toml", f'{note}timezone = "{name}"\n{rest}')])
