"""Single values of an archive, by name."""

from __future__ import annotations

from collections.abc import Iterable

from tobs.archive.database import Database


class Meta:
    """Text values by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> str | None:
        """Return the value of ``key``, None if it was never set."""
        value: str | None = self._database.value("SELECT value FROM meta WHERE key = ?", (key,))
        return value

    def set(self, key: str, value: str | None) -> None:
        """Store ``value``; None deletes it."""
        if value is None:
            self._database.run("DELETE FROM meta WHERE key = ?", (key,))
        else:
            self._database.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


class Takeouts:
    """Open takeout session of each account, so that the next run continues it after a crash."""

    def __init__(self, meta: Meta) -> None:
        self._meta = meta

    def get(self, account: int) -> tuple[int, frozenset[str]]:
        """Return the id of the open takeout (0: none) and the scopes it was granted."""
        number, *scopes = (self._meta.get(f"takeout/{account}") or "0").split(" ")
        return int(number), frozenset(scopes)

    def put(self, account: int, takeout_id: int, scopes: Iterable[str] = ()) -> None:
        """Store an open takeout; id 0 deletes it."""
        value = " ".join([str(takeout_id), *sorted(scopes)])
        self._meta.set(f"takeout/{account}", value if takeout_id else None)
