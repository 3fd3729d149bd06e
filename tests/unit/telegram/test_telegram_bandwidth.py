"""Bandwidth of file downloads."""

from __future__ import annotations

from tobs.telegram.net.pace import Bandwidth


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


async def test_a_hundred_parts_take_as_long_as_the_rate_says() -> None:
    clock = Clock()
    bandwidth = Bandwidth(1000, clock=clock, sleep=clock.sleep)
    for _ in range(100):
        await bandwidth.take(500)
    assert clock.now == 100.0 + 99 * 0.5, "the first part is asked for at once"


async def test_time_in_which_nothing_came_is_not_made_up_for() -> None:
    clock = Clock()
    bandwidth = Bandwidth(1000, clock=clock, sleep=clock.sleep)
    await bandwidth.take(500)
    clock.now += 60
    await bandwidth.take(500)
    await bandwidth.take(500)
    assert clock.now == 160.5


async def test_without_a_rate_nobody_waits() -> None:
    clock = Clock()
    await Bandwidth(clock=clock, sleep=clock.sleep).take(10**12)
    assert clock.now == 100.0
