"""Custom emoji of reactions, and the plain emoji that stands for each where Telegram was asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tobs.archive.database import Database


class CustomEmoji:
    """Custom emoji among reactions, by Telegram's id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def see(self, ids: Iterable[int]) -> None:
        """Store the ids of custom emoji that reactions use."""
        self._database.run_many("INSERT OR IGNORE INTO custom_emoji (id) VALUES (?)", [(one,) for one in ids])

    def unknown(self, limit: int) -> list[int]:
        """Return ids about which Telegram was not asked yet."""
        rows = self._database.rows("SELECT id FROM custom_emoji WHERE emoji IS NULL ORDER BY id LIMIT ?", (limit,))
        return [one for (one,) in rows]

    def put(self, names: Mapping[int, str]) -> None:
        """Store the plain emoji for custom ones, empty for one that Telegram does not know; notes that show them become
        stale."""
        with self._database.transaction():
            for one, emoji in names.items():
                self._database.run("UPDATE custom_emoji SET emoji = ? WHERE id = ?", (emoji, one))
                self._database.run(
                    "UPDATE notes SET revision = revision + 1 WHERE id IN (SELECT note_id FROM message_rows"
                    " WHERE instr(model, CAST(? AS BLOB)) > 0)",
                    (f'"custom_id":{one}',),
                )

    def name(self, custom_id: int) -> str:
        """Return the plain emoji for a custom one; empty if it is not known."""
        if not custom_id:
            return ""
        return self._database.value("SELECT emoji FROM custom_emoji WHERE id = ?", (custom_id,)) or ""
