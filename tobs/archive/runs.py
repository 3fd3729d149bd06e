"""Runs, one row each; an interrupted run has no end."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from tobs.archive.database import Database
from tobs.archive.encoding import encode
from tobs.model.clock import Clock

_COLUMNS = "id, command, targets, started, finished, report"


class RunRow(Struct, frozen=True):
    """A run. ``finished`` is None if it was interrupted or is still going; ``report`` is its JSON."""

    id: str
    command: str
    targets: tuple[str, ...]
    started: float
    finished: float | None
    report: bytes | None


class Runs:
    """Runs of a vault."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def start(self, run_id: str, command: str, targets: Sequence[str]) -> None:
        """Store that a run begins now."""
        self._database.run(
            "INSERT INTO runs (id, command, targets, started) VALUES (?, ?, ?, ?)",
            (run_id, command, encode(list(targets)), self._clock()),
        )

    def finish(self, run_id: str, report: bytes) -> None:
        """Store that a run ends now, with ``report`` (JSON)."""
        self._database.run("UPDATE runs SET finished = ?, report = ? WHERE id = ?", (self._clock(), report, run_id))

    def last(self, command: str | None = None) -> RunRow | None:
        """Return the run started last (of ``command``)."""
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM runs WHERE ?1 IS NULL OR command = ?1 ORDER BY started DESC, rowid DESC LIMIT 1",
            (command,),
        )
        if row is None:
            return None
        run_id, command, targets, started, finished, report = row
        return RunRow(run_id, command, tuple(msgspec.json.decode(targets)), started, finished, report)
