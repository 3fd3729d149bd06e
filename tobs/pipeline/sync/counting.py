"""Counting of what a sync recorded."""

from __future__ import annotations

from collections.abc import Iterable

from tobs.archive import Recorded
from tobs.model.events import MediaCounted, MessagesCounted
from tobs.pipeline.context.run_context import RunContext


def count_recorded(context: RunContext, recorded: Iterable[Recorded]) -> None:
    """Report the messages and files that pages added."""
    for one in recorded:
        context.events.emit(MessagesCounted(one.new + one.edited + one.unchanged, one.new, one.edited))
        context.events.emit(MediaCounted(wanted=one.wanted))
