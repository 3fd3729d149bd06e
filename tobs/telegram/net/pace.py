"""Pace of requests and of file downloads.

A method is called as fast as answers come, until a flood wait teaches a pace, which then slowly becomes faster. All
downloads of an account share one bandwidth.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from tobs.model.clock import Clock, Sleep

_WINDOW = 10.0
_REMEMBERED = 256
_LEAST, _MOST = 0.001, 2.0
_ANSWERS_A_STEP, _SECONDS_A_STEP, _FASTER = 50, 5.0, 0.9


class Pacer:
    """Pace of one (method, data centre). Times are Unix seconds; ``interval`` 0 means that no limit is known."""

    def __init__(self, interval: float = 0.0) -> None:
        self.interval = interval
        self._next = 0.0
        self._answers = 0
        self._stepped = 0.0
        self._sent_at: deque[float] = deque(maxlen=_REMEMBERED)

    def wait(self, now: float) -> float:
        """Reserve the next slot and return the seconds until it comes."""
        if self._next > now + _MOST * _REMEMBERED:
            self._next = now  # the clock was set back
        slot = max(now, self._next)
        self._next = slot + self.interval
        return slot - now

    def record_sent(self, now: float) -> None:
        """Record that a request is sent."""
        self._sent_at.append(now)

    def record_flood(self, now: float) -> None:
        """Record a flood wait: from now on half as many requests a second as before."""
        recent = [time for time in self._sent_at if now - _WINDOW < time <= now]
        measured = (now - recent[0]) / (len(recent) - 1) if len(recent) > 1 else 0.0
        self.interval = min(_MOST, max(_LEAST, 2 * max(self.interval, measured)))
        self._answers, self._stepped = 0, now
        self._sent_at.clear()

    def record_answer(self, now: float) -> bool:
        """Record an answer. Return whether the pace became faster, which happens after some answers or seconds."""
        if not self.interval:
            return False
        self._answers += 1
        if self._answers < _ANSWERS_A_STEP and abs(now - self._stepped) < _SECONDS_A_STEP:
            return False
        self._answers, self._stepped = 0, now
        self.interval = self.interval * _FASTER if self.interval > _LEAST else 0.0
        return True


class Bandwidth:
    """Limit of ``rate`` bytes a second (0: none), in the order of the calls.

    A call is not split: the bytes of one call delay the calls after it, so that the average stays below the rate.
    """

    def __init__(
        self,
        rate: int = 0,
        *,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._free_at = 0.0

    async def take(self, size: int) -> None:
        """Wait until ``size`` more bytes may be received."""
        if not self._rate:
            return
        now = self._clock()
        start = max(now, self._free_at)
        self._free_at = start + size / self._rate
        if start > now:
            await self._sleep(start - now)
