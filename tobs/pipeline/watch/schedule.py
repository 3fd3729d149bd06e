"""The schedule of a watch: polls at an interval, and times without requests. Times are Unix seconds."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Literal

from msgspec import Struct

from tobs.model.clock import Clock
from tobs.pipeline.watch.status import is_paused

#: Reasons to send no requests: a flood wait, a pause by the owner, quiet hours.
RestReason = Literal["waiting", "paused", "quiet"]


class Schedule(Struct, frozen=True):
    """The interval of polls and the quiet hours. ``every`` is in seconds, ``quiet`` two times of the day in ``zone``
    (None: no quiet hours); they may span midnight."""

    every: float
    zone: tzinfo
    quiet: tuple[time, time] | None = None

    def is_quiet(self, now: float) -> bool:
        """Return whether ``now`` is in the quiet hours."""
        if self.quiet is None:
            return False
        begin, end = self.quiet
        local = datetime.fromtimestamp(now, self.zone).time()
        return begin <= local < end if begin <= end else local >= begin or local < end

    def next(self, last: float, now: float) -> float:
        """Return the time of the poll after the one at ``last``: not before ``now``, not in quiet hours.

        It is at most ``every`` seconds from now, also after the clock was set back.
        """
        due = max(now, min(last + self.every, now + self.every))
        if not self.is_quiet(due) or self.quiet is None:
            return due
        local = datetime.fromtimestamp(due, self.zone)
        end = datetime.combine(local.date(), self.quiet[1], self.zone)
        return (end if end > local else end + timedelta(days=1)).timestamp()


class RequestSchedule:
    """Decides when a watch sends requests: by ``schedule``, by the owner's pause of the vault at ``root``, and by flood
    waits."""

    def __init__(self, root: Path, schedule: Schedule, clock: Clock) -> None:
        self._root = root
        self._schedule = schedule
        self._clock = clock
        self._flood_wait_until = 0.0

    def rest_reason(self) -> RestReason | None:
        """Return the reason to send no requests now, None if there is none."""
        if is_paused(self._root):
            return "paused"
        if self._clock() < self._flood_wait_until:
            return "waiting"
        return "quiet" if self._schedule.is_quiet(self._clock()) else None

    def wait_out(self, seconds: float) -> None:
        """Send no requests for ``seconds`` from now: Telegram asks for it."""
        self._flood_wait_until = max(self._flood_wait_until, self._clock() + seconds)

    def is_poll_due(self, last: float) -> bool:
        """Return whether all chats are to be polled now; ``last`` is the time of the last poll of all."""
        return self._clock() >= self._schedule.next(last, last)

    def wake_at(self, last: float, next_poll: float | None) -> float:
        """Return the time at which the watch has work without an event. ``last`` is the time of the last poll of all
        chats, ``next_poll`` the time at which a single channel is to be polled."""
        now = self._clock()
        match self.rest_reason():
            case "waiting":
                return self._flood_wait_until  # then the postponed work can be done
            case "paused":
                return self._schedule.next(now, now)  # the end of the pause wakes the watch earlier
            case "quiet":
                return self._schedule.next(last, now)
        scheduled = self._schedule.next(last, now)
        return scheduled if next_poll is None else min(scheduled, next_poll)


def read_quiet(text: str) -> tuple[time, time] | None:
    """Parse quiet hours like ``23:00-07:00``; return None for an empty text."""
    if not text:
        return None
    begin, _, end = text.partition("-")
    return time.fromisoformat(begin), time.fromisoformat(end)
