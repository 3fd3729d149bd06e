"""Earlier texts of notes that runs replaced, so that a run can be undone. They are kept for a limited time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from tobs.archive.database import Database
from tobs.archive.encoding import id_list, unpack
from tobs.archive.notes import NoteRow, note_rows
from tobs.model.clock import Clock

#: Texts are kept for so long (seconds), and no more of them than this (bytes, packed).
KEPT_FOR = 30 * 86_400.0
KEPT_BYTES = 50_000_000

_BATCH = 500


class Replacement(NamedTuple):
    """A text that is replaced. ``was`` is the file's content (packed), empty if that is the note's base; ``wrote_hash``
    is the hash of the new content, empty if the file was removed, and ``wrote`` that text (packed), empty if it is the
    note's new base."""

    note_id: int
    was: bytes
    wrote_hash: str
    wrote: bytes = b""


class ReplacedText(Struct, frozen=True):
    """A note that a run wrote: its text before with its base, and the text written (None: the note's present base)."""

    note: NoteRow
    was: str
    was_base: str
    wrote_hash: str
    wrote: str | None


class UndoableRun(Struct, frozen=True):
    """A run and the number of notes it changed and made."""

    id: str
    command: str
    started: float
    changed: int
    made: int


class Replaced:
    """Texts that runs replaced."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def keep(self, run_id: str, texts: Sequence[Replacement]) -> None:
        """Store texts before their notes are marked as written. Of a note written twice in one run the first text
        counts; a note that this run made has none."""
        self._database.run_many(
            "INSERT INTO replaced (run, note_id, was, was_base, wrote_hash, wrote)"
            " SELECT r.number, n.id, coalesce(nullif(?2, x''), n.base, x''), iif(?2 = x'', NULL, n.base), ?3,"
            " nullif(?4, x'') FROM notes n JOIN runs r ON r.id = ?5 WHERE n.id = ?1 AND n.made_in IS NOT r.number"
            " ON CONFLICT DO UPDATE SET wrote_hash = excluded.wrote_hash, wrote = excluded.wrote",
            [(*text, run_id) for text in texts],
        )

    def made(self, run_id: str, note_ids: Iterable[int]) -> None:
        """Store that a run made notes."""
        self._database.run(
            "UPDATE notes SET made_in = (SELECT number FROM runs WHERE id = ?)"
            " WHERE id IN (SELECT value FROM json_each(?)) AND made_in IS NULL",
            (run_id, id_list(note_ids)),
        )

    def of(self, run_id: str) -> Iterator[list[ReplacedText]]:
        """Yield the texts that a run replaced in batches, by note."""
        last = 0
        while rows := self._database.rows(
            "SELECT p.note_id, p.was, p.was_base, p.wrote_hash, p.wrote FROM replaced p JOIN runs r ON r.number = p.run"
            " WHERE r.id = ? AND p.note_id > ? ORDER BY p.note_id LIMIT ?",
            (run_id, last, _BATCH),
        ):
            notes = note_rows(self._database, [row[0] for row in rows])
            yield [
                ReplacedText(
                    notes[note_id], _text(was), _text(was_base or was), wrote_hash, _text(wrote) if wrote else None
                )
                for note_id, was, was_base, wrote_hash, wrote in rows
            ]
            last = rows[-1][0]

    def bases_of(self, note_id: int) -> Iterator[str]:
        """Return the earlier rendered texts of a note, newest first."""
        for was, was_base in self._database.rows(
            "SELECT was, was_base FROM replaced WHERE note_id = ? ORDER BY run DESC LIMIT 50", (note_id,)
        ):
            yield _text(was_base or was)

    def made_in(self, run_id: str) -> Iterator[list[NoteRow]]:
        """Yield the notes that a run made and that still exist, in batches."""
        last = 0
        while rows := self._database.rows(
            "SELECT n.id FROM notes n JOIN runs r ON r.number = n.made_in"
            " WHERE r.id = ? AND n.state = 'written' AND n.id > ? ORDER BY n.id LIMIT ?",
            (run_id, last, _BATCH),
        ):
            yield list(note_rows(self._database, [row[0] for row in rows]).values())
            last = rows[-1][0]

    def runs(self) -> list[UndoableRun]:
        """Return the runs that can be undone, newest first."""
        rows = self._database.rows(
            "SELECT id, command, started, (SELECT count(*) FROM replaced WHERE run = number) AS changed,"
            " (SELECT count(*) FROM notes WHERE made_in = number) AS made FROM runs"
            " WHERE changed + made > 0 AND started > ? ORDER BY number DESC",
            (self._clock() - KEPT_FOR,),
        )
        return [UndoableRun(*row) for row in rows]

    def prune(self) -> None:
        """Delete the texts of old runs, and of the oldest ones if there are too many."""
        sums = self._database.rows(
            "SELECT r.number, r.started, sum(length(was) + coalesce(length(was_base), 0) + coalesce(length(wrote), 0))"
            " FROM replaced JOIN runs r ON r.number = run GROUP BY r.number ORDER BY r.number DESC"
        )
        total, old = 0, []
        for number, started, size in sums:
            total += size
            if total > KEPT_BYTES or started < self._clock() - KEPT_FOR:
                old.append(number)
        self._database.run("DELETE FROM replaced WHERE run IN (SELECT value FROM json_each(?))", (id_list(old),))


def _text(packed: bytes) -> str:
    return unpack(packed).decode() if packed else ""
