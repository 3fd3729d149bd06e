"""Copies of the archive: made while it is in use, checked before use, and restored."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from tobs.archive.database import Database, connect
from tobs.archive.migrate import check_readable, shipped_migrations
from tobs.errors import VaultError, VaultUnwritable

#: What SQLite keeps beside a database file.
_COMPANIONS = ("-wal", "-shm", "-journal")


class BackupFacts(Struct, frozen=True):
    """A backup: its size in bytes and what is in it."""

    path: str
    size: int
    messages: int
    notes: int


def back_up(archive: Path, target: Path) -> BackupFacts:
    """Write a copy of ``archive`` to ``target``, which must not exist; others may write into the archive meanwhile.

    Raises VaultError for an archive that is damaged, and VaultUnwritable.
    """
    part = _part(target)
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        database = connect(archive, read_only=True)
        try:
            database.copy_to(part)
        finally:
            database.close()
        facts = inspect_backup(part)
        _sync(part)
        part.replace(target)
    except OSError as error:
        raise VaultUnwritable(
            f"The backup {target} cannot be written: {error.strerror}.", "Check the folder and the space on its disk."
        ) from error
    finally:
        discard_part(target)
    return BackupFacts(str(target), facts.size, facts.messages, facts.notes)


def discard_part(target: Path) -> None:
    """Remove an unfinished copy of the backup ``target``, if there is one. Raises OSError."""
    part = _part(target)
    part.unlink(missing_ok=True)
    _remove_companions(part)


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def inspect_backup(path: Path) -> BackupFacts:
    """Check the archive at ``path`` and count its messages and notes. Raises VaultError if it is no archive, is
    damaged, or was made by a newer tobs."""
    if not path.is_file():
        raise VaultError(f"There is no backup at {path}.", "Run `tobs restore --list` to see those there are.")
    database = connect(path, read_only=True)
    try:
        check_readable(database, shipped_migrations())
        faults = integrity_faults(database)
        if faults:
            raise VaultError(f"{path} is damaged: {faults[0]}.", "Take another backup.")
        messages = database.value("SELECT count(*) FROM message_rows WHERE deleted_at IS NULL")
        notes = database.value("SELECT count(*) FROM notes WHERE state = 'written'")
        return BackupFacts(str(path), path.stat().st_size, messages, notes)
    finally:
        database.close()


def integrity_faults(database: Database, limit: int = 20) -> list[str]:
    """Return the faults that SQLite finds in a database file; none for a sound one. Raises VaultError if it cannot go
    on."""
    found = [text for (text,) in database.rows(f"PRAGMA integrity_check({limit})")]
    return [] if found == ["ok"] else found


def put_back(backup: Path, archive: Path, aside: Path) -> bool:
    """Replace ``archive`` by a copy of ``backup``; the old archive moves to ``aside``. Returns False if there was none.

    The caller holds the vault's lock and has inspected the backup. Raises VaultUnwritable.
    """
    part = archive.with_name(f"{archive.name}.part")
    try:
        source = connect(backup, read_only=True)
        try:
            part.unlink(missing_ok=True)
            part.touch(mode=0o600)
            source.copy_to(part)
        finally:
            source.close()
        _sync(part)
        replaced = archive.exists()
        if replaced:
            # What its log still holds belongs to it.
            set_aside(archive, aside)
        _remove_companions(archive)
        part.replace(archive)
    except OSError as error:
        raise VaultUnwritable(
            f"The archive {archive} cannot be replaced: {error.strerror}.",
            "Check the folder and the space on its disk.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
        _remove_companions(part)
    return replaced


def set_aside(archive: Path, aside: Path) -> None:
    """Move an archive with all files that SQLite keeps beside it. Raises OSError."""
    for end in ("", *_COMPANIONS):
        if Path(f"{archive}{end}").exists():
            Path(f"{archive}{end}").replace(f"{aside}{end}")


def _remove_companions(path: Path) -> None:
    for end in _COMPANIONS:
        Path(f"{path}{end}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(file)
    finally:
        os.close(file)
