"""A watch that stays on for weeks, on a clock that is handed in: nothing grows, nothing is left open."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import psutil
import pytest

from tests.e2e.conftest import Serve
from tests.e2e.harness import Served
from tobs.app.context import AppContext, open_app_context
from tobs.app.events import Events
from tobs.app.execute import execute
from tobs.app.run_config import open_run_config
from tobs.app.telegram import telegram_settings
from tobs.model.requests import ChatSelection, ExportRequest
from tobs.pipeline.context.adapters import ArchivePeers
from tobs.pipeline.context.report import start_report
from tobs.pipeline.session.run_session import open_run
from tobs.pipeline.session.telegram_session import report_event
from tobs.pipeline.watch.change_queue import ChangeQueue
from tobs.pipeline.watch.schedule import Schedule
from tobs.pipeline.watch.telegram_changes import TelegramChanges
from tobs.pipeline.watch.watcher import WatchedSources, Watcher
from tobs.telegram.opening import open_telegram
from tobs.telegram.stores import Stores

_EVERY = 900.0
_TENTHS = int(os.environ.get("WATCH_TENTHS", "10"))
TICKS, PUSHES, RECONNECTS = 432 * _TENTHS, 1000 * _TENTHS, 5 * _TENTHS
"""45 days of a quarter of an hour each, and what comes in them; WATCH_TENTHS makes it shorter."""


class Clock(Protocol):
    """Unix seconds, and how to wait by it."""

    def __call__(self) -> float: ...

    async def wait(self, event: asyncio.Event, seconds: float) -> None: ...


class Weeks:
    """A clock that jumps to whatever is waited for, while ``hurries``; else waiting is real."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.hurries = False
        self.ticks = 0

    def __call__(self) -> float:
        return self.now

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        if self.hurries and not event.is_set():
            self.now += seconds
            self.ticks += 1
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(event.wait(), 0.05)
        except TimeoutError:
            self.now += 0.05


async def until(holds: Callable[[], bool], what: str) -> None:
    for _ in range(6000):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(what)


class Size:
    """What a process has open: megabytes, files, tasks, temporary files in the vault."""

    def __init__(self, vault: Path) -> None:
        gc.collect()
        process = psutil.Process()
        self.megabytes = process.memory_info().rss / 1e6
        self.files = process.num_fds()
        self.tasks = len(asyncio.all_tasks())
        self.children = len(process.children(recursive=True))
        self.temporary = len(list(vault.rglob(".tobs-*")))

    def __repr__(self) -> str:
        return str(vars(self))


@pytest.mark.long  # 10,000 notes are written, one push at a time, and 4,320 times nothing is found
async def test_weeks_of_watching_leave_nothing_behind(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, vault = "synthetic:messages=60,chats=2,media=0,seed=4", tmp_path / "vault"
    served = await asyncio.to_thread(serve, world, login=False)
    await asyncio.to_thread(served.login)
    for name, value in served.environment().items():
        if name.startswith("TOBS_"):
            monkeypatch.setenv(name, value)
    place = open_app_context({"vault": str(vault)}, cwd=vault.parent)
    await execute(ExportRequest(chats=ChatSelection(targets=tuple(served.ready["targets"]))), place, Events())
    clock = Weeks()
    async with watching(place, clock) as watcher:
        await until(lambda: bool(watcher.status.last_look), "the watch never looked")
        pushed = await push(served, watcher, 0, PUSHES // 5)
        await tick(clock, TICKS // 10)
        before = Size(vault)
        for _ in range(RECONNECTS):
            await asyncio.to_thread(served.control, "/drop", {})
            pushed = await push(served, watcher, pushed, pushed + 2)
        pushed = await push(served, watcher, pushed, PUSHES)
        await tick(clock, TICKS)
        after = Size(vault)
    assert after.megabytes - before.megabytes < 40, f"{before} {after}"
    assert abs(after.files - before.files) <= 2 and after.tasks <= before.tasks, f"{before} {after}"
    assert after.temporary == 0 and after.children <= before.children
    assert watcher.status.new == PUSHES
    assert len(list((vault / "Telegram/Synthetic").rglob("20*.md"))) == 30 + PUSHES
    assert watcher.status.problems == []


@asynccontextmanager
async def watching(place: AppContext, clock: Clock) -> AsyncIterator[Watcher]:
    """A watch in this process, without the part that looks at the vault."""
    async with open_run_config(place, "watch", (), events=Events()) as config, open_run(config) as run:
        peers, queue = ArchivePeers(run.archive, run.archive_thread), ChangeQueue()
        on_event = partial(report_event, config.events)
        async with open_telegram(
            telegram_settings(place), Stores(peers), on_event=on_event, verify_account=False
        ) as telegram:
            numbers = iter(range(1_000_000))
            watcher = Watcher(
                run,
                WatchedSources(TelegramChanges(telegram, peers, clock)),
                queue,
                Schedule(_EVERY, ZoneInfo("UTC")),
                clock=clock,
                wait=clock.wait,
                new_report=lambda: start_report(f"watch-{next(numbers)}", "watch", [], clock),
            )
            tasks = [asyncio.create_task(watcher.watch(())), asyncio.create_task(watcher.listen())]
            try:
                yield watcher
                watcher.stop()
                await tasks[0]
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def push(served: Served, watcher: Watcher, since: int, upto: int) -> int:
    """Post messages, a few at a time, until the watch has taken up ``upto``."""
    for posted in range(since, upto, 20):
        count = min(20, upto - posted)
        await asyncio.to_thread(served.control, "/messages", {"text": f"Push {posted}.", "count": count})
        await until(lambda done=posted + count: watcher.status.new >= done, f"{watcher.status}")  # type: ignore[misc]
    return upto


async def tick(clock: Weeks, upto: int) -> None:
    """Let the clock run until so many times were waited for."""
    clock.hurries = True
    await until(lambda: clock.ticks >= upto, f"{clock.ticks} ticks")
    clock.hurries = False
