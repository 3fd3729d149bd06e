"""A lost network or a suspended laptop: the run continues."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from telethon.tl import functions

from tests.sandbox.schedules import Time
from tests.sandbox.telegram_room import Collected, quick, room, served_ids, settings_for, sign_in
from tobs.errors import NetworkError
from tobs.sandbox import SandboxOptions, open_world, serve
from tobs.telegram.facade import Telegram
from tobs.telegram.net.events import Event, Reconnected, Retried
from tobs.telegram.opening import open_telegram

WORLD = "synthetic:messages=1500,chats=1,media=0,seed=3"
HISTORY = "messages.getHistory"
MINUTES = 600.0


async def walk(telegram: Telegram) -> Collected:
    chat = await telegram.resolve("@synthetic")
    top = await telegram.history_top(chat.id)
    found = Collected()
    await telegram.walk(chat.id, [(1, top.top)], found, count=top.count)
    return found


async def test_a_network_lost_for_minutes_is_waited_for(tmp_path: Path) -> None:
    clock, events = Time(), list[Event]()
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path, patience=MINUTES)
        await sign_in(sandbox, settings)
        sandbox.faults.add(f"{HISTORY}#6=away:300")
        began = clock()
        async with open_telegram(
            settings, on_event=events.append, clock=clock, sleep=clock.sleep, rng=random.Random(1)
        ) as telegram:
            found = await walk(telegram)
        assert sorted(found.messages) == served_ids(sandbox, sandbox.world.resolve("@synthetic"))
        assert clock() - began > 60, "it was away for minutes of the client's time"
        assert any(isinstance(event, Reconnected) for event in events)


async def test_a_network_that_stays_away_ends_the_run_when_patience_does(tmp_path: Path) -> None:
    clock = Time()
    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path, patience=MINUTES)
        await sign_in(sandbox, settings)
        sandbox.faults.add(f"{HISTORY}#6=away:60000")
        began = clock()
        async with open_telegram(settings, clock=clock, sleep=clock.sleep) as telegram:
            with pytest.raises(NetworkError, match="cannot be reached") as caught:
                await walk(telegram)
        assert clock() - began >= MINUTES and caught.value.exit_code == 4


async def test_hours_in_a_suspended_laptop_are_not_taken_for_hours_without_a_network(tmp_path: Path) -> None:
    hour = 3600.0
    now = [1_700_000_000.0]

    async def sleep(seconds: float) -> None:
        now[0] += hour  # the lid was closed during every wait
        await asyncio.sleep(min(seconds, 0.02))

    async with serve(open_world(WORLD)) as sandbox:
        settings = settings_for(sandbox, tmp_path, patience=MINUTES)
        await sign_in(sandbox, settings)
        sandbox.faults.add(f"{HISTORY}#6=away:200")
        async with open_telegram(settings, clock=lambda: now[0], sleep=sleep) as telegram:
            found = await walk(telegram)
        assert sorted(found.messages) == served_ids(sandbox, sandbox.world.resolve("@synthetic"))
        assert now[0] > 1_700_000_000.0 + 2 * hour


async def test_a_connection_that_died_without_a_word_is_replaced(tmp_path: Path) -> None:
    """State after a suspend: the socket is open and receives nothing."""
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, request_timeout=0.3) as opened:
        sandbox.faults.add(f"{HISTORY}#4=delay:60000")
        found = await walk(opened.telegram)
        assert sorted(found.messages) == served_ids(sandbox, sandbox.world.resolve("@synthetic"))
        assert [event.reason for event in opened.events_of(Retried)] == ["no answer within 0.3 s"]
        assert opened.events_of(Reconnected)


async def test_losses_without_a_network_do_not_count_as_the_server_hanging_up(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, attempts=3, patience=3000) as opened:
        sandbox.faults.add(f"{HISTORY}#3=away:300")
        sandbox.faults.add(f"{HISTORY}#4=drop")
        found = await walk(opened.telegram)
        assert sorted(found.messages) == served_ids(sandbox, sandbox.world.resolve("@synthetic"))


@pytest.mark.parametrize("fault", ["error:420:FLOOD_WAIT_1", "drop", "error:500:INTERNAL", "away:100"])
@pytest.mark.parametrize("method", ["help.getConfig", "auth.exportAuthorization", "auth.importAuthorization"])
async def test_trouble_on_the_way_to_another_data_centre_is_waited_out(fault: str, method: str, tmp_path: Path) -> None:
    clock = Time()
    async with serve(open_world(WORLD), SandboxOptions(dcs=2)) as sandbox:
        settings = settings_for(sandbox, tmp_path, patience=MINUTES)
        await sign_in(sandbox, settings)
        sandbox.faults.add(f"{method}={fault}")
        async with open_telegram(settings, clock=clock, sleep=clock.sleep) as telegram:
            answer = await telegram.invoke(functions.help.GetNearestDcRequest(), dc=4)
        assert answer.this_dc == 4
        assert len(sandbox.log.calls(method)) >= 2


async def test_a_connection_that_the_server_no_longer_knows_the_layer_of_is_greeted_again(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox, room(sandbox, tmp_path, sleep=quick) as opened:
        sandbox.faults.add(f"{HISTORY}#2=error:400:CONNECTION_NOT_INITED")
        await walk(opened.telegram)
        refused = next(entry for entry in sandbox.log.calls(HISTORY) if entry.error)
        same = [entry for entry in sandbox.log.calls(HISTORY) if entry.connection == refused.connection]
        again = next(entry for entry in same if entry.n > refused.n)
        assert "initConnection" in again.wrappers and "initConnection" not in refused.wrappers
