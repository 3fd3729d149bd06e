"""What a sync recorded, in the report."""

from __future__ import annotations

from collections.abc import Iterable

from tobs.archive import Recorded
from tobs.pipeline.context.run_context import RunContext


def count_recorded(context: RunContext, recorded: Iterable[Recorded]) -> None:
    """Count what pages brought."""
    report = context.reporter.report
    for one in recorded:
        report.messages.fetched += one.new + one.edited + one.unchanged
        report.messages.new += one.new
        report.messages.edited += one.edited
        report.media.wanted += one.wanted
