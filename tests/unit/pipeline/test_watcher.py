"""A watch on a clock that stands still, against a sandbox in a thread of this process."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.in_process import InProcess, serve_in_process
from tests.e2e.test_watch_long import until, watching
from tobs.app.context import open_app_context
from tobs.app.events import Events
from tobs.app.execute import execute
from tobs.errors import FloodWait, LoginError, NetworkError, TobsError, VaultError
from tobs.model.requests import ChatSelection, ExportRequest
from tobs.pipeline.context.report import iso_time
from tobs.pipeline.watch.change_queue import PendingWork
from tobs.pipeline.watch.status import read_status, set_paused
from tobs.pipeline.watch.watcher import Watcher

WORLD = "synthetic:messages=24,chats=2,media=0,seed=4"
BEGIN, EVERY = 1_800_000_000.0, 900.0


class Still:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> float:
        return self.now

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        end = self.now + seconds
        await asyncio.sleep(0)
        while self.now < end and not event.is_set():  # noqa: ASYNC110 -- either may end it
            await asyncio.sleep(0.01)


class Watched:
    """A watch of two channels that were exported, and its vault."""

    def __init__(self, served: InProcess, vault: Path, clock: Still, watcher: Watcher) -> None:
        self.served, self.vault, self.clock, self.watcher = served, vault, clock, watcher

    async def control(self, path: str, **body: object) -> dict[str, int]:
        found = await asyncio.to_thread(self.served.control, path, body)
        return found if isinstance(found, dict) else {}

    def note(self, number: int) -> str:
        """The text of a message's note; empty while there is none."""
        found = [path for path in (self.vault / "Telegram/Synthetic").rglob("20*.md") if f" {number} " in path.name]
        return found[0].read_text() if found else ""

    def asked(self, method: str) -> int:
        return [each["method"] for each in self.served.log()].count(method)

    def runs(self) -> int:
        with sqlite3.connect(self.vault / ".tobs/archive.db") as db:
            (count,) = db.execute("SELECT count(*) FROM runs WHERE command = 'watch'").fetchone()
        db.close()
        return int(count)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcess]:
    with serve_in_process(tmp_path / "sandbox", WORLD) as opened:
        for name, value in opened.environment().items():
            if name.startswith("TOBS_"):
                monkeypatch.setenv(name, value)
        yield opened


@asynccontextmanager
async def watched(served: InProcess, tmp_path: Path) -> AsyncIterator[Watched]:
    vault, clock = tmp_path / "vault", Still()
    opened = open_app_context({"vault": str(vault)}, cwd=tmp_path)
    await execute(ExportRequest(chats=ChatSelection(targets=tuple(served.ready["targets"]))), opened, Events())
    async with watching(opened, clock) as watcher:
        await until(lambda: watcher.status.next_look == iso_time(BEGIN + EVERY), "the watch never looked")
        yield Watched(served, vault, clock, watcher)


async def test_what_is_pushed_is_written_and_counted_and_a_step_with_nothing_is_no_run(
    served: InProcess, tmp_path: Path
) -> None:
    async with watched(served, tmp_path) as watch:
        status, before = watch.watcher.status, watch.runs()
        assert (status.chats, status.new, status.edited, status.deleted) == (2, 0, 0, 0)
        new = (await watch.control("/messages", text="Pushed.", count=1))["id"]
        await until(lambda: status.new == 1, "a pushed message was not counted")
        assert "Pushed." in watch.note(new) and status.notes > 0
        await watch.control("/edit", id=new, text="Edited.")
        await until(lambda: status.edited == 1 and "Edited." in watch.note(new), "an edit was not taken up")
        await watch.control("/delete", ids=[new])
        await until(lambda: status.deleted == 1 and "deleted: true" in watch.note(new), "a deletion was not taken up")
        await until(lambda: watch.runs() == before + 3, "every step that did something is a run")
        watch.watcher._queue.wake()
        watch.clock.now += EVERY
        await until(lambda: status.next_look == iso_time(BEGIN + 2 * EVERY), "the clock sets nothing off")
        assert status.last_look == iso_time(BEGIN + EVERY) and watch.runs() == before + 3
        told = read_status(watch.vault)
        assert told is not None and (told.state, told.new, told.edited, told.deleted) == ("watching", 1, 1, 1)
    told = read_status(tmp_path / "vault")
    assert told is not None and (told.state, told.next_look) == ("stopped", "")


