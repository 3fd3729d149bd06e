"""Damage of an archive: detection, and recovery of what can be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from loguru import logger
from msgspec import Struct

from tobs.archive.backups import integrity_faults, set_aside
from tobs.archive.database import Database, Row, connect, translated
from tobs.archive.encoding import decode_message, unpack
from tobs.archive.migrate import migrate, shipped_migrations
from tobs.errors import VaultError

#: Rows of a table that are copied together; where one of them cannot be read, they are tried one by one.
_TOGETHER = 1000

#: What SQLite cannot judge: columns with values that have to be read back, and by what.
_VALUES: dict[str, dict[str, Callable[[bytes], object]]] = {
    "raw_pages": {"data": unpack},
    "notes": {"base": unpack},
    "replaced": {"was": unpack, "was_base": unpack, "wrote": unpack},
    "message_rows": {"model": decode_message},
    "message_versions": {"model": decode_message},
}
#: Values that a row can be without: a note without a base is known by its hash.
_SPARED = {("notes", "base")}
#: More faults of one table are not reported one by one.
_MAX_REASONS = 5


class Damage(Struct, frozen=True):
    """Faults that SQLite finds in an archive. ``is_unreadable``: more than an index is damaged (it can be rebuilt)."""

    reasons: tuple[str, ...] = ()
    is_unreadable: bool = False


def find_damage(path: Path) -> Damage:
    """Check the archive at ``path``. Raises VaultError if it is missing or no database."""
    database = connect(path, read_only=True)
    try:
        reasons = tuple(line for text in integrity_faults(database) for line in text.splitlines() if line.strip())
        is_unreadable = any(not _is_index(reason) for reason in reasons)
        broken = () if is_unreadable else tuple(_broken_values(database))
        return Damage((*reasons, *broken), is_unreadable or bool(broken))
    except VaultError as error:
        return Damage((error.message,), True)
    finally:
        database.close()


def _broken_values(database: Database) -> Iterator[str]:
    """Return descriptions of values that SQLite returns and that are not valid."""
    for table, columns in _VALUES.items():
        reported = 0
        for column, read in columns.items():
            last = 0
            while rows := database.rows(
                f"SELECT rowid, {column} FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT {_TOGETHER}", (last,)
            ):
                last = rows[-1][0]
                for row, value in rows:
                    if reported < _MAX_REASONS and not _is_whole(read, value):
                        reported += 1
                        yield f"{column} of row {row} in {table} cannot be read"


def _is_whole(read: Callable[[bytes], object], value: bytes | None) -> bool:
    if not value:
        return True
    try:
        read(value)
    except VaultError:
        return False
    return True


def _is_index(reason: str) -> bool:
    return " missing from index " in reason or reason.startswith(("wrong # of entries in index", "non-unique entry"))


def recover(path: Path, aside: Path) -> int:
    """Rebuild the archive at ``path`` from what can be read; the old one moves to ``aside``. Returns the number of
    tables that could not be read whole: if any, nothing counts as fetched, so that the next export fetches what is
    missing.

    The caller holds the vault's lock. Raises VaultError when nothing can be saved.
    """
    fresh = path.with_name(f"{path.name}.part")
    fresh.unlink(missing_ok=True)
    target = connect(fresh)
    broken = 0
    try:
        source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            migrate(target, shipped_migrations()[: _version(source)])  # the columns of both are the same
            target.row("PRAGMA foreign_keys = OFF")
            for (table,) in target.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
                broken += not _copy_table(source, target, table)
        finally:
            source.close()
        _forget_dangling(target)
        if broken:
            logger.warning("{} tables of the archive could not be read whole", broken)
            for table in ("coverage", "topic_coverage", "blooms"):
                target.run(f"DELETE FROM {table}")
        migrate(target, shipped_migrations(), keep_older=False)
    except sqlite3.Error as error:
        raise translated(error, path) from error
    finally:
        target.close()
    set_aside(path, aside)
    fresh.replace(path)
    for end in ("-wal", "-shm"):
        Path(f"{fresh}{end}").unlink(missing_ok=True)
    return broken


def rebuild_indexes(path: Path) -> None:
    """Rebuild every index of the archive at ``path``. The caller holds the vault's lock."""
    database = connect(path)
    try:
        database.script("REINDEX")
    finally:
        database.close()


