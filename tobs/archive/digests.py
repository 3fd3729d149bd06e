"""Changes by the last sync of a chat: stored as a start point, read from messages and their versions."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from tobs.archive.database import Database
from tobs.archive.encoding import decode_message, encode, owner_of
from tobs.archive.meta import Meta
from tobs.model import Message

#: More changes of a kind are not listed one by one.
_MOST = 50


class SyncStart(Struct, frozen=True):
    """Start of a sync: rows from ``row`` on are new; it replaced or deleted messages ``since`` (Unix seconds)."""

    row: int
    since: float


class Digest(Struct, frozen=True):
    """Messages that are new, edited (each as it was and as it is) and deleted, by id."""

    new: tuple[int, ...] = ()
    edited: tuple[tuple[Message, Message], ...] = ()
    deleted: tuple[int, ...] = ()


class Digests:
    """The digest of each chat."""

    def __init__(self, database: Database, meta: Meta) -> None:
        self._database = database
        self._meta = meta

    def begin(self, account: int, chat_id: int, mark: SyncStart) -> None:
        """Store that a sync which began at ``mark`` changed a chat."""
        self._meta.set(f"digest/{owner_of(account, chat_id)}/{chat_id}", encode(mark).decode())

    def of(self, account: int, chat_id: int) -> Digest:
        """Return the messages that the last sync changed in a chat."""
        owner = owner_of(account, chat_id)
        kept = self._meta.get(f"digest/{owner}/{chat_id}")
        if kept is None:
            return Digest()
        mark = msgspec.json.decode(kept, type=SyncStart)
        where, chat = "account = ? AND chat_id = ?", (owner, chat_id)
        new = self._database.rows(
            f"SELECT id FROM message_rows WHERE {where} AND row >= ? AND deleted_at IS NULL ORDER BY id LIMIT {_MOST}",
            (*chat, mark.row),
        )
        edited = self._database.rows(
            "SELECT v.model, m.model FROM message_versions v JOIN message_rows m ON m.row = v.message_row"
            " WHERE m.account = ? AND m.chat_id = ? AND v.replaced_at >= ? AND m.row < ? AND m.deleted_at IS NULL"
            " AND v.id = (SELECT min(id) FROM message_versions WHERE message_row = m.row AND replaced_at >= ?)"
            f" ORDER BY m.id LIMIT {_MOST}",
            (*chat, mark.since, mark.row, mark.since),
        )
        deleted = self._database.rows(
            f"SELECT id FROM message_rows WHERE {where} AND deleted_at >= ? ORDER BY id LIMIT {_MOST}",
            (*chat, mark.since),
        )
        return Digest(
            new=tuple(message_id for (message_id,) in new),
            edited=tuple((decode_message(before), decode_message(after)) for before, after in edited),
            deleted=tuple(message_id for (message_id,) in deleted),
        )