async def test_a_paused_watch_leaves_telegram_alone_and_catches_up_then(served: InProcess, tmp_path: Path) -> None:
    async with watched(served, tmp_path) as watch:
        set_paused(watch.vault, paused=True)
        watch.watcher._queue.wake()
        await until(lambda: watch.watcher.status.state == "paused", "never paused")
        asked = watch.asked("updates.getChannelDifference")
        new = (await watch.control("/messages", text="While paused."))["id"]
        await asyncio.sleep(0.3)
        assert watch.asked("updates.getChannelDifference") == asked and not watch.note(new)
        set_paused(watch.vault, paused=False)
        watch.watcher._queue.wake()
        await until(lambda: "While paused." in watch.note(new), "never caught up")


DUE = PendingWork(boxes={5}, everything=True, counted={(5, 1)}, files={"a.md"})


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (NetworkError("The network is away.", "Try again."), "offline"),
        (FloodWait(60, method="updates.getDifference", until="soon"), "waiting"),
        (VaultError("It is full.", "Make room."), "watching"),
    ],
    ids=["network", "flood", "vault"],
)
async def test_what_could_not_be_done_is_due_again_and_told(
    served: InProcess, tmp_path: Path, error: TobsError, state: str
) -> None:
    async def fails() -> None:
        raise error

    async def works() -> None:
        return

    async with watched(served, tmp_path) as watch:
        watcher = watch.watcher
        run, _ = watcher._new_run()
        assert await watcher._run_step(run, DUE, fails()) is False
        assert watcher._state() == state
        due = watcher._queue.take()
        assert (due.boxes, due.everything, due.counted, due.files) == ({5}, True, {(5, 1)}, {"a.md"})
        problems = ["watch: It is full. Make room."] if state == "watching" else []
        assert [one.replace("  ", " ") for one in watcher.status.problems] == problems
        if state == "waiting":
            assert watcher._schedule.wake_at(BEGIN, None) == BEGIN + 60
            watch.clock.now += 60
        run, _ = watcher._new_run()
        assert await watcher._run_step(run, DUE, works()) is True
        assert watcher._state() == "watching" and watcher._queue.take() == PendingWork()


async def test_an_account_that_was_logged_out_ends_the_watch(served: InProcess, tmp_path: Path) -> None:
    async def fails() -> None:
        raise LoginError("You are logged out.", "Log in.")

    async with watched(served, tmp_path) as watch:
        run, _ = watch.watcher._new_run()
        with pytest.raises(LoginError):
            await watch.watcher._run_step(run, DUE, fails())


async def test_only_the_last_problems_are_told(served: InProcess, tmp_path: Path) -> None:
    async with watched(served, tmp_path) as watch:
        for number in range(7):
            run, _ = watch.watcher._new_run()
            run.config.events.problem("media", f"file {number}", "gone")
            await watch.watcher._record_step(run, run.report)
        assert watch.watcher.status.problems == [f"file {number}: gone" for number in range(2, 7)]


async def test_work_on_files_that_fails_wakes_the_watch_which_raises_it(served: InProcess, tmp_path: Path) -> None:
    async def ends(error: Exception | None) -> None:
        if error is not None:
            raise error

    async with watched(served, tmp_path) as watch:
        watcher = watch.watcher
        for error, woken in ((None, False), (ZeroDivisionError(), True)):
            task = asyncio.create_task(ends(error))
            await asyncio.gather(task, return_exceptions=True)
            watcher._queue.take()
            watcher._file_task_ended(task)
            assert watcher._queue.event.is_set() is woken
        watcher._queue.take()


async def test_a_channel_that_pushes_nothing_is_asked_when_its_time_has_come(served: InProcess, tmp_path: Path) -> None:
    async with watched(served, tmp_path) as watch:
        telegram = watch.watcher._sources.telegram
        assert telegram.next_poll() is None
        telegram._polls = {5: BEGIN + 30, 6: BEGIN + 60}
        assert telegram.next_poll() == BEGIN + 30
        assert telegram.take_polls(BEGIN + 29) == set() and telegram.take_polls(BEGIN + 30) == {5}
        assert telegram._polls == {6: BEGIN + 60}
        telegram._polls.clear()


async def test_a_watch_that_is_stopped_ends_after_what_it_does(served: InProcess, tmp_path: Path) -> None:
    async with watched(served, tmp_path) as watch:
        watch.watcher.stop()
        told = watch.watcher.status
        await until(lambda: told.state == "stopped", "never ended")
        assert watch.watcher._is_over()
