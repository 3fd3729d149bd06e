"""What is waiting to be done, and the bell that wakes who does it."""

from __future__ import annotations

import asyncio

from msgspec import Struct, field

from tobs.telegram.sync.updates import PushedUpdate


class PendingWork(Struct):
    """What there is to do: boxes of Telegram to ask about (``everything``: all of them), messages whose counters
    moved, files of the vault that changed (paths from its root), things dropped into the inbox."""

    boxes: set[int] = field(default_factory=set)
    everything: bool = False
    counted: set[tuple[int, int]] = field(default_factory=set)
    files: set[str] = field(default_factory=set)

    @property
    def asks_telegram(self) -> bool:
        """Whether there is something to ask Telegram."""
        return bool(self.boxes or self.everything)


class ChangeQueue:
    """Collects what is due. However often it is rung, each thing is there once."""

    def __init__(self) -> None:
        self._due = PendingWork()
        self._event = asyncio.Event()

    def pushed(self, push: PushedUpdate) -> None:
        """Telegram pushed something."""
        self._due.boxes |= push.boxes
        self._due.counted |= set(push.counted)
        self._due.everything |= push.everything
        if push.boxes or push.everything:
            self._event.set()

    def changed(self, paths: set[str]) -> None:
        """Files of the vault changed."""
        self._due.files |= paths
        self._event.set()

    def wake(self) -> None:
        """Something else has to be looked at."""
        self._event.set()

    def put_back(self, due: PendingWork) -> None:
        """Something could not be done: it is due again the next time, and nobody is woken for it."""
        self._due.boxes |= due.boxes
        self._due.counted |= due.counted
        self._due.everything |= due.everything
        self._due.files |= due.files

    @property
    def event(self) -> asyncio.Event:
        """Set while there is something."""
        return self._event

    def take(self, *, with_telegram: bool = True) -> PendingWork:
        """What is due, which is then no more; without ``with_telegram`` what concerns Telegram stays."""
        self._event.clear()
        due, self._due = self._due, PendingWork()
        if not with_telegram:
            self._due = PendingWork(due.boxes, due.everything, due.counted)
            due = PendingWork(files=due.files)
        return due
