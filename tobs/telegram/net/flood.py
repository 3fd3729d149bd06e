"""Flood ledger: the waits that Telegram requires, shared by all workers and processes of an account."""

from __future__ import annotations

from math import ceil

from loguru import logger

from tobs.config.units import format_moment
from tobs.errors import FloodWait
from tobs.model.clock import Clock, Sleep
from tobs.telegram.net.events import FloodWaited, OnEvent, Paused
from tobs.telegram.net.flood_store import FloodStore, MethodKey, Pace, Wait
from tobs.telegram.net.pace import Pacer

_SLEEP_STEP = 30.0
"""Longest single sleep in seconds: after a suspend the clock is read again soon."""
_NONE = Wait(0.0, 0.0)
_ENDS = frozenset({"account.finishTakeoutSession"})
"""Methods that end a run; they are sent in a pause too."""


class FloodLedger:
    """Waits by method and data centre, and the pace that is learned from them.

    ``store`` keeps them: in memory, or in ``SharedFloodStore`` where processes share one account. A wait holds for
    every call of its method; a pace only for its ``bucket``, because the limits inside a takeout differ from those of
    the normal API. A wait longer than ``threshold`` seconds pauses the run: until it is over no request is sent. A wait
    longer than ``patience`` seconds is raised as FloodWait.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        sleep: Sleep,
        threshold: float,
        patience: float,
        on_event: OnEvent,
        store: FloodStore | None = None,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._threshold = threshold
        self._patience = patience
        self._on_event = on_event
        self._store = store or FloodStore()
        self._pause = _NONE
        self._pacers: dict[MethodKey, Pacer] = {}

    def remaining(self, method: str, dc: int) -> float:
        """Return the seconds until ``method`` may be called on ``dc``; 0 for now."""
        return (self._store.wait((method, dc)) or _NONE).remaining(self._clock())

    def interval(self, method: str, dc: int = 0, *, bucket: str = "") -> float:
        """Return the learned pace: seconds between two calls of ``method``, 0 before any flood wait."""
        return self._pacer((bucket + method, dc)).interval

    async def acquire(self, method: str, dc: int, *, bucket: str = "") -> None:
        """Wait until ``method`` may be called; a new wait that another worker records meanwhile counts too.

        Raises FloodWait above the patience.
        """
        pacer = self._pacer((bucket + method, dc))
        has_slot = False
        while True:
            while (seconds := self._wait_seconds(method, dc)) > 0:
                await self._sleep(min(seconds, _SLEEP_STEP))
                has_slot = False
            if has_slot or (seconds_to_slot := pacer.wait(self._clock())) <= 0:
                break
            has_slot = True
            await self._sleep(seconds_to_slot)
        pacer.record_sent(self._clock())

    def record_answer(self, method: str, dc: int, *, bucket: str = "") -> None:
        """Record an answer without a flood wait: the pace may become faster."""
        pacer = self._pacer((bucket + method, dc))
        if pacer.record_answer(self._clock()):
            self._store.put_pace((bucket + method, dc), Pace(pacer.interval, self._clock()))

    def record_wait(
        self, method: str, dc: int, seconds: float, name: str, *, slower: bool = True, bucket: str = ""
    ) -> None:
        """Record that Telegram answered ``name`` with ``seconds``. Raises FloodWait above the patience.

        ``slower``: too many requests were sent, so the pace is halved.
        """
        key, now = (method, dc), self._clock()
        remaining = self.remaining(method, dc)
        if seconds > remaining:
            if not remaining:  # answers to requests that other workers sent before belong to the same wait
                logger.info("flood wait of {} s before {} (dc {})", seconds, method, dc)
                pacer = self._pacer((bucket + method, dc))
                if slower:
                    pacer.record_flood(now)
                    self._store.put_pace((bucket + method, dc), Pace(pacer.interval, now))
                if seconds <= self._patience:
                    self._on_event(FloodWaited(method, seconds, name, dc))
            self._store.put_wait(key, Wait(now + seconds, seconds))
        self._wait_seconds(method, dc)

    def _wait_seconds(self, method: str, dc: int) -> float:
        """Return the seconds until ``method`` may be called, pauses included. Raises FloodWait above the patience."""
        now, wait = self._clock(), self._store.wait((method, dc)) or _NONE
        seconds = wait.remaining(now)
        if seconds > self._patience:
            raise FloodWait(ceil(seconds), method=method, until=format_moment(now + seconds))
        if seconds > self._threshold and wait.until > self._pause.until:
            self._pause = wait
            self._on_event(Paused(method, now + seconds, dc))
        return seconds if method in _ENDS else max(seconds, self._pause.remaining(now))

    def _pacer(self, key: MethodKey) -> Pacer:
        if key not in self._pacers:
            known = self._store.pace(key)
            self._pacers[key] = Pacer(known.interval if known is not None else 0.0)
        return self._pacers[key]
