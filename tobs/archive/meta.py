"""Single values an archive remembers."""

from __future__ import annotations

from collections.abc import Iterable

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


class Takeouts:
    """The takeout session each account has open, so that a run that crashed goes on with it."""

    def __init__(self, meta: Meta) -> None:
        self._meta = meta

    def get(self, account: int) -> tuple[int, frozenset[str]]:
        """The id of the open takeout (0: none) and the scopes it was granted."""
        number, *scopes = (self._meta.get(f"takeout/{account}") or "0").split(" ")
        return int(number), frozenset(scopes)

    def put(self, account: int, takeout_id: int, scopes: Iterable[str] = ()) -> None:
        """Remember an open takeout; 0 forgets it."""
        told = " ".join([str(takeout_id), *sorted(scopes)])
        self._meta.set(f"takeout/{account}", told if takeout_id else None)
