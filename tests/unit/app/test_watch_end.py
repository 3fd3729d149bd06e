"""The end of a watch: in order, and with the error that it met."""

from __future__ import annotations

import asyncio

import pytest

from tobs.app.watch import _finish_when_cancelled
from tobs.errors import VaultUnwritable


async def stopped(error: Exception | None) -> None:
    stop, ended = asyncio.Event(), []

    async def work() -> None:
        await stop.wait()
        ended.append("in order")
        if error is not None:
            raise error

    task = asyncio.create_task(_finish_when_cancelled(work(), stop))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    finally:
        assert ended == ["in order"]


async def test_a_watch_that_is_stopped_ends_in_order() -> None:
    with pytest.raises(asyncio.CancelledError):
        await stopped(None)


async def test_an_error_while_a_watch_ends_is_raised() -> None:
    with pytest.raises(VaultUnwritable, match="full"):
        await stopped(VaultUnwritable("The disk is full."))
