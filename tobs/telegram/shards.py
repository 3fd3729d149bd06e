"""Shards: which worker fetches which message ids. Pure, apart from a queue that hands them out.

Requests stay near one per 100 messages: a shard holds many pages by the chat's density, its end costs at most one
partly used page, and an empty shard one request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import ceil

PAGE = 100
_PAGES_LEAST, _PAGES_MOST = 8, 20
_SHARDS_A_WORKER = 4
_SPLIT_PAGES = 3


@dataclass(slots=True)
class Shard:
    """The ids [low, high], walked upwards; ``cursor`` is the next id to fetch, ``reach`` what a page spans.

    ``high`` may shrink while the shard is walked: an idle worker took the rest.
    """

    low: int
    high: int
    reach: int = PAGE
    cursor: int = 0

    def __post_init__(self) -> None:
        self.cursor = self.cursor or self.low

    @property
    def done(self) -> bool:
        """Whether every id is settled."""
        return self.cursor > self.high

    def settled(self, high: int) -> None:
        """Everything up to ``high`` is known now."""
        if high < self.high:
            self.reach = max(1, high - self.cursor + 1)
        self.cursor = high + 1


def plan_shards(
    gaps: Iterable[tuple[int, int]], *, top: int, count: int, workers: int, page: int = PAGE
) -> list[Shard]:
    """Cut the id intervals ``gaps`` (inclusive) into ascending shards.

    ``top`` is the newest id of the chat and ``count`` its message count (0: unknown, taken as dense).
    """
    found = sorted((low, high) for low, high in gaps if low <= high)
    if not found:
        return []
    density = min(1.0, count / top) if count > 0 and top > 0 else 1.0
    span = max(page, ceil(page / density))
    if workers <= 1:
        return [Shard(low, high, span) for low, high in found]
    ids = sum(high - low + 1 for low, high in found)
    pages = ceil(ids / span)
    wanted = min(_PAGES_MOST, max(_PAGES_LEAST, ceil(pages / (workers * _SHARDS_A_WORKER))))
    rounds = max(1, pages // (workers * wanted))  # every worker gets as many shards as every other
    step = span * ceil(pages / (workers * rounds))
    return [
        Shard(start, min(start + step - 1, high), span) for low, high in found for start in range(low, high + 1, step)
    ]


class ShardQueue:
    """Hands out shards, lowest first; when none is left, splits off the far half of the one with most to do."""

    def __init__(self, shards: Iterable[Shard]) -> None:
        self._waiting = [(shard.low, index, shard) for index, shard in enumerate(shards)]
        heapify(self._waiting)
        self._active: list[Shard] = []
        self._made = len(self._waiting)

    def take(self) -> Shard | None:
        """The next shard for an idle worker; None when nothing is worth another worker."""
        if not self._waiting:
            self._split()
        if not self._waiting:
            return None
        shard = heappop(self._waiting)[2]
        self._active.append(shard)
        return shard

    def finish(self, shard: Shard) -> None:
        """``shard`` is walked to its end."""
        self._active.remove(shard)

    def _split(self) -> None:
        """Cut the active shard with the most pages left behind the page that is being fetched."""
        largest = max(self._active, key=_pages_left, default=None)
        if largest is None or (pages := _pages_left(largest)) < _SPLIT_PAGES:
            return
        middle = largest.cursor - 1 + largest.reach * (pages // 2 + 1)
        self._made += 1
        heappush(self._waiting, (middle + 1, self._made, Shard(middle + 1, largest.high, largest.reach)))
        largest.high = middle


def _pages_left(shard: Shard) -> int:
    """About how many pages an active shard still has, the one being fetched included."""
    return (shard.high - shard.cursor + 1) // shard.reach
