from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tobs.model import Page
from tobs.telegram.client.history import settled_range
from tobs.telegram.client.shards import Shard, ShardQueue, Span, plan_shards, plan_spans, walk_shards


class Served:
    """A chat as messages.getHistory serves it, with its ids; counts the requests."""

    def __init__(self, ids: list[int]) -> None:
        self.ids = sorted(ids)
        self.requests = 0

    def ask(self, cursor: int, limit: int = 100, span: Span | None = None) -> list[int]:
        """The up to ``limit`` ids nearest to ``cursor``, those at or above it, inside of ``span``."""
        self.requests += 1
        at = bisect_left(self.ids, cursor)
        return [number for number in self.ids[at : at + limit] if span is None or span[0] <= number <= span[1]]


async def walk(
    served: Served,
    gaps: list[tuple[int, int]],
    workers: int,
    seed: int,
    spans: Sequence[Span] | None = None,
    lie: float = 1.0,
) -> tuple[list[int], list[Page]]:
    rng = random.Random(seed)
    found: list[int] = []
    pages: list[Page] = []

    async def fetch(shard: Shard, worker: int) -> Page:
        ids = served.ask(shard.cursor, span=shard.span)
        for _ in range(rng.randrange(4)):
            await asyncio.sleep(0)
        high, kept = settled_range(shard.cursor, shard.high, ids)
        found.extend(kept)
        return Page(chat_id=1, low=shard.cursor, high=high, messages=())

    async def on_page(page: Page) -> None:
        await asyncio.sleep(0)
        pages.append(page)

    count = round(len(served.ids) * lie)
    if spans is None:
        shards = plan_shards(gaps, top=served.ids[-1] if served.ids else 0, count=count, workers=workers)
    else:
        shards = plan_spans(gaps, spans, count=count)
    await walk_shards(shards, workers, fetch, on_page)
    return found, pages


@given(
    ids=st.one_of(
        st.sets(st.integers(1, 3000), max_size=900),
        st.builds(
            lambda a, b, n: set(range(a, a + n)) | set(range(b, b + n)),
            st.integers(1, 500),
            st.integers(9_000, 90_000),
            st.integers(0, 900),
        ),
    ),
    workers=st.sampled_from([1, 2, 4, 8]),
    seed=st.integers(0, 999),
    cut=st.integers(0, 4000),
)
def test_every_id_is_found_once_and_every_gap_is_settled_once(ids: set[int], workers: int, seed: int, cut: int) -> None:
    served = Served(list(ids))
    top = max(ids, default=1)
    gaps = [(low, high) for low, high in [(1, min(cut, top)), (cut + 50, top)] if low <= high]
    found, pages = asyncio.run(walk(served, gaps, workers, seed))
    wanted = [number for number in served.ids if any(low <= number <= high for low, high in gaps)]
    assert sorted(found) == wanted
    settled = sorted((page.low, page.high) for page in pages)
    covered = sum(high - low + 1 for low, high in settled)
    assert covered == sum(high - low + 1 for low, high in gaps)
    assert all(one[1] < two[0] for one, two in pairwise(settled))


@pytest.mark.parametrize("sparse", [1, 2, 50])
@pytest.mark.parametrize("workers", [1, 4, 8, 16])
@pytest.mark.parametrize("count", [300, 5_000, 40_000])
async def test_requests_stay_near_one_per_hundred_messages(sparse: int, workers: int, count: int) -> None:
    rng = random.Random(count)
    ids = sorted(rng.sample(range(1, count * sparse + 1), count))
    served = Served(ids)
    await walk(served, [(1, ids[-1])], workers, 1)
    assert served.requests <= 1.15 * ceil(count / 100) + 20


@pytest.mark.parametrize("lie", [0.0, 0.1, 0.9, 3.0, 100.0])
async def test_a_count_that_is_wrong_loses_nothing(lie: float) -> None:
    """Telegram's counts are inexact."""
    ids = sorted(random.Random(5).sample(range(1, 30_001), 6_000))
    for spans in (None, spans_up_to(30_000, 4)):
        found, _ = await walk(Served(ids), [(1, ids[-1])], 4, 1, spans, lie)
        assert sorted(found) == ids


