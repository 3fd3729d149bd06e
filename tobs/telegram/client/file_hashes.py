"""SHA-256 of the ranges of a file as Telegram has them: what proves that a part came undamaged.

Source: https://core.telegram.org/method/upload.getFileHashes
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable
from hashlib import sha256
from typing import Any

from msgspec import Struct

from tobs.errors import FloodWait, RequestRefused

AskHashes = Callable[[int], Awaitable[list[Any]]]
"""offset -> TL FileHash list, of ranges at and behind it. Raises RequestRefused where none are offered."""

_REFUSALS = 3


class Range(Struct, frozen=True):
    """``size`` bytes from ``offset`` on have the SHA-256 ``digest``."""

    offset: int
    size: int
    digest: bytes

    @property
    def end(self) -> int:
        """The offset behind its last byte."""
        return self.offset + self.size


class HashAvailability:
    """Whether Telegram gives hashes at all, learned from the files so far: who never does is not asked for ever."""

    def __init__(self) -> None:
        self._refused = 0

    @property
    def likely(self) -> bool:
        return self._refused < _REFUSALS

    def record(self, *, offered: bool) -> None:
        """One file's hashes were given, or not."""
        self._refused = 0 if offered else self._refused + 1


class FileHashes:
    """The hashes of one file, asked for as they are needed."""

    def __init__(self, request_hashes: AskHashes, availability: HashAvailability) -> None:
        self._request_hashes = request_hashes
        self._availability = availability
        self._ranges: dict[int, Range] = {}
        self._offered = availability.likely

    @property
    def offered(self) -> bool:
        """Whether Telegram has hashes of this file, as far as is known."""
        return self._offered

    async def load(self, low: int, high: int) -> None:
        """Have the hashes of the bytes [low, high), as far as they are offered."""
        position = low
        while self._offered and position < high:
            if (known := self._covering(position)) is not None:
                position = known.end
                continue
            try:
                answer = await self._request_hashes(position)
            except FloodWait:
                raise
            except RequestRefused:
                answer = []
            self.add(answer)
            if self._covering(position) is None:
                if not self._ranges:
                    self._offered = False
                    self._availability.record(offered=False)
                return
            self._availability.record(offered=True)

    def add(self, hashes: Iterable[Any]) -> None:
        """Keep TL FileHash objects that came with another answer."""
        new_ranges = [Range(item.offset, item.limit, bytes(item.hash)) for item in hashes if item.limit > 0]
        self._ranges.update({item.offset: item for item in new_ranges})

    def verifies(self, low: int, data: bytes) -> bool:
        """Whether every byte of ``data`` (the bytes from ``low`` on) is covered by a hash, and all of them agree."""
        position, high = low, low + len(data)
        while (
            position < high
            and (found := self._covering(position)) is not None
            and found.offset >= low
            and found.end <= high
        ):
            position = found.end
        return position == high and self.first_mismatch(low, data) is None

    def first_mismatch(self, low: int, data: bytes) -> int | None:
        """The offset of the first range inside ``data`` (the bytes from ``low`` on) that is not what Telegram has."""
        view, high = memoryview(data), low + len(data)
        for item in sorted(self._ranges.values(), key=lambda item: item.offset):
            inside = low <= item.offset and item.end <= high
            if inside and sha256(view[item.offset - low : item.end - low]).digest() != item.digest:
                return item.offset
        return None

    def discard(self, low: int, high: int) -> None:
        """Drop what is known of [low, high): it is proven, or to be asked for again."""
        for offset in [offset for offset in self._ranges if low <= offset < high]:
            del self._ranges[offset]

    def _covering(self, offset: int) -> Range | None:
        starts = sorted(self._ranges)
        place = bisect_right(starts, offset)
        found = self._ranges[starts[place - 1]] if place else None
        return found if found is not None and offset < found.end else None
