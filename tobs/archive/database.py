"""The one SQLite connection of an archive: statements, transactions, and errors as VaultError."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tobs.errors import VaultError, VaultLocked, VaultUnwritable

Row = tuple[Any, ...]

# The default checkpoint every 4 MB would sync the disk some ten times a second during an export.
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA wal_autocheckpoint = 4000",
)
_BUSY_MS = 5_000
_CACHE_KIB = 16_384


class Database:
    """A connection used by one thread at a time.

    Statements run outside a transaction commit by themselves. Every method raises ``VaultError`` or one of its
    children instead of ``sqlite3.Error``.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Return every row of a query; limit the query."""
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """Return the first row of a query, None if there is none."""
        try:
            row: Row | None = self._connection.execute(sql, parameters).fetchone()
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
        return row

    def value(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row, None if there is none."""
        row = self.row(sql, parameters)
        return row[0] if row else None

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement; return the number of rows it changed."""
        try:
            return self._connection.execute(sql, parameters).rowcount
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    def insert(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run an INSERT; return the id of the new row."""
        try:
            return self._connection.execute(sql, parameters).lastrowid or 0
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """Run a statement for each of ``rows``; return the number of rows changed in all."""
        try:
            return self._connection.executemany(sql, rows).rowcount
        except sqlite3.Error as error:
            raise translated(error, self.path) from error

    def script(self, sql: str) -> None:
        """Run a script. A transaction it leaves open is rolled back if it fails."""
        try:
            self._connection.executescript(sql)
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.rollback()
            raise translated(error, self.path) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the statements of the ``with`` block all or nothing. Nested blocks roll back only their own."""
        if self._connection.in_transaction:
            begin, commit, undo = "SAVEPOINT step", "RELEASE step", ["ROLLBACK TO step", "RELEASE step"]
        else:
            begin, commit, undo = "BEGIN IMMEDIATE", "COMMIT", ["ROLLBACK"]
        self.run(begin)
        try:
            yield
            self.run(commit)
        except BaseException:
            # SQLite itself rolls everything back on some errors, a full disk among them.
            if self._connection.in_transaction:
                for statement in undo:
                    self.run(statement)
            raise

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy of the whole database to ``path``; the database may be in use."""
        try:
            target = sqlite3.connect(path)
            try:
                self._connection.backup(target)
            finally:
                target.close()
        except sqlite3.Error as error:
            raise translated(error, path) from error

    def close(self) -> None:
        """Close the connection; SQLite folds the write-ahead log into the file."""
        self._connection.close()


def connect(path: Path, *, read_only: bool = False) -> Database:
    """Open the database file at ``path``; a writer creates it, readable by its owner alone."""
    try:
        if not path.exists():
            if read_only:
                raise VaultError(f"There is no archive at {path}.", "Run `tobs export` into this vault first.")
            path.touch(mode=0o600)
        uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    except OSError as error:
        raise VaultUnwritable(
            f"The archive {path} cannot be created: {error.strerror}.", "Check the folder and its permissions."
        ) from error
    except sqlite3.Error as error:
        raise translated(error, path) from error
    database = Database(connection, path)
    try:
        for pragma in (
            f"PRAGMA busy_timeout = {_BUSY_MS}",
            f"PRAGMA cache_size = -{_CACHE_KIB}",
            "PRAGMA foreign_keys = ON",
        ):
            database.row(pragma)
        for pragma in () if read_only else _PRAGMAS:
            database.row(pragma)
        # Opening is lazy: this is the first look into the file.
        database.row("SELECT 1 FROM sqlite_master LIMIT 1")
    except VaultError:
        database.close()
        raise
    return database


def translated(error: sqlite3.Error, path: Path) -> VaultError:
    """Return ``error`` as a VaultError with a message for the owner of the archive at ``path``."""
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    match name.removeprefix("SQLITE_").split("_")[0]:
        case "FULL":
            return VaultUnwritable(
                "The disk of the archive is full.", "Free some space and run the same command again; nothing is lost."
            )
        case "READONLY" | "CANTOPEN" | "PERM" | "AUTH":
            return VaultUnwritable(
                f"The archive {path} cannot be opened or written ({error}).", "Check that it is a file you may write."
            )
        case "IOERR":
            return VaultUnwritable(
                f"The disk failed while the archive {path} was used ({error}).", "Check the disk, then run it again."
            )
        case "BUSY" | "LOCKED":
            return VaultLocked(f"Another program is writing into the archive {path}.", "Close it and try again.")
        case "NOTADB":
            return VaultError(
                f"{path} is not a tobs archive.",
                "Put a backup back (`tobs restore`), or move it away and export again.",
            )
        case "CORRUPT":
            return VaultError(
                f"The archive {path} is damaged ({error}).",
                "Run `tobs verify --repair`, or put a backup back with `tobs restore`.",
            )
    return VaultError(f"The archive {path} refused a statement: {name}, {error}.", "Please report this.")
