"""Paths of a vault: every file and folder that tobs has for a vault gets its path here."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from tobs.model.requests import ArchivePlace

#: The folder of tobs inside a vault.
TOBS = ".tobs"


class VaultPaths(Struct, frozen=True):
    """Files and folders of tobs for one vault. ``id`` is the vault's UUID, given at the first run; empty before it.

    ``data`` is the folder of the archive and of what has to be on the same disk, or must not be synced while it is
    written: backups and unfinished downloads. The write lock is always in the vault: it also guards the notes.
    """

    root: Path
    id: str
    data: Path

    @property
    def tobs(self) -> Path:
        """`.tobs`: everything of tobs in the vault that is no note."""
        return self.root / TOBS

    @property
    def identity(self) -> Path:
        """`vault.toml`: the vault's id, and the place of its archive where that was recorded."""
        return self.tobs / "vault.toml"

    @property
    def config(self) -> Path:
        """The vault's own settings."""
        return vault_config(self.root)

    @property
    def lock(self) -> Path:
        """The file whose lock the one writer holds."""
        return self.tobs / "lock"

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
    def archive(self) -> Path:
        """The archive's database file."""
        return self.data / "archive.db"

    @property
    def backups(self) -> Path:
        """Copies of the archive."""
        return self.data / "backups"

    @property
    def staging(self) -> Path:
        """Unfinished downloads (`.part`), and finished files that are not yet attached."""
        return self.data / "staging"

    @property
    def place(self) -> ArchivePlace:
        """The place of the archive."""
        return "vault" if self.data == self.tobs else "home"


def paths_at(root: Path, id: str, place: ArchivePlace, home: Path) -> VaultPaths:
    """Paths of the vault ``id`` at ``root`` with its archive at ``place``; ``home`` is TOBS_HOME."""
    return VaultPaths(root, id, root / TOBS if place == "vault" else home / "vaults" / id)


def vault_config(root: Path) -> Path:
    """Settings file of the vault at ``root``."""
    return root / TOBS / "config.toml"


def find_vault(start: Path) -> Path | None:
    """Return the nearest folder from ``start`` upwards that holds `.tobs/`; None where there is none."""
    here = start.absolute()
    return next((folder for folder in (here, *here.parents) if (folder / TOBS).is_dir()), None)
