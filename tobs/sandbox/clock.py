"""The sandbox's clock: the given one plus what ``/clock`` has added."""

from __future__ import annotations

from collections.abc import Callable


class Clock:
    """Unix seconds of the world. MTProto's own message ids keep to the real clock: clients compare it with theirs."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.ahead = 0.0

    def __call__(self) -> float:
        return self._now() + self.ahead

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once."""
        self.ahead += seconds
