"""Stores for access hashes and open takeouts. The pipeline implements them with the archive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from msgspec import Struct, field

from tobs.model import PeerRecord

PostOf = Callable[[int, int], Awaitable[tuple[int, int] | None]]
"""(chat, message id) -> the post (channel, id) that the message comments; None for other messages."""


async def no_post(chat_id: int, message_id: int) -> None:
    """Return None: the default where no comments are stored."""


class PeerStore(Protocol):
    """Store of access hashes for each account (its user id)."""

    async def get(self, account: int, id: int) -> PeerRecord | None:
        """Return the record of a marked id, None for an unknown one."""

    async def find(self, account: int, username: str) -> PeerRecord | None:
        """Return the record of a username (lower case, without @), None for an unknown one."""

    def put(self, account: int, records: Iterable[PeerRecord]) -> None:
        """Take ``records`` in place of older ones with the same id; they may be stored later."""


class StoredTakeout(Struct, frozen=True):
    """A takeout session that is not finished, with the scopes it was granted. ``id`` 0: there is none."""

    id: int = 0
    scopes: frozenset[str] = frozenset()


class TakeoutStore(Protocol):
    """Store of the unfinished takeout session, so that the next run can resume it."""

    async def get(self, account: int) -> StoredTakeout:
        """Return the open takeout of an account; an empty one when there is none."""

    async def put(self, account: int, takeout: StoredTakeout) -> None:
        """Store ``takeout``; the empty one removes it."""


class MemoryPeerStore:
    """A ``PeerStore`` that lasts as long as the process."""

    def __init__(self) -> None:
        self._by_id: dict[tuple[int, int], PeerRecord] = {}
        self._by_name: dict[tuple[int, str], PeerRecord] = {}

    async def get(self, account: int, id: int) -> PeerRecord | None:
        return self._by_id.get((account, id))

    async def find(self, account: int, username: str) -> PeerRecord | None:
        return self._by_name.get((account, username.lower()))

    def put(self, account: int, records: Iterable[PeerRecord]) -> None:
        for record in records:
            self._by_id[account, record.id] = record
            if record.username:
                self._by_name[account, record.username.lower()] = record


class MemoryTakeoutStore:
    """A ``TakeoutStore`` that lasts as long as the process."""

    def __init__(self) -> None:
        self._takeouts: dict[int, StoredTakeout] = {}

    async def get(self, account: int) -> StoredTakeout:
        return self._takeouts.get(account, StoredTakeout())

    async def put(self, account: int, takeout: StoredTakeout) -> None:
        self._takeouts[account] = takeout


class Stores(Struct, frozen=True):
    """Stores of one open account; by default they last as long as the process."""

    peers: PeerStore = field(default_factory=MemoryPeerStore)
    takeouts: TakeoutStore = field(default_factory=MemoryTakeoutStore)
    post_of: PostOf = no_post
