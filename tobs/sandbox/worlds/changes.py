"""The log of a world's changes, with Telegram's pts: the source of differences and of pushed updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from tobs.model import is_channel_id

ChangeKind = Literal["new", "edit", "delete", "pin", "unpin", "react", "service"]

COMMON = 0
"""The box of private chats and basic groups, which share one pts and one sequence of message ids."""

_FIRST_COMMON_PTS = 1000


class Change(Struct, frozen=True):
    """A change of some messages. ``pts``: the state of the box after it; 0 for reactions, which have no pts."""

    kind: ChangeKind
    chat: int
    ids: tuple[int, ...]
    pts: int
    pts_count: int
    date: int


class ChangeLog:
    """The changes of each box: a channel, or all private chats and basic groups together (``COMMON``)."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Change], None]] = []
        self._pts = {COMMON: _FIRST_COMMON_PTS}
        self._changes: dict[int, list[Change]] = {}
        self._oldest: dict[int, int] = {}  # by box: the pts from which changes are stored; absent: all are stored

    def start_box(self, channel: int, pts: int) -> None:
        """Begin the log of a channel at ``pts``."""
        self._pts[channel] = pts
        self._changes[channel] = []

    def pts(self, chat: int) -> int:
        """Return the update state of the box of ``chat``."""
        return self._pts.get(_box(chat), self._pts[COMMON])

    def since(self, chat: int, pts: int) -> list[Change]:
        """Return the changes in the box of ``chat`` after ``pts``."""
        return [change for change in self._changes.get(_box(chat), []) if change.pts > pts]

    def reaches(self, chat: int, pts: int) -> bool:
        """Return True if the log still has every change after ``pts``."""
        oldest = self._oldest.get(_box(chat))
        return oldest is None or pts >= oldest

    def forget(self, chat: int) -> None:
        """Drop the changes of a box so far, so that a difference from before is too long."""
        self._oldest[_box(chat)] = self.pts(chat)
        self._changes[_box(chat)] = []

    def record(self, kind: ChangeKind, chat: int, ids: tuple[int, ...], date: int) -> Change:
        """Append a change under the next pts of its box. A reaction has no pts and is not stored."""
        pts_count = 0 if kind == "react" else len(ids)
        pts = self.pts(chat) + pts_count
        change = Change(kind, chat, ids, pts if pts_count else 0, pts_count, date)
        if pts_count:
            self._pts[_box(chat)] = pts
            self._changes.setdefault(_box(chat), []).append(change)
        return change

    def notify(self, change: Change) -> None:
        """Call the listeners with a change."""
        for listener in list(self.listeners):
            listener(change)


def _box(chat: int) -> int:
    """Return the box that counts the changes of a chat."""
    return chat if is_channel_id(chat) else COMMON
