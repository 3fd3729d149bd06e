"""The messages of one chat: an immutable base and an overlay of posted, edited and deleted messages."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from typing import Protocol

from telethon.extensions import BinaryReader

from tobs.sandbox.worlds.files import FileLocations
from tobs.sandbox.worlds.tl import Tl, peers_in


class Base(Protocol):
    """The messages of a new world, ascending by id. ``top_id`` is 0 without messages."""

    @property
    def count(self) -> int: ...
    @property
    def top_id(self) -> int: ...
    def rank(self, id: int) -> int:
        """Return the number of messages with a smaller id."""
        ...

    def at(self, rank: int) -> int:
        """Return the id of message ``rank``, 0 the oldest; ``0 <= rank < count``."""
        ...

    def has(self, id: int) -> bool: ...
    def rank_of_date(self, date: int) -> int:
        """Return the number of messages older than Unix time ``date``."""
        ...

    def message(self, id: int) -> Tl:
        """Return a new ``Message`` or ``MessageService``, which the caller may change."""
        ...

    def peek(self, id: int) -> Tl:
        """Return message ``id``, which the caller must not change."""
        ...

    def raw(self, id: int) -> bytes: ...
    def peers(self, id: int) -> Iterable[int]:
        """Return the marked ids of the users and chats that message ``id`` names."""
        ...


class MemoryBase:
    """A base that holds its messages in memory: for worlds of some thousand messages."""

    def __init__(self, messages: Iterable[Tl], locations: FileLocations) -> None:
        self._by_id: dict[int, Tl] = {int(message.id): message for message in messages}
        self._ids = sorted(self._by_id)
        self._dates = [int(self._by_id[id].date.timestamp()) for id in self._ids]
        self._locations = locations
        self._raw: dict[int, bytes] = {}
        self._version = -1

    @property
    def count(self) -> int:
        return len(self._ids)

    @property
    def top_id(self) -> int:
        return self._ids[-1] if self._ids else 0

    def rank(self, id: int) -> int:
        return bisect_left(self._ids, id)

    def at(self, rank: int) -> int:
        return self._ids[rank]

    def has(self, id: int) -> bool:
        return id in self._by_id

    def rank_of_date(self, date: int) -> int:
        return bisect_left(self._dates, date)

    def message(self, id: int) -> Tl:
        return copy_of(self._locations.refresh(self._by_id[id]))

    def peek(self, id: int) -> Tl:
        return self._by_id[id]

    def raw(self, id: int) -> bytes:
        if self._version != self._locations.version:
            self._raw.clear()
            self._version = self._locations.version
        data = self._raw.get(id)
        if data is None:
            data = self._raw[id] = bytes(self._locations.refresh(self._by_id[id]))
        return data

    def peers(self, id: int) -> Iterable[int]:
        return peers_in(self._by_id[id])


def copy_of(item: Tl) -> Tl:
    """Return a deep copy, by serialising and parsing."""
    return BinaryReader(bytes(item)).tgread_object()


class History:
    """The current messages of one chat. Positions count from the newest message, which is 0."""

    def __init__(self, base: Base, locations: FileLocations) -> None:
        self.base = base
        self._locations = locations
        self._posted: list[int] = []
        self._changed: dict[int, Tl] = {}
        self._deleted: list[int] = []  # ranks in the base, ascending
        self._highest = base.top_id

    @property
    def count(self) -> int:
        return self.base.count - len(self._deleted) + len(self._posted)

    @property
    def top_id(self) -> int:
        """The id of the newest message; 0 without messages."""
        return self.at(0) if self.count else 0

    @property
    def highest_id(self) -> int:
        """The highest id ever given, also to a deleted message: the next message gets a higher one."""
        return self._highest

    def position(self, id: int) -> int:
        """Return the number of messages with an id >= ``id``."""
        rank = self.base.rank(id)
        return self.count - (rank - bisect_left(self._deleted, rank)) - bisect_left(self._posted, id)

    def position_of_date(self, date: int) -> int:
        """Return the number of messages that are not older than Unix time ``date``."""
        rank = self.base.rank_of_date(date)
        older = rank - bisect_left(self._deleted, rank)
        older += sum(1 for id in self._posted if self._changed[id].date.timestamp() < date)
        return self.count - older

    def at(self, position: int) -> int:
        """Return the id of the message at ``position``; ``0 <= position < count``."""
        if position < len(self._posted):
            return self._posted[-1 - position]
        live = self.count - 1 - position
        rank = live
        while (stepped := live + bisect_right(self._deleted, rank)) != rank:
            rank = stepped
        return self.base.at(rank)

    def slice(self, start: int, stop: int) -> list[int]:
        """Return the ids at positions ``[start, stop)``, newest first; positions outside are cut off."""
        return [self.at(position) for position in range(max(0, start), min(stop, self.count))]

    def has(self, id: int) -> bool:
        if id in self._changed:
            return True
        if not self.base.has(id):
            return False
        rank = self.base.rank(id)
        found = bisect_left(self._deleted, rank)
        return not (found < len(self._deleted) and self._deleted[found] == rank)

    def get(self, id: int) -> Tl | None:
        """Return a copy of message ``id``; None if there is none."""
        if id in self._changed:
            return copy_of(self._locations.refresh(self._changed[id]))
        return self.base.message(id) if self.has(id) else None

    def peek(self, id: int) -> Tl:
        """Return an existing message, which the caller must not change; its file references may be old."""
        return self._changed.get(id) or self.base.peek(id)

    def raw(self, id: int) -> bytes:
        """Return the TL bytes of an existing message."""
        changed = self._changed.get(id)
        return self.base.raw(id) if changed is None else bytes(self._locations.refresh(changed))

    def peers(self, id: int) -> Iterable[int]:
        changed = self._changed.get(id)
        return self.base.peers(id) if changed is None else peers_in(changed)

    def put(self, message: Tl) -> None:
        """Add a message with a new id, or replace an existing one."""
        if not self.has(message.id):
            if message.id <= self._highest:
                raise ValueError(f"message id {message.id} was given before")
            insort(self._posted, message.id)
            self._highest = message.id
        self._changed[message.id] = message

    def delete(self, ids: Sequence[int]) -> list[int]:
        """Delete messages; return the ids that existed."""
        deleted = [id for id in ids if self.has(id)]
        for id in deleted:
            self._changed.pop(id, None)
            if id in self._posted:
                self._posted.remove(id)
            else:
                insort(self._deleted, self.base.rank(id))
        return deleted
