"""A takeout session is finished whatever happens while it is being finished."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from telethon.tl import functions, types

from tobs.telegram.client.takeout import takeout_session
from tobs.telegram.net.invoker import Invoker
from tobs.telegram.stores import MemoryTakeoutStore, StoredTakeout


class SlowServer:
    """Grants a takeout session at once, and takes its time to finish it."""

    def __init__(self) -> None:
        self.takeout_id = 0
        self.takeout_confirmed = False
        self.finishing = asyncio.Event()
        self.go_on = asyncio.Event()
        self.finished: list[bool] = []

    async def __call__(self, request: Any) -> Any:
        if isinstance(request, functions.account.InitTakeoutSessionRequest):
            return types.account.Takeout(77)
        assert isinstance(request, functions.account.FinishTakeoutSessionRequest) and self.takeout_id == 77
        self.finishing.set()
        await self.go_on.wait()
        self.finished.append(bool(request.success))
        return True


async def test_a_second_interrupt_while_a_takeout_is_finished_does_not_leave_it_open() -> None:
    server, store, inside = SlowServer(), MemoryTakeoutStore(), asyncio.Event()

    async def export() -> None:
        session = takeout_session(cast(Invoker, server), store, 5, ["files"], patience=0, on_event=lambda _: None)
        async with session as granted:
            assert granted
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(export())
    await inside.wait()
    assert (await store.get(5)).id == 77
    task.cancel()
    await server.finishing.wait()
    task.cancel()
    await asyncio.sleep(0)
    server.go_on.set()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert server.finished == [False] and await store.get(5) == StoredTakeout()
    assert (server.takeout_id, server.takeout_confirmed) == (0, False)


class BusyStore(MemoryTakeoutStore):
    """A store that is busy with other work when a takeout is to be stored."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.free = asyncio.Event(), asyncio.Event()

    async def put(self, account: int, takeout: StoredTakeout) -> None:
        self.asked.set()
        await self.free.wait()
        await super().put(account, takeout)


async def test_a_takeout_that_was_just_granted_is_stored_though_the_run_is_stopped() -> None:
    server, store = SlowServer(), BusyStore()

    async def export() -> None:
        async with takeout_session(cast(Invoker, server), store, 5, ["files"], patience=0, on_event=lambda _: None):
            raise AssertionError("it is stopped before")

    task = asyncio.create_task(export())
    await store.asked.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    store.free.set()
    await asyncio.sleep(0)
    assert (await store.get(5)).id == 77, "the next run resumes or finishes it"