def spans_up_to(top: int, number: int) -> list[Span]:
    """``number`` ranges as Telegram offers them: one behind the other, the last without an end."""
    starts = [1 + place * max(1, top // number) for place in range(number)]
    return [*((low, high - 1) for low, high in pairwise(starts)), (starts[-1], 0x7FFFFFFF)]


@pytest.mark.parametrize("ranges", [1, 2, 5, 40])
@pytest.mark.parametrize("workers", [1, 4, 16])
@pytest.mark.parametrize("count", [10, 900, 5_000, 40_000])
async def test_ranges_of_a_takeout_cost_few_requests_too(ranges: int, workers: int, count: int) -> None:
    """The chat's ids are one in three of the account's, and most of them in its first fifth."""
    rng = random.Random(count + ranges)
    top = count * 15
    crowded = rng.sample(range(1, top // 5), count * 9 // 10)
    ids = sorted({*crowded, *rng.sample(range(top // 5, top), count - len(crowded))})
    served = Served(ids)
    found, _ = await walk(served, [(1, ids[-1])], workers, 1, spans_up_to(top, ranges))
    assert sorted(found) == ids
    assert served.requests <= 1.15 * ceil(count / 100) + 20


@given(
    count=st.integers(820, 2000),
    ranges=st.integers(1, 9),
    workers=st.sampled_from([1, 3, 8]),
    seed=st.integers(0, 999),
    cut=st.integers(1, 4000),
)
def test_nothing_is_lost_in_ranges_wherever_they_end(
    count: int, ranges: int, workers: int, seed: int, cut: int
) -> None:
    served = Served(random.Random(seed).sample(range(1, 3001), count))
    top = served.ids[-1]
    gaps = [(low, high) for low, high in [(1, min(cut, top)), (cut + 50, top)] if low <= high]
    found, pages = asyncio.run(walk(served, gaps, workers, seed, spans_up_to(top, ranges)))
    assert sorted(found) == [number for number in served.ids if any(low <= number <= high for low, high in gaps)]
    settled = sorted((page.low, page.high) for page in pages)
    assert sum(high - low + 1 for low, high in settled) == sum(high - low + 1 for low, high in gaps)


def test_ranges_that_leave_ids_out_are_not_used() -> None:
    assert [shard.span for shard in plan_spans([(1, 9000)], [(1, 4000), (5001, 9000)], count=9000)] == [None]
    assert len(plan_spans([(1, 9000)], [(1, 4000), (4001, 9000)], count=9000)) == 2


def test_the_first_shards_of_a_large_chat_are_small_so_that_early_notes_need_not_wait() -> None:
    shards = plan_shards([(1, 50_000)], top=50_000, count=50_000, workers=4)
    pages = [(shard.high - shard.low + 1) // 100 for shard in shards]
    assert pages[:12] == [1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4]
    assert set(pages[12:16]) == {8} and set(pages[16:-1]) == {13} and sum(pages) == 500


def test_a_chat_of_few_pages_is_cut_once_for_each_worker() -> None:
    shards = plan_shards([(1, 6_000)], top=6_000, count=6_000, workers=4)
    assert [shard.high - shard.low + 1 for shard in shards] == [1_500] * 4


async def test_an_idle_worker_takes_part_of_the_slowest_shard() -> None:
    served = Served(list(range(1, 10_001)))
    slow = Shard(1, 10_000)
    queue = ShardQueue([slow])
    assert queue.take() is slow
    slow.advance(100)
    stolen = queue.take()
    assert stolen is not None
    assert slow.high + 1 == stolen.low and stolen.high == 10_000
    assert slow.high > slow.cursor + 100
    assert served.requests == 0


def test_nothing_worth_splitting_is_split() -> None:
    queue = ShardQueue([Shard(1, 250)])
    assert queue.take() is not None
    assert queue.take() is None


@given(
    cursor=st.integers(1, 100),
    high=st.integers(1, 200),
    ids=st.lists(st.integers(1, 300), max_size=30),
)
def test_an_answer_settles_nothing_it_does_not_show(cursor: int, high: int, ids: list[int]) -> None:
    settled, kept = settled_range(cursor, max(cursor, high), ids)
    high = max(cursor, high)
    assert settled <= high
    assert all(cursor <= number <= settled for number in kept)
    assert set(kept) == {number for number in ids if cursor <= number <= settled}
    if settled < high:
        assert settled in ids


async def test_a_failing_page_ends_all_workers() -> None:
    running = 0

    async def fetch(shard: Shard, worker: int) -> Page:
        nonlocal running
        running += 1
        try:
            await asyncio.sleep(0 if worker == 2 else 60)
        finally:
            running -= 1
        raise ValueError(worker)

    async def on_page(page: Page) -> None:
        raise AssertionError

    with pytest.raises(ValueError, match="2"):
        await walk_shards([Shard(number, number) for number in range(1, 9)], 4, fetch, on_page)
    assert running == 0


async def test_a_slow_reader_slows_the_workers() -> None:
    fetched = taken = 0

    async def fetch(shard: Shard, worker: int) -> Page:
        nonlocal fetched
        fetched += 1
        assert fetched - taken <= 3
        return Page(chat_id=1, low=shard.cursor, high=min(shard.high, shard.cursor + 99), messages=())

    async def on_page(page: Page) -> None:
        nonlocal taken
        await asyncio.sleep(0.001)
        taken += 1

    await walk_shards(plan_shards([(1, 5000)], top=5000, count=5000, workers=3), 3, fetch, on_page)
    assert taken == 50
