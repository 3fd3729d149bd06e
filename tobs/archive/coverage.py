"""Which message ids are settled: a set of merged intervals a chat, both ends included."""

from __future__ import annotations

from collections.abc import Iterable

from tobs.archive.database import Database
from tobs.archive.encoding import owner_of

Interval = tuple[int, int]


class Coverage:
    """The intervals of ids of which nothing is unknown any more, and the ids in them that could not be read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def covered(self, account: int, chat_id: int) -> list[Interval]:
        """The settled intervals in ascending order; no two overlap or touch."""
        return self._touching(account, chat_id, None, None)

    def watermark(self, account: int, chat_id: int) -> int:
        """Up to which id everything from 1 on is settled; 0 where id 1 is not."""
        high = self._database.value(
            "SELECT high FROM coverage WHERE account = ? AND chat_id = ? AND low <= 1 AND high >= 1",
            (owner_of(account, chat_id), chat_id),
        )
        return high or 0

    def gaps(self, account: int, chat_id: int, low: int, high: int) -> list[Interval]:
        """What of ``[low, high]`` is not settled, in ascending order."""
        found: list[Interval] = []
        for start, end in self._touching(account, chat_id, low, high):
            if start > low:
                found.append((low, min(start - 1, high)))
            low = max(low, end + 1)
        if low <= high:
            found.append((low, high))
        return [gap for gap in found if gap[0] <= gap[1]]

    def add(self, account: int, chat_id: int, low: int, high: int, unreadable: Iterable[tuple[int, str]] = ()) -> None:
        """Settle ``[low, high]`` (nothing where ``high < low``); of its ids only ``unreadable`` could not be read."""
        owner = owner_of(account, chat_id)
        with self._database.transaction():
            self._database.run(
                "DELETE FROM unreadable WHERE account = ? AND chat_id = ? AND id BETWEEN ? AND ?",
                (owner, chat_id, low, high),
            )
            self._database.run_many(
                "INSERT OR REPLACE INTO unreadable VALUES (?, ?, ?, ?)",
                [(owner, chat_id, message_id, reason) for message_id, reason in unreadable],
            )
            if high < low:
                return
            near = self._touching(account, chat_id, low - 1, high + 1)
            if near:
                low, high = min(low, near[0][0]), max(high, near[-1][1])
            self._replace(account, chat_id, near, [(low, high)])

    def forget(self, account: int, chat_id: int, low: int, high: int) -> None:
        """Make ``[low, high]`` unknown again, so that it is fetched anew."""
        if high < low:
            return
        with self._database.transaction():
            near = self._touching(account, chat_id, low, high)
            left = [(start, low - 1) for start, _ in near if start < low]
            right = [(high + 1, end) for _, end in near if end > high]
            self._replace(account, chat_id, near, left + right)

    def unreadable(self, account: int, chat_id: int) -> list[tuple[int, str]]:
        """Ids that exist but could not be read, each with its reason, in ascending order."""
        return self._database.rows(
            "SELECT id, reason FROM unreadable WHERE account = ? AND chat_id = ? ORDER BY id",
            (owner_of(account, chat_id), chat_id),
        )

    def _touching(self, account: int, chat_id: int, low: int | None, high: int | None) -> list[Interval]:
        """The intervals that share an id with ``[low, high]`` (None: no bound), in ascending order."""
        return self._database.rows(
            "SELECT low, high FROM coverage WHERE account = ? AND chat_id = ?"
            " AND (?3 IS NULL OR high >= ?3) AND (?4 IS NULL OR low <= ?4) ORDER BY low",
            (owner_of(account, chat_id), chat_id, low, high),
        )

    def _replace(self, account: int, chat_id: int, old: list[Interval], new: list[Interval]) -> None:
        owner = owner_of(account, chat_id)
        self._database.run_many(
            "DELETE FROM coverage WHERE account = ? AND chat_id = ? AND low = ?",
            [(owner, chat_id, low) for low, _ in old],
        )
        self._database.run_many(
            "INSERT INTO coverage VALUES (?, ?, ?, ?)", [(owner, chat_id, low, high) for low, high in new]
        )
