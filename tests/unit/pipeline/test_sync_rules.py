"""Rules of a sync, held against models that are slow and obvious."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tobs.pipeline.fetch.mass_deletion import is_mass
from tobs.pipeline.sync.rescan import shrunk_ranges


@given(
    ids=st.sets(st.integers(1, 5000), max_size=900).map(sorted),
    gone=st.sets(st.integers(0, 899), max_size=40),
    whole=st.booleans(),
)
def test_ranges_that_shrank_hold_everything_that_is_gone(ids: list[int], gone: set[int], whole: bool) -> None:
    lost = set(ids) if whole else {ids[index] for index in gone if index < len(ids)}
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


@pytest.mark.parametrize(
    ("deleted", "live", "mass"),
    [(1, 1, False), (5, 6, False), (6, 100, True), (6, 120, False), (20, 1000, False), (21, 100_000, True)],
)
def test_a_few_deletions_are_believed_many_are_not(deleted: int, live: int, mass: bool) -> None:
    assert is_mass(deleted, live) is mass
