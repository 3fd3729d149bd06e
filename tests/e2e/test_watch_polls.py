"""Channels that the account has not joined push nothing: a watch asks them at the pace their difference names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.harness import Served
from tests.e2e.test_watch_long import until, watching
from tobs.app.context import open_app_context
from tobs.app.events import Events
from tobs.app.execute import execute
from tobs.model.requests import ChatSelection, ExportRequest
from tobs.pipeline.context.report import iso_time
from tobs.pipeline.watch.status import set_paused
from tobs.pipeline.watch.watcher import Watcher

_WORLD = "synthetic:messages=24,chats=2,media=0,seed=4"
_BEGIN = 1_800_000_000.0
_EVERY, _PACE = 900.0, 30.0
"""Seconds: the schedule of the watch, and what a difference of the sandbox names."""


class Still:
    """A clock that stands still until a test moves it; ``waits`` counts how often somebody began to wait by it."""

    def __init__(self) -> None:
        self.now = _BEGIN
        self.waits = 0

    def __call__(self) -> float:
        return self.now

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        end = self.now + seconds
        self.waits += 1
        await asyncio.sleep(0)
        while self.now < end and not event.is_set():  # noqa: ASYNC110 -- either may end it
            await asyncio.sleep(0.01)


class Kept:
    """A watch of a joined channel and one that was left, both exported and quiet since."""

    def __init__(self, served: Served, vault: Path, clock: Still, watcher: Watcher) -> None:
        self.served, self.vault, self.clock, self.watcher = served, vault, clock, watcher
        self.joined, self.left = served.ready["targets"]

    def asked(self) -> int:
        """How many differences of channels were asked for so far."""
        return [each["method"] for each in self.served.log()].count("updates.getChannelDifference")

    async def waits_for(self, seconds: float) -> None:
        """Come to where the watch has nothing to do until so long after it began."""
        until_then = iso_time(_BEGIN + seconds)
        await until(lambda: self.watcher.status.next_look == until_then, f"{self.watcher.status}, not {until_then}")

    async def post(self, chat: str, text: str) -> None:
        await asyncio.to_thread(self.served.control, "/messages", {"chat": chat, "text": text})

    def has_note(self, text: str) -> bool:
        """Whether a message with this text has its note."""
        return bool(list(self.vault.rglob(f"20* {text}.md")))


@asynccontextmanager
async def kept(serve: Serve, vault: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Kept]:
    served = await asyncio.to_thread(lambda: serve(_WORLD, login=False))
    await asyncio.to_thread(served.login)
    await asyncio.to_thread(served.control, "/leave", {"chat": served.ready["targets"][1]})
    for name, value in served.environment().items():
        if name.startswith("TOBS_"):
            monkeypatch.setenv(name, value)
    place, clock = open_app_context({"vault": str(vault)}, cwd=vault.parent), Still()
    await execute(ExportRequest(chats=ChatSelection(targets=tuple(served.ready["targets"]))), place, Events())
    async with watching(place, clock) as watcher:
        await until(lambda: bool(watcher.status.last_look), "the watch never looked")
        yield Kept(served, vault, clock, watcher)


async def test_a_channel_that_is_not_joined_is_asked_again_at_the_pace_its_difference_names(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept(serve, tmp_path / "vault", monkeypatch) as watch:
        await watch.waits_for(_PACE)
        asked = watch.asked()
        assert asked == 1, "the joined channel has nothing new, and the other must be asked for its pace"
        await watch.post(watch.left, "Not pushed")
        watch.clock.now += _PACE - 1
        await watch.post(watch.joined, "Pushed at once")
        await until(lambda: watch.has_note("Pushed at once"), "a pushed message has no note")
        assert watch.asked() == asked + 1 and not watch.has_note("Not pushed"), "asked before its time"
        watch.clock.now += 1
        await until(lambda: watch.has_note("Not pushed"), "a channel that pushes nothing was not asked")
        for times in (2, 3, 4):
            await watch.waits_for(times * _PACE)
            assert watch.asked() == asked + times, "only the channel that was left is asked by the clock"
            watch.clock.now += _PACE


async def test_who_may_not_be_asked_or_refuses_is_not_asked_over_and_over(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept(serve, tmp_path / "vault", monkeypatch) as watch:
        await watch.waits_for(_PACE)
        asked, waits, root = watch.asked(), watch.clock.waits, tmp_path / "vault"
        set_paused(root, paused=True)
        watch.clock.now += _EVERY + 1
        await until(lambda: watch.watcher.status.state == "paused", "never paused")
        await asyncio.sleep(0.5)  # long enough for hundreds of turns
        assert watch.clock.waits <= waits + 3 and watch.asked() == asked
        set_paused(root, paused=False)
        watch.clock.now += _EVERY
        await until(lambda: watch.watcher.status.state == "watching", "never went on")
        await until(lambda: watch.asked() == asked + 1, "what was due meanwhile was not done")
        await watch.waits_for(2 * _EVERY + 1 + _PACE)
        refusal = "updates.getChannelDifference*=error:406:CHANNEL_PRIVATE"
        await asyncio.to_thread(watch.served.control, "/faults", {"faults": [refusal]})
        asked = watch.asked()
        watch.clock.now += _PACE
        await until(lambda: watch.asked() > asked, "was not asked")
        await watch.waits_for(3 * _EVERY + 1)
        await asyncio.sleep(0.5)
        assert watch.asked() == asked + 1, "who refuses is asked again with the next look"
        assert len(watch.watcher.status.problems) == 1
