"""When a watch looks by itself: every so often, and not in quiet hours. Pure; times are Unix seconds."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

from msgspec import Struct


class Schedule(Struct, frozen=True):
    """``every`` is in seconds, ``quiet`` two times of the day in ``zone`` (None: no quiet hours); they may span
    midnight."""

    every: float
    zone: tzinfo
    quiet: tuple[time, time] | None = None

    def is_quiet(self, now: float) -> bool:
        """Whether Telegram is left alone at ``now``."""
        if self.quiet is None:
            return False
        begin, end = self.quiet
        here = datetime.fromtimestamp(now, self.zone).time()
        return begin <= here < end if begin <= end else here >= begin or here < end

    def next(self, last: float, now: float) -> float:
        """When to look after having looked at ``last``: not before ``now``, not in quiet hours.

        A clock that was set back does not make the next time later than ``every`` from now.
        """
        due = max(now, min(last + self.every, now + self.every))
        if not self.is_quiet(due) or self.quiet is None:
            return due
        here = datetime.fromtimestamp(due, self.zone)
        end = datetime.combine(here.date(), self.quiet[1], self.zone)
        return (end if end > here else end + timedelta(days=1)).timestamp()


def read_quiet(text: str) -> tuple[time, time] | None:
    """``23:00-07:00`` as two times; empty for none."""
    if not text:
        return None
    begin, _, end = text.partition("-")
    return time.fromisoformat(begin), time.fromisoformat(end)
