"""Unix seconds and TL's dates."""

from __future__ import annotations

import datetime as dt


def to_date(seconds: float) -> dt.datetime:
    """A TL date, UTC, whole seconds."""
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC)


def to_seconds(date: dt.datetime | None) -> int:
    """Unix seconds of a TL date, 0 for none."""
    return 0 if date is None else int(date.timestamp())
