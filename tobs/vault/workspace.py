"""The vault as a place: finding it, making `.tobs/` inside it, and sweeping up after a run that was killed."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from uuid import UUID

from msgspec import Struct

from tobs.errors import VaultError, VaultNewer, VaultUnwritable
from tobs.vault.folders import unwritable
from tobs.vault.layout import TELEGRAM
from tobs.vault.writer import TEMP_PREFIX, NoteFile, write_batch

TOBS = ".tobs"

#: What the files of a vault look like; a vault with a higher number is not touched.
SCHEMA = 1

#: Kept less than this free, a run does not start: databases break on full disks.
MIN_FREE = 50_000_000

_FOLDERS = ("templates", "plugins", "logs", "reports", "staging", "backups")

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


class Workspace(Struct, frozen=True):
    """A vault tobs may work in. ``id`` is a UUID given at the first run; it goes where the vault goes."""

    root: Path
    id: str

    @property
    def tobs(self) -> Path:
        """`.tobs`: everything of tobs that is no note."""
        return self.root / TOBS

    @property
    def archive(self) -> Path:
        """Where the archive lies unless the vault is in a cloud-synced folder."""
        return self.tobs / "archive.db"

    @property
    def templates(self) -> Path:
        """The owner's templates."""
        return self.tobs / "templates"

    @property
    def plugins(self) -> Path:
        """Plugins of this vault alone."""
        return self.tobs / "plugins"

    @property
    def logs(self) -> Path:
        """Log files."""
        return self.tobs / "logs"

    @property
    def reports(self) -> Path:
        """Run reports."""
        return self.tobs / "reports"

    @property
    def backups(self) -> Path:
        """Copies of the archive."""
        return self.tobs / "backups"

    @property
    def staging(self) -> Path:
        """Downloads on their way: `.part` files, and files that wait for their place."""
        return self.tobs / "staging"


def find_vault(start: Path) -> Path | None:
    """The nearest folder from ``start`` upwards that holds `.tobs/`."""
    here = start.absolute()
    return next((folder for folder in (here, *here.parents) if (folder / TOBS).is_dir()), None)


def open_workspace(root: Path) -> Workspace:
    """The vault at ``root``, which must have been made before. Writes nothing.

    Raises VaultError (no vault, or one that cannot be read) and VaultNewer.
    """
    path = root / TOBS / "vault.toml"
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        schema = int(table["schema"])
        # Asked first: what else a newer file holds is not known here.
        if schema > SCHEMA:
            raise VaultNewer(
                f"The vault {root} was made by a newer tobs (format {schema}, this one knows {SCHEMA}).", "Update tobs."
            )
        return Workspace(root, str(UUID(table["id"])))
    except (FileNotFoundError, NotADirectoryError):
        raise VaultError(
            f"{root} is no vault of tobs.", "Run `tobs export` first, or give the right folder as --vault."
        ) from None
    except OSError as error:
        raise VaultError(f"{path} cannot be read: {error.strerror}.", "Check the permissions of the vault.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise VaultError(
            f"{path} is damaged ({error}).", "Take it from a backup; without it tobs cannot know which vault this is."
        ) from error


def make_workspace(root: Path, new_id: Callable[[], str]) -> Workspace:
    """The vault at ``root``, made or completed where it is not: `.tobs/` (0700) and what belongs inside.

    ``new_id`` gives a UUID. What exists is never written again. Raises VaultUnwritable, VaultNewer, VaultError.
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
        workspace = open_workspace(root)
        make_folders(workspace)
        _probe(tobs)
    except OSError as error:
        raise unwritable(error, error.filename or root) from error
    return workspace


def make_folders(workspace: Workspace) -> None:
    """The folders inside `.tobs` that are not there. Raises VaultUnwritable."""
    try:
        for name in _FOLDERS:
            (workspace.tobs / name).mkdir(exist_ok=True)
    except OSError as error:
        raise unwritable(error, error.filename or workspace.tobs) from error


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
    """Remove the temporary files that a killed run left below ``folders`` (vault paths); how many there were.

    Only the holder of the write lock may sweep: to it no temporary file can belong to somebody at work.
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
    """Like ``sweep``, in just these folders: the owner's, into which notes were moved, and nothing below them."""
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
    """The temporary files below ``folders`` (vault paths). Raises OSError."""
    pending = [str(root / folder) for folder in folders]
    while pending:
        for path in _temporary_in(pending.pop(), pending):
            yield Path(path).relative_to(root).as_posix()


def _temporary_in(folder: str, inside: list[str]) -> Iterator[str]:
    """The temporary files in ``folder``; folders in it are added to ``inside``."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                inside.append(entry.path)
            elif _TEMP_NAME.fullmatch(entry.name):
                yield entry.path


def _probe(folder: Path) -> None:
    """Write and remove a small file: permissions and mount options are known by trying."""
    path = folder / f"{TEMP_PREFIX}{token_hex(6)}-0"
    path.write_bytes(b"tobs")
    path.unlink()


def recorded_timezone(workspace: Workspace) -> str | None:
    """The time zone (IANA) written down at the vault's first run; None before it."""
    try:
        value = tomllib.loads((workspace.tobs / "config.toml").read_text("utf-8")).get("timezone")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise VaultError(f"{workspace.tobs / 'config.toml'} cannot be read: {error}.", "Mend that file.") from error
    return value if isinstance(value, str) and value else None


def record_timezone(workspace: Workspace, name: str) -> None:
    """Write the time zone into the vault's configuration, before everything else that stands there."""
    path = workspace.tobs / "config.toml"
    try:
        rest = path.read_text("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(f"{path} cannot be read: {error}.", "Mend that file.") from error
    note = "# Dates of this vault are in this time zone; notes would move if it changed.\n"
    write_batch(workspace.root, [NoteFile(f"{TOBS}/config.toml", f'{note}timezone = "{name}"\n{rest}')])
