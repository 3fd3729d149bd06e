"""Random fault schedules. ``TOBS_FAULT_SEEDS=5000 pytest -m long -k on_demand`` plays more of them,
``TOBS_FAULT_SEED=17 pytest -k on_demand -m long`` one again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.sandbox.schedules import draw, play

SEEDS = range(1, 51)
LONG_SEEDS = range(1001, 1201)


async def _play(seed: int, home: Path) -> None:
    schedule = draw(seed)
    print(f"replay with TOBS_FAULT_SEED={seed}: {schedule}")  # noqa: T201 - pytest shows it when the test fails
    await play(schedule, home)


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_goes_wrong_nothing_is_lost_doubled_short_or_late(seed: int, tmp_path: Path) -> None:
    await _play(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG_SEEDS)
async def test_nothing_is_lost_in_many_more_schedules(seed: int, tmp_path: Path) -> None:
    """Slow because there are 200 of them."""
    await _play(seed, tmp_path)


@pytest.mark.long
async def test_schedules_on_demand(tmp_path: Path) -> None:
    """Slow because somebody asked for thousands."""
    one, many = os.environ.get("TOBS_FAULT_SEED"), int(os.environ.get("TOBS_FAULT_SEEDS", "0"))
    if not one and not many:
        pytest.skip("TOBS_FAULT_SEED and TOBS_FAULT_SEEDS are not set")
    for seed in [int(one)] if one else range(10_000, 10_000 + many):
        home = tmp_path / str(seed)
        home.mkdir()
        await _play(seed, home)
