"""Custom emoji that people reacted with: the emoji that stands for each, where Telegram has been asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tobs.archive.database import Database


class CustomEmoji:
    """The custom emoji among reactions, by Telegram's id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def see(self, ids: Iterable[int]) -> None:
        """Reactions with these came."""
        self._database.run_many("INSERT OR IGNORE INTO custom_emoji (id) VALUES (?)", [(one,) for one in ids])

    def unknown(self, limit: int) -> list[int]:
        """Those that Telegram has not been asked about."""
        rows = self._database.rows("SELECT id FROM custom_emoji WHERE emoji IS NULL ORDER BY id LIMIT ?", (limit,))
        return [one for (one,) in rows]

    def put(self, told: Mapping[int, str]) -> None:
        """The emoji that stand for custom ones, empty for one that nobody knows; notes that show them become stale."""
        with self._database.transaction():
            for one, emoji in told.items():
                self._database.run("UPDATE custom_emoji SET emoji = ? WHERE id = ?", (emoji, one))
                self._database.run(
                    "UPDATE notes SET revision = revision + 1 WHERE id IN (SELECT note_id FROM message_rows"
                    " WHERE instr(model, CAST(? AS BLOB)) > 0)",
                    (f'"custom_id":{one}',),
                )

    def name(self, custom_id: int) -> str:
        """The emoji that stands for a custom one; empty while it is not known."""
        if not custom_id:
            return ""
        return self._database.value("SELECT emoji FROM custom_emoji WHERE id = ?", (custom_id,)) or ""
