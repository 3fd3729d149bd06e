"""Blocking functions beside the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_thread(function: Callable[[], T]) -> T:
    """Run a blocking function in a thread of its own. Unlike with asyncio.to_thread a process that is interrupted does
    not wait for the end of the function."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def deliver(set_outcome: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the event loop is closed: nobody waits
            loop.call_soon_threadsafe(lambda: None if future.done() else set_outcome())

    def work() -> None:
        try:
            result = function()
        except BaseException as raised:  # noqa: BLE001 -- raised again by the task that waits
            error = raised
            deliver(lambda: future.set_exception(error))
        else:
            deliver(lambda: future.set_result(result))

    threading.Thread(target=work, daemon=True).start()
    return await future
