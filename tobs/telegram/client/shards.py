"""Shards: intervals of message ids, and the pool of workers that fetches them.

Requests stay near one per 100 messages: a shard holds many pages by the chat's density, its end costs at most one
partly used page, and an empty shard one request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import chain, repeat
from math import ceil

from tobs.model import Page

PAGE = 100
Span = tuple[int, int]
"""A range of message ids, both ends included."""
_PAGES_LEAST, _PAGES_MOST = 8, 12
_SHARDS_A_WORKER = 8
_SPLIT_PAGES = 3
_PAGES_A_SPAN, _SPANS_FREE = 4, 5


@dataclass(slots=True)
class Shard:
    """The ids [low, high], fetched in ascending order; ``cursor`` is the next id, ``reach`` the number of ids in a
    page.

    ``high`` may shrink while the shard is fetched: an idle worker took the rest. ``span`` is the range of the account's
    ids that the requests name inside a takeout; None: they name no range.
    """

    low: int
    high: int
    reach: int = PAGE
    cursor: int = 0
    span: Span | None = None

    def __post_init__(self) -> None:
        self.cursor = self.cursor or self.low

    @property
    def done(self) -> bool:
        """True when every id is settled."""
        return self.cursor > self.high

    def advance(self, high: int) -> None:
        """Move the cursor behind ``high``, the last settled id."""
        if high < self.high:
            self.reach = max(1, high - self.cursor + 1)
        self.cursor = high + 1


def plan_shards(
    gaps: Iterable[tuple[int, int]], *, top: int, count: int, workers: int, page: int = PAGE
) -> list[Shard]:
    """Cut the id intervals ``gaps`` (inclusive) into ascending shards.

    ``top`` is the newest id of the chat, ``count`` its number of messages (0: unknown, taken as dense), ``page`` the
    messages in a page.
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
    rounds = max(1, pages // (workers * wanted))  # the same number of shards for every worker
    most = ceil(pages / (workers * rounds))
    steps = chain((span * few for few in _growing_sizes(workers, most) if rounds > 2), repeat(span * most))
    return [Shard(start, end, span) for low, high in found for start, end in _split_interval(low, high, steps)]


def _growing_sizes(workers: int, most: int) -> Iterator[int]:
    """Yield the sizes, in pages, of the first shards of a large chat.

    A note can be planned only when all ids below it are settled; with small first shards the early notes do not wait
    for long.
    """
    pages = 1
    while pages < most:
        yield from repeat(pages, workers)
        pages *= 2


def _split_interval(low: int, high: int, steps: Iterator[int]) -> Iterator[Span]:
    while low <= high:
        end = min(low + next(steps) - 1, high)
        yield low, end
        low = end + 1


def max_spans(count: int) -> int:
    """Return into how many ranges a history of ``count`` messages may be cut, so that each range has several pages."""
    pages = count // PAGE
    return min(pages // _PAGES_A_SPAN, _SPANS_FREE + pages * 3 // 40)


def plan_spans(gaps: Iterable[Span], spans: Sequence[Span], *, count: int) -> list[Shard]:
    """Cut the id intervals ``gaps`` of a private chat or basic group at the account-wide ranges ``spans``.

    ``count`` is the approximate number of messages. A range costs up to two requests beside its full pages (a partly
    used one, and one that finds the end), so ranges are used only where there are few of them for many messages.
    """
    most = max_spans(count)
    found = sorted((low, high) for low, high in gaps if low <= high)
    cut = [
        (max(low, first), min(high, last), (first, last))
        for low, high in found
        for first, last in spans
        if max(low, first) <= min(high, last)
    ]
    covered = sum(high - low + 1 for low, high, _ in cut) == sum(high - low + 1 for low, high in found)
    if len(cut) <= len(found) or not covered or len(cut) > most:
        return [Shard(low, high) for low, high in found]
    ids = sum(high - low + 1 for low, high in found)
    reach = max(PAGE, ceil(PAGE * ids / max(1, count)))
    return [Shard(low, high, reach, span=span) for low, high, span in cut]


class ShardQueue:
    """Queue of shards, lowest first; when it is empty, the far half of the largest active shard is split off."""

    def __init__(self, shards: Iterable[Shard]) -> None:
        self._waiting = [(shard.low, index, shard) for index, shard in enumerate(shards)]
        heapify(self._waiting)
        self._active: list[Shard] = []
        self._counter = len(self._waiting)

    def take(self) -> Shard | None:
        """Return the next shard for an idle worker; None when no work is left for another worker."""
        if not self._waiting:
            self._split()
        if not self._waiting:
            return None
        shard = heappop(self._waiting)[2]
        self._active.append(shard)
        return shard

    def finish(self, shard: Shard) -> None:
        """Remove ``shard`` from the active ones: all its ids are settled."""
        self._active.remove(shard)

    def _split(self) -> None:
        """Split the active shard with the most pages left, behind the page that is being fetched."""
        largest = max(self._active, key=_pages_left, default=None)
        if largest is None or (pages := _pages_left(largest)) < _SPLIT_PAGES:
            return
        middle = largest.cursor - 1 + largest.reach * (pages // 2 + 1)
        self._counter += 1
        rest = Shard(middle + 1, largest.high, largest.reach, span=largest.span)
        heappush(self._waiting, (rest.low, self._counter, rest))
        largest.high = middle


def _pages_left(shard: Shard) -> int:
    """Return about how many pages an active shard still has, the one being fetched included."""
    return (shard.high - shard.cursor + 1) // shard.reach


Fetch = Callable[[Shard, int], Awaitable[Page]]
"""(shard, worker) -> the page at the shard's cursor, not beyond the shard's ``high`` at the time of the answer."""
OnPage = Callable[[Page], Awaitable[None]]


async def walk_shards(shards: Iterable[Shard], workers: int, fetch: Fetch, on_page: OnPage) -> None:
    """Fetch every shard to its end with ``workers`` tasks. The first error cancels all workers and is raised.

    ``on_page`` is awaited for each page by its worker, which fetches nothing meanwhile.
    """
    queue = ShardQueue(shards)

    async def work(worker: int) -> None:
        while (shard := queue.take()) is not None:
            while not shard.done:
                page = await fetch(shard, worker)
                shard.advance(page.high)
                await on_page(page)
            queue.finish(shard)

    tasks = [asyncio.create_task(work(worker), name=f"worker {worker}") for worker in range(max(1, workers))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
