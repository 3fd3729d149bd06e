"""A Bloom filter over the message ids of each chat: it answers 'surely new' without a query.

The database settles each 'maybe seen' and corrects each wrong 'surely new' (``tobs.archive.record``), so a filter may
be lost or stale without harm.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from io import BytesIO

from loguru import logger
from pybloom_live import BloomFilter

from tobs.archive.database import Database

ERROR_RATE = 0.001
MIN_CAPACITY = 10_000
# A filter of a million ids is 3.6 MB: saved this often, it costs less than a tenth of what its messages do.
SAVE_EVERY_PAGES = 500
_BATCH = 50_000
# Error rate, slices, bits a slice and capacity, as pybloom-live writes them.
_HEADER = struct.calcsize("<dQQQ")


class SeenIds:
    """A Bloom filter for the ids of one chat. It doubles before it is full, which keeps the error rate."""

    def __init__(self, ids: Iterable[int], *, capacity: int) -> None:
        self._filter = BloomFilter(max(capacity, MIN_CAPACITY), ERROR_RATE)
        for message_id in ids:
            self._filter.add(message_id, skip_check=True)
        self.pages = 0

    @classmethod
    def load(cls, data: bytes, *, capacity: int) -> SeenIds:
        """Read a filter of ``capacity`` ids from the bytes of ``dump``. Raises ValueError for other bytes."""
        seen = cls((), capacity=capacity)
        empty = seen.dump()
        # The header before the count is the same for all of a capacity; another one could ask for any memory.
        if len(data) != len(empty) or data[:_HEADER] != empty[:_HEADER]:
            raise ValueError("the stored bytes are no Bloom filter of this size")
        seen._filter = BloomFilter.fromfile(BytesIO(data))
        return seen

    def dump(self) -> bytes:
        """Return the filter as bytes."""
        buffer = BytesIO()
        self._filter.tofile(buffer)
        return buffer.getvalue()

    @property
    def capacity(self) -> int:
        """Number of ids the filter can hold at its error rate."""
        return int(self._filter.capacity)

    def has_room(self, number: int) -> bool:
        """Tell if ``number`` more ids leave the filter below its capacity."""
        return len(self._filter) + number < self.capacity

    def add(self, message_id: int) -> bool:
        """Add an id. Returns True if it may have been there before, False if it surely was not."""
        return bool(self._filter.add(message_id))


class Blooms:
    """The filters of the chats in use. They are loaded at first use and saved every few pages."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loaded: dict[tuple[int, int], SeenIds] = {}

    def surely_new(self, owner: int, chat_id: int, ids: Iterable[int], *, expected: int) -> set[int]:
        """Return the ``ids`` that were never here; all of them count as seen from now on.

        ``expected`` is the number of messages the chat is said to have: it sizes a new filter.
        """
        ids = list(ids)
        seen = self._of(owner, chat_id, expected)
        if not seen.has_room(len(ids)):
            seen = self._loaded[owner, chat_id] = self._built(owner, chat_id, 2 * seen.capacity)
        seen.pages += 1
        return {message_id for message_id in ids if not seen.add(message_id)}

    def save_due(self, owner: int, chat_id: int) -> None:
        """Save the chat's filter when enough pages went through it. Call inside the transaction of the page."""
        seen = self._loaded.get((owner, chat_id))
        if seen is not None and seen.pages >= SAVE_EVERY_PAGES:
            self._save(owner, chat_id, seen)

    def save_all(self) -> None:
        """Save every filter that changed since it was loaded or saved."""
        with self._database.transaction():
            for (owner, chat_id), seen in self._loaded.items():
                if seen.pages:
                    self._save(owner, chat_id, seen)

    def _of(self, owner: int, chat_id: int, expected: int) -> SeenIds:
        seen = self._loaded.get((owner, chat_id))
        if seen is None:
            seen = self._stored(owner, chat_id) or self._built(owner, chat_id, 2 * expected)
            self._loaded[owner, chat_id] = seen
        return seen

    def _stored(self, owner: int, chat_id: int) -> SeenIds | None:
        """Return the saved filter with the rows added since; None if there is none, or it is broken or too small."""
        row = self._database.row(
            "SELECT bits, capacity, covers FROM blooms WHERE account = ? AND chat_id = ?", (owner, chat_id)
        )
        if row is None:
            return None
        bits, capacity, covers = row
        try:
            seen = SeenIds.load(bits, capacity=capacity)
        except ValueError as error:
            logger.debug("archive: the Bloom filter of chat {} is built anew: {}", chat_id, error)
            return None
        # By row: the index over the chat would be read whole, though nearly always nothing is later.
        later = self._database.rows(
            "SELECT id FROM message_rows NOT INDEXED WHERE row > ? AND account = ? AND chat_id = ?",
            (covers, owner, chat_id),
        )
        if not seen.has_room(len(later)):
            return None
        for (message_id,) in later:
            seen.add(message_id)
        return seen

    def _built(self, owner: int, chat_id: int, capacity: int) -> SeenIds:
        """Build a filter from the ids in the archive, with room for as many again."""
        chat = (owner, chat_id)
        count = self._database.value("SELECT count(*) FROM message_rows WHERE account = ? AND chat_id = ?", chat)
        return SeenIds(self._ids(owner, chat_id), capacity=max(capacity, 2 * count))

    def _ids(self, owner: int, chat_id: int) -> Iterable[int]:
        """Yield every id of a chat, deleted messages too."""
        last = None
        while True:
            rows = self._database.rows(
                "SELECT id FROM message_rows WHERE account = ? AND chat_id = ? AND (?3 IS NULL OR id > ?3)"
                " ORDER BY id LIMIT ?4",
                (owner, chat_id, last, _BATCH),
            )
            for (message_id,) in rows:
                yield message_id
            if len(rows) < _BATCH:
                return
            last = rows[-1][0]

    def _save(self, owner: int, chat_id: int, seen: SeenIds) -> None:
        self._database.run(
            "INSERT OR REPLACE INTO blooms (account, chat_id, capacity, covers, bits)"
            " SELECT ?, ?, ?, coalesce(max(row), 0), ? FROM message_rows",
            (owner, chat_id, seen.capacity, seen.dump()),
        )
        seen.pages = 0