def _version(source: sqlite3.Connection) -> int | None:
    """Return the schema version of an archive; None if it cannot be read: then it counts as the newest."""
    version: int = source.execute("PRAGMA user_version").fetchone()[0]
    return version or None


def _copy_table(source: sqlite3.Connection, target: Database, table: str) -> bool:
    """Copy the readable rows of a table; return True if that is all of them."""
    columns = [name for _, name, *_ in target.rows(f"PRAGMA table_info({table})")]
    insert = f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    select = f"SELECT {', '.join(columns)} FROM {table} NOT INDEXED"
    if _copy(source, target, select, insert, table, columns):
        return True
    keys = [name for _, name, _, _, _, key in target.rows(f"PRAGMA table_info({table})") if key]
    try:
        source.execute(f"SELECT rowid FROM {table} LIMIT 0")
    except sqlite3.Error:
        # No row ids: from the other end up to the damage.
        order = ", ".join(f"{key} DESC" for key in keys)
        _copy(source, target, f"{select} ORDER BY {order}", insert, table, columns)
        return False
    for low in range(0, _last_row(source, table) + 1, _TOGETHER):
        within = f"{select} WHERE rowid BETWEEN {low} AND {low + _TOGETHER - 1}"
        if not _copy(source, target, within, insert, table, columns):
            for row in range(low, low + _TOGETHER):
                _copy(source, target, f"{select} WHERE rowid = {row}", insert, table, columns)
    return False


def _copy(
    source: sqlite3.Connection, target: Database, select: str, insert: str, table: str, columns: Sequence[str]
) -> bool:
    """Insert the rows that ``select`` returns for ``table`` until it fails, except broken ones; return True if that is
    all."""
    is_all = True
    try:
        cursor = source.execute(select)
        while rows := cursor.fetchmany(500):
            whole = [kept for row in rows if (kept := _whole_row(table, columns, row)) is not None]
            is_all = is_all and len(whole) == len(rows)
            target.run_many(insert, whole)
    except sqlite3.DatabaseError:
        return False
    return is_all


def _whole_row(table: str, columns: Sequence[str], row: Row) -> Row | None:
    """Return ``row`` without optional values that are broken; None if others are broken."""
    values = list(row)
    for column, read in _VALUES.get(table, {}).items():
        place = columns.index(column)
        if not _is_whole(read, values[place]):
            if (table, column) not in _SPARED:
                return None
            values[place] = None
    return tuple(values)


def _last_row(source: sqlite3.Connection, table: str) -> int:
    """Return the highest row id: from the table, or if that fails by doubling until nothing is found."""
    for order in ("DESC", "ASC"):
        try:
            row = source.execute(f"SELECT rowid FROM {table} NOT INDEXED ORDER BY rowid {order} LIMIT 1").fetchone()
        except sqlite3.DatabaseError:
            continue
        if order == "DESC":
            return row[0] if row else 0
    return 1_000_000


def _forget_dangling(database: Database) -> None:
    """Delete rows that refer to lost rows."""
    for column, parent in (("note_id", "notes"), ("raw_page", "raw_pages")):
        database.run(
            f"UPDATE message_rows SET {column} = NULL WHERE {column} IS NOT NULL"
            f" AND {column} NOT IN (SELECT id FROM {parent})"
        )
    database.run("UPDATE message_versions SET raw_page = NULL WHERE raw_page NOT IN (SELECT id FROM raw_pages)")
    for table, parent in (
        ("message_versions", "message_row NOT IN (SELECT row FROM message_rows)"),
        ("media", "message_row NOT IN (SELECT row FROM message_rows)"),
        ("replaced", "note_id NOT IN (SELECT id FROM notes) OR run NOT IN (SELECT number FROM runs)"),
        ("note_links", "note_id NOT IN (SELECT id FROM notes)"),
        ("note_mentions", "note_id NOT IN (SELECT id FROM notes)"),
    ):
        database.run(f"DELETE FROM {table} WHERE {parent}")
