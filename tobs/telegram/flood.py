"""The flood ledger: what Telegram said to wait, kept once for all workers of an account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping

from loguru import logger

from tobs.errors import FloodWait
from tobs.telegram.events import FloodWaited, OnEvent

Key = tuple[str, int]
"""(method, dc)."""


class FloodLedger:
    """Waits by method and data centre, as Unix times before which nothing is sent.

    ``waits`` is where they are kept: a dict here, a mapping over a file where processes share one account.
    A wait longer than ``threshold`` seconds is raised as FloodWait and not waited for.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        threshold: float,
        on_event: OnEvent,
        waits: MutableMapping[Key, float] | None = None,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._threshold = threshold
        self._on_event = on_event
        self._waits: MutableMapping[Key, float] = {} if waits is None else waits

    def remaining(self, method: str, dc: int) -> float:
        """Seconds until ``method`` may be called on ``dc``; 0 for now."""
        return max(0.0, self._waits.get((method, dc), 0.0) - self._clock())

    async def gate(self, method: str, dc: int) -> None:
        """Return when ``method`` may be called. Another worker may meet a new wait meanwhile: it is waited too."""
        while (seconds := self.remaining(method, dc)) > 0:
            if seconds > self._threshold:
                raise FloodWait(round(seconds), method=method)
            await self._sleep(seconds)

    def note(self, method: str, dc: int, seconds: float, name: str) -> None:
        """Telegram answered ``name`` with ``seconds``. Raises FloodWait above the threshold."""
        until = self._clock() + seconds
        if until > self._waits.get((method, dc), 0.0):
            news = self.remaining(method, dc) == 0
            self._waits[method, dc] = until
            if news:  # the other workers' answers to requests already under way are the same wait
                logger.info("flood wait of {} s before {} (dc {})", seconds, method, dc)
                self._on_event(FloodWaited(method, seconds, name, dc))
        if seconds > self._threshold:
            raise FloodWait(round(seconds), name=name, method=method)
