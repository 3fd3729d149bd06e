"""Sets of ids in a table: merged intervals, both ends included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tobs.archive.database import Database

Interval = tuple[int, int]


class Intervals:
    """Sets of ids in ``table``, which has the columns ``low`` and ``high``; the columns ``key`` name the owner of a
    set."""

    def __init__(self, database: Database, table: str, key: Sequence[str]) -> None:
        self._database = database
        self._table = table
        self._marks = ", ".join("?" for _ in (*key, "low", "high"))
        self._condition = " AND ".join(f"{column} = ?" for column in key)

    def touching(self, key: Sequence[int], low: int | None, high: int | None) -> list[Interval]:
        """Return the intervals that share an id with ``[low, high]`` (None: no bound), in ascending order."""
        return self._database.rows(
            f"SELECT low, high FROM {self._table} WHERE {self._condition}"
            " AND (? IS NULL OR high >= ?) AND (? IS NULL OR low <= ?) ORDER BY low",
            (*key, low, low, high, high),
        )

    def gaps(self, key: Sequence[int], low: int, high: int) -> list[Interval]:
        """Return the intervals of ``[low, high]`` that are not in the set, in ascending order."""
        found: list[Interval] = []
        for start, end in self.touching(key, low, high):
            if start > low:
                found.append((low, min(start - 1, high)))
            low = max(low, end + 1)
        if low <= high:
            found.append((low, high))
        return [gap for gap in found if gap[0] <= gap[1]]

    def add(self, key: Sequence[int], low: int, high: int) -> None:
        """Add ``[low, high]`` to the set; no two of its intervals overlap or touch."""
        near = self.touching(key, low - 1, high + 1)
        if near:
            low, high = min(low, near[0][0]), max(high, near[-1][1])
        self._replace(key, near, [(low, high)])

    def remove(self, key: Sequence[int], low: int, high: int) -> None:
        """Remove ``[low, high]`` from the set."""
        near = self.touching(key, low, high)
        left = [(start, low - 1) for start, _ in near if start < low]
        right = [(high + 1, end) for _, end in near if end > high]
        self._replace(key, near, left + right)

    def _replace(self, key: Sequence[int], old: Iterable[Interval], new: Iterable[Interval]) -> None:
        self._database.run_many(
            f"DELETE FROM {self._table} WHERE {self._condition} AND low = ?", [(*key, low) for low, _ in old]
        )
        self._database.run_many(
            f"INSERT INTO {self._table} VALUES ({self._marks})", [(*key, low, high) for low, high in new]
        )
