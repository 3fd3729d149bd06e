"""Single values an archive remembers (a takeout id, the state of updates ...)."""

from __future__ import annotations

from tobs.archive.database import Database


class Meta:
    """Text values by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> str | None:
        """The value of ``key``, None where it was never set."""
        value: str | None = self._database.value("SELECT value FROM meta WHERE key = ?", (key,))
        return value

    def set(self, key: str, value: str | None) -> None:
        """Remember ``value``; None forgets it."""
        if value is None:
            self._database.run("DELETE FROM meta WHERE key = ?", (key,))
        else:
            self._database.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
