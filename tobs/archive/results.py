"""What processors answered, so that the same file is never processed twice by the same plugin."""

from __future__ import annotations

from tobs.archive.database import Database


class Results:
    """Results by content hash, plugin, its version and the hash of its configuration."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, sha256: str, plugin: str, version: str, config_hash: str) -> bytes | None:
        """The result kept, as the JSON it was given; None where there is none."""
        result: bytes | None = self._database.value(
            "SELECT result FROM processor_results WHERE sha256 = ? AND plugin = ? AND version = ? AND config_hash = ?",
            (sha256, plugin, version, config_hash),
        )
        return result

    def put(self, sha256: str, plugin: str, version: str, config_hash: str, result: bytes) -> None:
        """Keep ``result`` (JSON) in place of an earlier one."""
        self._database.run(
            "INSERT OR REPLACE INTO processor_results VALUES (?, ?, ?, ?, ?)",
            (sha256, plugin, version, config_hash, result),
        )
