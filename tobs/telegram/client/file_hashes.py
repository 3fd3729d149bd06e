"""SHA-256 hashes of ranges of a file, as Telegram offers them, to verify the downloaded parts.

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
"""offset -> list of TL FileHash at and behind it. Raises RequestRefused where Telegram offers none."""

_REFUSALS = 3


class Range(Struct, frozen=True):
    """A range of ``size`` bytes from ``offset`` on with its SHA-256 ``digest``."""

    offset: int
    size: int
    digest: bytes

    @property
    def end(self) -> int:
        """The offset behind the last byte."""
        return self.offset + self.size


class HashAvailability:
    """Record of whether Telegram offers hashes at all; after several files without any, no more are requested."""

    def __init__(self) -> None:
        self._refused = 0

    @property
    def likely(self) -> bool:
        """True until several files in a row had no hashes."""
        return self._refused < _REFUSALS

    def record(self, *, offered: bool) -> None:
        """Record whether the hashes of a file were offered."""
        self._refused = 0 if offered else self._refused + 1


class FileHashes:
    """Hashes of one file, requested as they are needed."""

    def __init__(self, request_hashes: AskHashes, availability: HashAvailability) -> None:
        self._request_hashes = request_hashes
        self._availability = availability
        self._ranges: dict[int, Range] = {}
        self._offered = availability.likely

    @property
    def offered(self) -> bool:
        """True while Telegram may have hashes of this file."""
        return self._offered

    async def load(self, low: int, high: int) -> None:
        """Request the hashes of the bytes [low, high), as far as Telegram offers them. Raises FloodWait."""
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
        """Add TL FileHash objects that came with another answer."""
        new_ranges = [Range(item.offset, item.limit, bytes(item.hash)) for item in hashes if item.limit > 0]
        self._ranges.update({item.offset: item for item in new_ranges})

    def verifies(self, low: int, data: bytes) -> bool:
        """Check that hashes cover every byte of ``data`` (the bytes from ``low`` on) and that all of them match."""
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
        """Return the offset of the first range inside ``data`` (the bytes from ``low`` on) whose hash differs; None
        when all match."""
        view, high = memoryview(data), low + len(data)
        for item in sorted(self._ranges.values(), key=lambda item: item.offset):
            inside = low <= item.offset and item.end <= high
            if inside and sha256(view[item.offset - low : item.end - low]).digest() != item.digest:
                return item.offset
        return None

    def discard(self, low: int, high: int) -> None:
        """Discard the hashes of [low, high): the bytes are verified, or will be requested again."""
        for offset in [offset for offset in self._ranges if low <= offset < high]:
            del self._ranges[offset]

    def _covering(self, offset: int) -> Range | None:
        starts = sorted(self._ranges)
        index = bisect_right(starts, offset)
        found = self._ranges[starts[index - 1]] if index else None
        return found if found is not None and offset < found.end else None
