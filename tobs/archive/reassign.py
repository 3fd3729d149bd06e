"""Rows that move to another owner or chat: imported before a login, or filed under a group with a wrong id."""

from __future__ import annotations

from tobs.archive.database import Database
from tobs.archive.stale import mark_notes_of_rows

#: Every table whose rows belong to a chat, with the names of its columns for the account and the chat.
TABLES = {
    "chats": ("account", "id"),
    "topics": ("account", "chat_id"),
    "chat_layouts": ("account", "chat_id"),
    "notes": ("account", "chat_id"),
    "message_rows": ("account", "chat_id"),
    "update_states": ("account", "chat_id"),
    "followed": ("account", "chat_id"),
    "coverage": ("account", "chat_id"),
    "topic_coverage": ("account", "chat_id"),
    "unreadable": ("account", "chat_id"),
    "blooms": ("account", "chat_id"),
    "media": ("account", "chat_id"),
    "files": ("account", "chat_id"),
    "note_links": ("account", "chat_id"),
}
#: Channels and supergroups lie below: their messages are nobody's in particular.
_CHANNELS = -(10**12)


def adopt(database: Database, account: int) -> None:
    """Give chats without an account (0), except channels and supergroups, to ``account``."""
    with database.transaction():
        for table, (owner, chat) in TABLES.items():
            database.run(
                f"UPDATE OR REPLACE {table} SET {owner} = ? WHERE {owner} = 0 AND {chat} > ? AND {chat} <> 0",
                (account, _CHANNELS),
            )


def rename_chat(database: Database, before: int, after: int) -> bool:
    """Move messages, files and notes of the chat with marked id ``before`` to ``after``, which has no message yet.
    Returns False if there was nothing to move."""
    if database.row("SELECT 1 FROM chats WHERE id = ?", (before,)) is None:
        return False
    with database.transaction():
        for table, (_, chat) in TABLES.items():
            database.run(f"UPDATE OR REPLACE {table} SET {chat} = ? WHERE {chat} = ?", (after, before))
        start, length = f"{before}/", len(f"{before}/")
        for table, column in (("notes", "tobs_id"), ("paths", "owner")):
            database.run(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                (f"{after}/", length + 1, length, start),
            )
        for path in ("$.chat_id", "$.reply.chat_id"):
            rows = database.rows(
                "SELECT row FROM message_rows WHERE json_extract(CAST(model AS TEXT), ?) = ?", (path, before)
            )
            database.run_many(
                "UPDATE message_rows SET model = CAST(json_set(CAST(model AS TEXT), ?, ?) AS BLOB) WHERE row = ?",
                [(path, after, row) for (row,) in rows],
            )
            mark_notes_of_rows(database, [row for (row,) in rows])
    return True
