"""Messages and files that are new since a cursor, for exporters."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from tobs.archive.database import Database, Row
from tobs.archive.encoding import decode_message, encode, id_list
from tobs.archive.meta import Meta
from tobs.plugin.new_messages import NewMessage

_BATCH = 500


class ExportCursor(Struct, frozen=True):
    """Position in the archive: its newest message, replaced version and file, and the time (Unix seconds)."""

    row: int = 0
    version: int = 0
    file: int = 0
    since: float = 0.0


class NewSince:
    """Messages that are new since a cursor. Each reader has a cursor of its own, by name."""

    def __init__(self, database: Database, meta: Meta) -> None:
        self._database = database
        self._meta = meta

    def current(self, time: float) -> ExportCursor:
        """Return the position of the archive at ``time`` (Unix seconds)."""
        row = self._database.row(
            "SELECT (SELECT max(row) FROM message_rows), (SELECT max(id) FROM message_versions),"
            " (SELECT max(number) FROM files)"
        )
        assert row is not None
        return ExportCursor(row[0] or 0, row[1] or 0, row[2] or 0, time)

    def cursor(self, reader: str) -> ExportCursor | None:
        """Return the position up to which ``reader`` got everything; None if it never got anything."""
        kept = self._meta.get(f"brought/{reader}")
        return None if kept is None else msgspec.json.decode(kept, type=ExportCursor)

    def set_cursor(self, reader: str, cursor: ExportCursor) -> None:
        """Store that ``reader`` got everything up to ``cursor``."""
        self._meta.set(f"brought/{reader}", encode(cursor).decode())

    def since(self, cursor: ExportCursor) -> Iterator[list[NewMessage]]:
        """Yield the messages after ``cursor`` in batches, by chat and id. Use one iterator at a time."""
        changed = (
            "SELECT message_row FROM message_versions WHERE id > ?2"
            " UNION SELECT row FROM message_rows WHERE deleted_at >= ?3"
            " UNION SELECT d.message_row FROM files f JOIN media d ON d.sha256 = f.sha256"
            " WHERE f.number > ?4 AND d.state = 'placed'"
        )
        with self._database.transaction():
            self._database.run("CREATE TEMP TABLE new_rows (number INTEGER PRIMARY KEY, row INTEGER, came TEXT)")
            try:
                self._database.run(
                    "INSERT INTO new_rows (row, came)"
                    " SELECT row, CASE WHEN deleted_at IS NOT NULL THEN 'deleted' WHEN row > ?1 THEN 'new'"
                    " WHEN row IN (SELECT message_row FROM message_versions WHERE id > ?2) THEN 'edited'"
                    " ELSE 'files' END FROM message_rows"
                    f" WHERE row > ?1 OR row IN ({changed}) ORDER BY account, chat_id, id",
                    (cursor.row, cursor.version, cursor.since, cursor.file),
                )
                last = 0
                while rows := self._database.rows(
                    "SELECT b.number, b.row, b.came, m.model, c.title, p.name, n.path FROM new_rows b"
                    " JOIN message_rows m ON m.row = b.row"
                    " LEFT JOIN chats c ON c.account = m.account AND c.id = m.chat_id"
                    " LEFT JOIN people p ON p.id = m.sender_id"
                    " LEFT JOIN notes n ON n.id = m.note_id AND n.state = 'written'"
                    " WHERE b.number > ? ORDER BY b.number LIMIT ?",
                    (last, _BATCH),
                ):
                    files = self._files([row[1] for row in rows])
                    yield [_new_message(row, files.get(row[1], ())) for row in rows]
                    last = rows[-1][0]
            finally:
                self._database.run("DROP TABLE new_rows")

    def _files(self, rows: list[int]) -> dict[int, tuple[str, ...]]:
        """Return the files of messages that are in the vault."""
        found: dict[int, tuple[str, ...]] = {}
        for row, path in self._database.rows(
            "SELECT d.message_row, f.path FROM media d JOIN files f ON f.sha256 = d.sha256"
            " WHERE d.message_row IN (SELECT value FROM json_each(?)) AND d.state = 'placed' AND f.lost = 0"
            " ORDER BY d.message_row, d.ordinal",
            (id_list(rows),),
        ):
            found[row] = (*found.get(row, ()), path)
        return found


def _new_message(row: Row, files: tuple[str, ...]) -> NewMessage:
    _, _, kind, model, chat, sender, note = row
    return NewMessage(kind, decode_message(model), chat or "", sender or "", note or "", files)
