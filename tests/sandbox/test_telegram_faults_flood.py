"""Flood waits: kept by all workers and processes, and learned from."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.schedules import Time
from tests.sandbox.telegram_room import fetch_all, room, served_ids, settings_for
from tobs.errors import FloodWait
from tobs.sandbox import SandboxOptions, open_world, serve
from tobs.telegram.net.events import Event, FloodWaited, ignore_event
from tobs.telegram.net.flood import FloodLedger
from tobs.telegram.net.flood_store import FloodStore, Pace, SharedFloodStore, Wait
from tobs.telegram.net.pace import Pacer
from tobs.telegram.opening import open_telegram

WORLD = "synthetic:messages=3000,chats=1,media=0,seed=3"
HISTORY = "messages.getHistory"

_OTHER_PROCESS = """
import asyncio, sys
from pathlib import Path
from tobs.telegram.opening import open_telegram
from tobs.telegram.net.settings import ServerAddress, TelegramSettings

async def main(sessions, port, pem):
    server = ServerAddress("127.0.0.1", int(port), 2, Path(pem).read_text())
    settings = TelegramSettings(api_id=1, api_hash="0" * 32, sessions=Path(sessions), server=server)
    async with open_telegram(settings) as telegram:
        chat = await telegram.resolve("@synthetic")
        print("ready", flush=True)
        sys.stdin.readline()
        for _ in range(3):
            await telegram.history_top(chat.id)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_nothing_is_sent_by_another_process_during_a_wait(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, sleep=asyncio.sleep) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        pem = tmp_path / "key.pem"
        pem.write_text(sandbox.key_pem)
        settings = settings_for(sandbox, tmp_path)
        assert settings.server is not None
        command = [sys.executable, "-c", _OTHER_PROCESS, str(settings.sessions), str(settings.server.port), str(pem)]
        other = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert other.stdin is not None and other.stdout is not None
        assert await other.stdout.readline() == b"ready\n"
        sandbox.faults.add(f"{HISTORY}=flood:2")
        here = asyncio.create_task(opened.telegram.history_top(chat.id))
        await asyncio.sleep(0.5)
        other.stdin.write(b"go\n")
        await here
        assert await other.wait() == 0
        assert opened.events_of(FloodWaited)
        flooded, *later = sandbox.log.calls(HISTORY)
        assert flooded.error == "FLOOD_WAIT_2" and len(later) == 4
        assert len({entry.connection for entry in later}) == 2
        assert [entry for entry in later if entry.time < flooded.time + 2] == []


