"""Results of processors, so that no file is processed twice by the same plugin."""

from __future__ import annotations

from collections.abc import Iterable

from tobs.archive.database import Database

# SHA-256 of the file, plugin, its version, hash of its configuration: see ``tobs.plugin.results``.
ResultKey = tuple[str, str, str, str]


class Results:
    """Results (JSON) by key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, keys: Iterable[ResultKey]) -> list[bytes | None]:
        """Return the stored result of each key, None if there is none."""
        return [
            self._database.value(
                "SELECT result FROM processor_results"
                " WHERE sha256 = ? AND plugin = ? AND version = ? AND config_hash = ?",
                key,
            )
            for key in keys
        ]

    def put(self, rows: Iterable[tuple[ResultKey, bytes]]) -> None:
        """Store results, over earlier ones of the same key."""
        with self._database.transaction():
            self._database.run_many(
                "INSERT OR REPLACE INTO processor_results VALUES (?, ?, ?, ?, ?)",
                [(*key, result) for key, result in rows],
            )
