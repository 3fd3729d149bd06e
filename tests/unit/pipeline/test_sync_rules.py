"""Rules of a sync, held against models that are slow and obvious."""

from __future__ import annotations

import asyncio
from itertools import accumulate

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tobs.pipeline.fetch.mass_deletion import is_mass
from tobs.pipeline.sync.rescan import _LEAF, shrunk_ranges

#: Steps from one id to the next: thousands of ids are drawn as a few hundred numbers.
STEPS = st.lists(st.integers(1, 6), min_size=1, max_size=60)
#: Messages that are gone: from so many thousandths of the ids, so many of them.
GONE = st.lists(st.tuples(st.integers(0, 999), st.integers(1, 120)), max_size=4)


@given(steps=STEPS, repeated=st.integers(1, 60), gone=GONE)
def test_ranges_that_shrank_hold_everything_that_is_gone(
    steps: list[int], repeated: int, gone: list[tuple[int, int]]
) -> None:
    ids = list(accumulate(steps * repeated))
    starts = [(at * len(ids) // 1000, count) for at, count in gone]
    lost = {each for start, count in starts for each in ids[start : start + count]}
    event("halved" if len(ids) > _LEAF and lost else "not halved")
    questions = 0

    async def probe(index: int) -> tuple[int, int]:
        nonlocal questions
        questions += 1
        here = max((id for id in ids[: index + 1] if id not in lost), default=0)
        return here, sum(1 for id in lost if id > here)

    ranges = asyncio.run(shrunk_ranges(ids, probe))
    assert all(any(low <= id <= high for low, high in ranges) for id in lost)
    assert questions <= 2 + max(3, len(ids) // 100)
    if not lost:
        assert ranges == [] and questions <= 1


def test_of_many_messages_only_those_around_what_is_gone_are_fetched() -> None:
    ids = list(range(1, 10_001))
    lost = {*range(4_000, 4_005), *range(9_990, 9_996)}
    asked = list[int]()

    async def probe(index: int) -> tuple[int, int]:
        asked.append(index)
        here = max((id for id in ids[: index + 1] if id not in lost), default=0)
        return here, sum(1 for id in lost if id > here)

    ranges = asyncio.run(shrunk_ranges(ids, probe))
    assert all(any(low <= id <= high for low, high in ranges) for id in lost)
    assert sum(high - low + 1 for low, high in ranges) <= 3 * _LEAF
    assert len(asked) < 30 and ranges == sorted(ranges)


def test_where_asking_would_cost_more_than_fetching_everything_is_fetched() -> None:
    ids = list(range(1, 1_001))

    async def probe(index: int) -> tuple[int, int]:
        here = max((id for id in ids[: index + 1] if id % 2), default=0)
        return here, sum(1 for id in ids if id > here and not id % 2)

    assert asyncio.run(shrunk_ranges(ids, probe)) == [(1, 1_000)]


def test_nothing_can_be_gone_where_nothing_is() -> None:
    async def probe(index: int) -> tuple[int, int]:
        raise AssertionError("nothing to ask about")

    assert asyncio.run(shrunk_ranges([], probe)) == []


@pytest.mark.parametrize(
    ("deleted", "live", "mass"),
    [(1, 1, False), (5, 6, False), (6, 100, True), (6, 120, False), (20, 1000, False), (21, 100_000, True)],
)
def test_a_few_deletions_are_believed_many_are_not(deleted: int, live: int, mass: bool) -> None:
    assert is_mass(deleted, live) is mass
