"""Outcomes of notes and of processors, as a run report counts them."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

#: The result of writing one note or settings file.
NoteOutcome = Literal["created", "updated", "unchanged", "merged", "conflict", "preserved", "deleted"]


class ProcessorCounts(Struct):
    """Items of one processor; ``cached`` used an earlier result, ``skipped`` met a processor that was off."""

    done: int = 0
    cached: int = 0
    skipped: int = 0
    failed: int = 0