async def test_a_wait_outlives_the_process_that_met_it(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        async with room(sandbox, tmp_path, flood_patience=10.0) as opened:
            chat = await opened.telegram.resolve("@synthetic")
            sandbox.faults.add(f"{HISTORY}=flood:500")
            with pytest.raises(FloodWait):
                await opened.telegram.history_top(chat.id)
        asked = len(sandbox.log.calls(HISTORY))
        async with open_telegram(settings_for(sandbox, tmp_path, flood_patience=10.0)) as again:
            with pytest.raises(FloodWait) as caught:
                await again.history_top(chat.id)
        assert 480 < caught.value.seconds <= 500 and "s before messages.getHistory" in caught.value.message
        assert len(sandbox.log.calls(HISTORY)) == asked, "Telegram was not asked again"


@pytest.mark.parametrize("name", ["FLOOD_WAIT_0", "FLOOD_WAIT_2", "FLOOD_PREMIUM_WAIT_3"])
async def test_each_kind_of_wait_is_waited_and_told(name: str, tmp_path: Path) -> None:
    clock, events = Time(), list[Event]()
    async with serve(open_world(WORLD)) as sandbox:
        async with room(sandbox, tmp_path):
            pass
        sandbox.faults.add(f"{HISTORY}#2=error:420:{name}")
        began = clock()
        async with open_telegram(
            settings_for(sandbox, tmp_path), on_event=events.append, clock=clock, sleep=clock.sleep
        ) as telegram:
            chat = await telegram.resolve("@synthetic")
            for _ in range(3):
                await telegram.history_top(chat.id)
        waits = [event for event in events if isinstance(event, FloodWaited)]
        assert [(event.method, event.name) for event in waits] == [(HISTORY, name.rpartition("_")[0])]
        assert waits[0].seconds > 0 and waits[0].seconds >= int(name[-1])
        assert clock() - began >= waits[0].seconds - 1e-6, "a clock of seconds since 1970 keeps no more digits"


async def test_a_steady_export_meets_few_floods(tmp_path: Path) -> None:
    """30 requests a second are allowed: without a learned pace nearly every second of the walk would flood."""
    options = SandboxOptions(faults=(f"{HISTORY}*=rate:30",))
    clock, events = Time(nap=0.0), list[Event]()
    async with serve(open_world(WORLD), options, now=clock) as sandbox:
        async with room(sandbox, tmp_path):
            pass
        async with open_telegram(
            settings_for(sandbox, tmp_path), on_event=events.append, clock=clock, sleep=clock.sleep
        ) as telegram:
            chat = await telegram.resolve("@synthetic")
            for _ in range(600):
                await telegram.history_top(chat.id)
        waits = [event for event in events if isinstance(event, FloodWaited)]
        assert 1 <= len(waits) <= 8


def test_a_flood_halves_the_pace_and_answers_bring_it_back_slowly() -> None:
    pacer = Pacer()
    for number in range(20):
        pacer.record_sent(100 + number * 0.1)
    pacer.record_flood(102.0)
    assert pacer.interval == pytest.approx(0.2, rel=0.1)
    pacer.record_flood(103.0)
    assert pacer.interval == pytest.approx(0.4, rel=0.1)
    steps = sum(pacer.record_answer(103.0) for _ in range(100))
    assert steps == 2 and pacer.interval == pytest.approx(0.4 * 0.9**2, rel=0.1)
    assert [pacer.record_answer(now) for now in (107.0, 108.5, 109.0, 114.0)] == [False, True, False, True]
    for _ in range(5000):
        pacer.record_answer(115.0)
    assert pacer.interval == 0 and pacer.wait(200.0) == 0


@given(st.lists(st.floats(0, 5), max_size=50), st.integers(0, 6))
def test_turns_are_an_interval_apart_whoever_asks(gaps: list[float], floods: int) -> None:
    pacer, now = Pacer(0.01), 1000.0
    for _ in range(floods):
        pacer.record_flood(now)
    assert pacer.interval <= 2.0
    turns = []
    for gap in gaps:
        now += gap
        turns.append(now + pacer.wait(now))
    assert all(later - earlier >= pacer.interval - 1e-9 for earlier, later in pairwise(turns))


def ledger(now: list[float], waits: FloodStore) -> FloodLedger:
    async def sleep(seconds: float) -> None:
        now[0] += seconds

    return FloodLedger(
        clock=lambda: now[0], sleep=sleep, threshold=100, patience=1000, on_event=ignore_event, store=waits
    )


def test_a_wait_of_no_seconds_makes_nothing_slower() -> None:
    now = [1_000_000.0]
    one = ledger(now, FloodStore())
    one.record_wait(HISTORY, 0, 0.4, "FLOOD_WAIT", slower=False)
    assert one.remaining(HISTORY, 0) == pytest.approx(0.4) and one.interval(HISTORY) == 0
    now[0] += 1
    one.record_wait(HISTORY, 0, 3, "FLOOD_WAIT")
    assert one.interval(HISTORY) > 0


def test_a_clock_set_back_does_not_make_a_wait_longer_and_a_suspended_laptop_ends_it() -> None:
    now = [1_000_000.0]
    one = ledger(now, FloodStore())
    one.record_wait(HISTORY, 0, 30, "FLOOD_WAIT")
    now[0] -= 86_400
    assert one.remaining(HISTORY, 0) == 30
    now[0] += 2 * 86_400
    assert one.remaining(HISTORY, 0) == 0


def test_what_one_process_learned_the_other_knows(tmp_path: Path) -> None:
    now = [1_000_000.0]
    book = tmp_path / "home" / "floods.json"

    def mine(owner: str) -> SharedFloodStore:
        return SharedFloodStore(book, owner, clock=lambda: now[0])

    one, two, other = mine("t/1"), mine("t/1"), mine("t/2")
    one.put_wait((HISTORY, 0), Wait(now[0] + 30, 30))
    two.put_wait((HISTORY, 4), Wait(now[0] + 40, 40))
    one.put_pace((HISTORY, 0), Pace(0.5, now[0]))
    assert [item.wait((HISTORY, 4)) for item in (one, two, other)] == [Wait(now[0] + 40, 40)] * 2 + [None]
    assert ledger(now, two).remaining(HISTORY, 0) == 30 and ledger(now, two).interval(HISTORY) == 0.5
    now[0] += 7200
    two.put_wait((HISTORY, 4), Wait(now[0] + 40, 40))
    assert one.wait((HISTORY, 0)) is None and one.pace((HISTORY, 0)) is None, "what is over is forgotten"
    book.write_bytes(b"torn{")
    assert one.wait((HISTORY, 4)) is None
    one.put_wait((HISTORY, 4), Wait(now[0] + 1, 1))
    assert two.wait((HISTORY, 4)) == Wait(now[0] + 1, 1)


def test_a_book_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    waits = SharedFloodStore(tmp_path / "file" / "floods.json", "t/1", clock=time.time)
    waits.put_wait((HISTORY, 0), Wait(time.time() + 30, 30))
    assert waits.wait((HISTORY, 0)) is not None


async def test_many_processes_write_the_book_at_once(tmp_path: Path) -> None:
    """Each adds its own keys; none may lose those of another."""
    script = (
        "import sys,time;from pathlib import Path;from tobs.telegram.net.flood_store import *;"
        "w=SharedFloodStore(Path(sys.argv[1]),'a',clock=time.time);"
        "[w.put_wait((sys.argv[2],n),Wait(time.time()+99,99)) for n in range(20)]"
    )
    book = tmp_path / "floods.json"
    names = [f"m{number}" for number in range(3)]
    running = [await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(book), name) for name in names]
    assert [await process.wait() for process in running] == [0] * len(names)
    waits = SharedFloodStore(book, "a", clock=time.time)
    keys = [(name, number) for name in names for number in range(20)]
    random.shuffle(keys)
    assert [key for key in keys if waits.wait(key) is None] == []


async def test_a_walk_with_floods_by_chance_is_complete(tmp_path: Path) -> None:
    clock = Time()
    async with serve(open_world(WORLD), now=clock) as sandbox, room(sandbox, tmp_path, sleep=clock.sleep) as opened:
        chat = await opened.telegram.resolve("@synthetic")
        sandbox.faults.add(f"{HISTORY}%20=flood:0")
        found = await fetch_all(opened, chat.id, workers=4)
        assert sorted(found.messages) == served_ids(sandbox, chat.id)
