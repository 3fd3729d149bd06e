"""Migration of an archive to the newest schema: numbered scripts, each in one transaction, after a backup."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from loguru import logger

from tobs.archive.database import Database
from tobs.errors import VaultError, VaultNewer, VaultUnwritable

# 'tobs' in ASCII, kept in the header of the file: tells an archive from any other SQLite database.
APPLICATION_ID = 0x746F6273


def shipped_migrations() -> tuple[str, ...]:
    """Return the scripts of this tobs; script *n* (from 1) makes schema version *n*."""
    folder = resources.files(__package__) / "migrations"
    scripts = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return tuple(script.read_text(encoding="utf-8") for script in scripts)


def migrate(database: Database, migrations: Sequence[str], *, keep_older: bool = True) -> None:
    """Run the missing scripts. Raises ``VaultNewer`` for a schema beyond ``migrations``.

    Before the schema of an existing archive changes, a copy is put beside it (``archive.db.v1`` for one of
    version 1), unless ``keep_older`` is False.
    """
    version = _version(database, migrations)
    if version == len(migrations):
        return
    if version > 0 and keep_older:
        _back_up(database, database.path.with_name(f"{database.path.name}.v{version}"))
    for number, script in enumerate(migrations[version:], start=version + 1):
        logger.debug("archive: schema version {}", number)
        database.script(
            f"BEGIN IMMEDIATE;\n{script}\n"
            f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {number};\nCOMMIT;"
        )


def check_current(database: Database, migrations: Sequence[str]) -> None:
    """Raise unless the schema is the newest: readers cannot migrate."""
    if _version(database, migrations) < len(migrations):
        raise VaultError(
            f"The archive {database.path} was made by an older tobs.",
            "Run `tobs render` once; it updates the archive.",
        )


def check_readable(database: Database, migrations: Sequence[str]) -> None:
    """Raise VaultError unless the database is an archive of this tobs or an older one."""
    if _version(database, migrations) == 0:
        raise VaultError(f"{database.path} is no archive of tobs.", "Name another file.")


def _version(database: Database, migrations: Sequence[str]) -> int:
    version: int = database.value("PRAGMA user_version")
    foreign = database.value("PRAGMA application_id") != APPLICATION_ID
    if foreign and database.row("SELECT 1 FROM sqlite_master LIMIT 1"):
        raise VaultError(
            f"{database.path} is a database of another program.", "Move it away, or choose another vault with --vault."
        )
    if version > len(migrations):
        raise VaultNewer(
            f"The archive {database.path} was made by a newer tobs"
            f" (its schema is {version}, this one knows {len(migrations)}).",
            "Update tobs, then run the command again.",
        )
    return version


def _back_up(database: Database, target: Path) -> None:
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        database.copy_to(part)
        part.chmod(0o600)
        part.replace(target)
    except OSError as error:
        raise VaultUnwritable(
            f"The archive could not be backed up to {target}: {error.strerror}.", "Free some space and try again."
        ) from error
    finally:
        part.unlink(missing_ok=True)  # half a copy would fill the disk that the next run needs
