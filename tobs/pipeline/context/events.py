"""The events of one run: emitted by its stages, handed to every consumer in the order in which they happen."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from tobs.errors import TobsError
from tobs.model.clock import Clock
from tobs.model.events import (
    Consumer,
    DoubtFound,
    FaultRecovered,
    FloodWaitStarted,
    MediaCounted,
    NoticeShown,
    ProblemFound,
    RunEvent,
    RunPaused,
)


class RunEvents:
    """Hands events to consumers. Stages call it from the event loop and from the archive's thread: a lock keeps one
    event after the other. ``clock`` gives Unix seconds; ``run_id``, ``command`` and ``targets`` name the run."""

    def __init__(self, run_id: str, command: str, targets: Sequence[str], clock: Clock) -> None:
        self.run_id = run_id
        self.command = command
        self.targets = tuple(targets)
        self._clock = clock
        self._lock = threading.RLock()
        self._consumers: list[Consumer] = []
        self._postponed: set[str] = set()
        self._waiting_until = 0.0

    @property
    def now(self) -> float:
        """The time, Unix seconds."""
        return self._clock()

    def subscribe(self, consumer: Consumer) -> None:
        """Hand every later event to ``consumer``, too."""
        with self._lock:
            self._consumers.append(consumer)

    def unsubscribe(self, consumer: Consumer) -> None:
        """Hand no more events to ``consumer``. Raises ValueError for one that is not subscribed."""
        with self._lock:
            self._consumers.remove(consumer)

    def emit(self, event: RunEvent) -> None:
        """Hand ``event`` to all consumers, in the order in which they subscribed."""
        with self._lock:
            for consumer in self._consumers:
                consumer(event)

    def problem(self, what: str, item: str, reason: str, *, retryable: bool = True) -> None:
        """Report an item that failed in the end."""
        self.emit(ProblemFound(what, item, reason, retryable))

    def failed(self, error: TobsError, item: str) -> None:
        """Report an error that ended the work on ``item``."""
        self.problem(type(error).__name__, item, str(error))

    def doubt(self, what: str, item: str, reason: str) -> None:
        """Report a result that is worth a look."""
        self.emit(DoubtFound(what, item, reason))

    def recovered(self, what: str) -> None:
        """Report a fault that was overcome."""
        self.emit(FaultRecovered(what))

    def notice(self, text: str) -> None:
        """Show the owner a sentence while the run goes on."""
        self.emit(NoticeShown(text))

    def postponed(self, count: int, chat: str, reason: str, *, is_fault: bool) -> None:
        """Report files of a chat that are left to a later run, because of a limit or by a fault."""
        self.emit(MediaCounted(postponed=count))
        if is_fault:
            return self.problem("media", f"files of {chat}", f"left to a later run: {reason}")
        text = f"Files of {chat} are left to a later run (or tobs process): {reason}"
        if text not in self._postponed:
            self._postponed.add(text)
            self.notice(text)
            self.recovered(text)

    def flood_wait(self, method: str, seconds: float) -> None:
        """Report a flood wait of so many seconds before ``method`` is called again."""
        self._waiting_until = self._clock() + seconds
        self.emit(FloodWaitStarted(method, self._waiting_until, seconds))
        self.recovered(f"flood wait on {method}")

    def paused(self, method: str, until: float) -> None:
        """Report a pause of the run ``until`` then (Unix seconds). Also counts a wait that an earlier run began."""
        if until > self._waiting_until + 1:
            self.flood_wait(method, until - self._clock())
        self.emit(RunPaused(method, until))
