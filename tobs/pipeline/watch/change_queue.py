"""The queue of work that events have caused; it wakes the watch."""

from __future__ import annotations

import asyncio

from msgspec import Struct, field

from tobs.telegram.sync.updates import PushedUpdate


class PendingWork(Struct):
    """Work of a watch: ``boxes`` whose changes are to be fetched (``everything``: those of all), messages (chat, id)
    whose counters changed (``counted``), and changed files of the vault (paths from its root)."""

    boxes: set[int] = field(default_factory=set)
    everything: bool = False
    counted: set[tuple[int, int]] = field(default_factory=set)
    files: set[str] = field(default_factory=set)


class ChangeQueue:
    """Collects work, each item once."""

    def __init__(self) -> None:
        self._pending = PendingWork()
        self._event = asyncio.Event()

    def pushed(self, push: PushedUpdate) -> None:
        """Add the work of an update that Telegram pushed."""
        self._pending.boxes |= push.boxes
        self._pending.counted |= set(push.counted)
        self._pending.everything |= push.everything
        if push.boxes or push.everything:
            self._event.set()

    def changed(self, paths: set[str]) -> None:
        """Add changed files of the vault."""
        self._pending.files |= paths
        self._event.set()

    def wake(self) -> None:
        """Wake the watch for another reason."""
        self._event.set()

    def put_back(self, work: PendingWork) -> None:
        """Add work that failed, without waking the watch."""
        self._pending.boxes |= work.boxes
        self._pending.counted |= work.counted
        self._pending.everything |= work.everything
        self._pending.files |= work.files

    @property
    def event(self) -> asyncio.Event:
        """The event that is set while there is new work."""
        return self._event

    def take(self, *, with_telegram: bool = True) -> PendingWork:
        """Remove the work from the queue and return it; without ``with_telegram`` work that needs requests stays."""
        self._event.clear()
        work, self._pending = self._pending, PendingWork()
        if not with_telegram:
            self._pending = PendingWork(work.boxes, work.everything, work.counted)
            work = PendingWork(files=work.files)
        return work
