"""History responses as Telegram sent them, one compressed blob a page; message rows refer to it."""

from __future__ import annotations

from msgspec import Struct

from tobs.archive.database import Database
from tobs.archive.encoding import pack, unpack
from tobs.model import MessageKey

#: The source that knows best.
TELEGRAM = "telegram"


class RawMessage(Struct, frozen=True):
    """The response that has a message as its ``index``-th message or story: TL bytes of ``layer`` (a list of JSON
    objects if the ``source`` is an export)."""

    source: str
    layer: int
    index: int
    data: bytes


class RawPages:
    """Raw responses behind the messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, source: str, layer: int, data: bytes) -> int:
        """Store a response; return its id for the message rows."""
        return self._database.insert(
            "INSERT INTO raw_pages (source, layer, data) VALUES (?, ?, ?)", (source, layer, pack(data))
        )

    def of(self, key: MessageKey) -> RawMessage | None:
        """Return the response with the newest version of a message, None if its source had none."""
        row = self._database.row(
            "SELECT source, layer, raw_index, data FROM message_rows JOIN raw_pages ON raw_pages.id = raw_page"
            " WHERE account = ? AND chat_id = ? AND message_rows.id = ?",
            key,
        )
        return RawMessage(row[0], row[1], row[2], unpack(row[3])) if row else None
