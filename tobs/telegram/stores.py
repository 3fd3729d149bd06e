"""What the telegram room asks others to keep: access hashes and open takeouts. The archive implements these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from msgspec import Struct, field

from tobs.model import PeerRecord

PostOf = Callable[[int, int], Awaitable[tuple[int, int] | None]]
"""The post (channel, id) under which a message (of a discussion group, id) is a comment; None for any other message."""


async def no_post(chat_id: int, message_id: int) -> None:
    """Who keeps no comments knows of no post."""


class PeerStore(Protocol):
    """Access hashes, kept per account (its user id)."""

    def get(self, account: int, id: int) -> PeerRecord | None:
        """The record of a marked id."""

    def find(self, account: int, username: str) -> PeerRecord | None:
        """The record of a username (lower case, without @)."""

    def put(self, account: int, records: Iterable[PeerRecord]) -> None:
        """Keep ``records``, over older ones with the same id."""


class StoredTakeout(Struct, frozen=True):
    """A takeout session that has not been finished, with the scopes it was granted. ``id`` 0: there is none."""

    id: int = 0
    scopes: frozenset[str] = frozenset()


class TakeoutStore(Protocol):
    """The takeout session that has not been finished, so that a crashed run goes on with it."""

    def get(self, account: int) -> StoredTakeout:
        """The open takeout of an account."""

    def put(self, account: int, takeout: StoredTakeout) -> None:
        """Keep ``takeout``; the empty one forgets it."""


class MemoryPeerStore:
    """A ``PeerStore`` that lasts as long as the process."""

    def __init__(self) -> None:
        self._by_id: dict[tuple[int, int], PeerRecord] = {}
        self._by_name: dict[tuple[int, str], PeerRecord] = {}

    def get(self, account: int, id: int) -> PeerRecord | None:
        return self._by_id.get((account, id))

    def find(self, account: int, username: str) -> PeerRecord | None:
        return self._by_name.get((account, username.lower()))

    def put(self, account: int, records: Iterable[PeerRecord]) -> None:
        for record in records:
            self._by_id[account, record.id] = record
            if record.username:
                self._by_name[account, record.username.lower()] = record


class MemoryTakeoutStore:
    """A ``TakeoutStore`` that lasts as long as the process."""

    def __init__(self) -> None:
        self._kept: dict[int, StoredTakeout] = {}

    def get(self, account: int) -> StoredTakeout:
        return self._kept.get(account, StoredTakeout())

    def put(self, account: int, takeout: StoredTakeout) -> None:
        self._kept[account] = takeout


class Stores(Struct, frozen=True):
    """The stores of one open account; by default they last as long as the process."""

    peers: PeerStore = field(default_factory=MemoryPeerStore)
    takeouts: TakeoutStore = field(default_factory=MemoryTakeoutStore)
    post_of: PostOf = no_post
