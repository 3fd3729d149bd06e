"""Faults on demand, in the syntax of ``--fault``."""

from __future__ import annotations

import asyncio

import pytest
from telethon import errors
from telethon.tl import functions, types

from tobs.errors import UsageError
from tobs.sandbox import Sandbox, SandboxOptions
from tobs.sandbox.faults import FaultPlan, parse_fault


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "x",
        "messages.getHistory",
        "a=flood",
        "a=flood:x",
        "a=error:400",
        "a=drop:1",
        "a=nothing",
        "a#x=drop",
        "a=error:400:low",
    ],
)
def test_a_wrong_fault_is_a_usage_error(spec: str) -> None:
    with pytest.raises(UsageError):
        parse_fault(spec)


def triggered_calls(plan: FaultPlan, calls: int, method: str = "messages.getHistory") -> list[int]:
    return [number for number in range(1, calls + 1) if plan.triggered(method)]


def test_the_nth_call_the_next_call_and_each_call() -> None:
    assert triggered_calls(FaultPlan(("messages.getHistory#3=flood:2",)), 6) == [3]
    assert triggered_calls(FaultPlan(("messages.getHistory=drop",)), 6) == [1]
    assert triggered_calls(FaultPlan(("messages.getHistory*=delay:5",)), 4) == [1, 2, 3, 4]
    assert triggered_calls(FaultPlan(("**=drop",)), 3, "anything.atAll") == [1, 2, 3]
    assert triggered_calls(FaultPlan(("messages.getHistory*=drop",)), 3, "messages.search") == []


def test_percents_come_by_the_seed() -> None:
    spec = ("messages.getHistory%20=error:500:INTERNAL",)
    hits = triggered_calls(FaultPlan(spec, seed=5), 1000)
    assert hits == triggered_calls(FaultPlan(spec, seed=5), 1000)
    assert hits != triggered_calls(FaultPlan(spec, seed=6), 1000)
    assert 120 < len(hits) < 280


def test_a_rate_applies_to_calls_above_the_limit_of_a_second() -> None:
    plan = FaultPlan(("messages.getHistory*=rate:2",))
    times = [10.0, 10.1, 10.2, 10.9, 11.05, 11.06, 11.2]
    hits = [bool(plan.triggered("messages.getHistory", now)) for now in times]
    assert hits == [False, False, True, True, False, True, False]


async def test_a_short_part_loses_its_second_half(sandbox: Sandbox, client) -> None:
    world = sandbox.world
    document = world.files.add_document(b"x" * 8192, "application/x-test", [])
    location = types.InputDocumentFileLocation(document.id, document.access_hash, document.file_reference, "")
    sandbox.faults.add("upload.getFile=short")
    request = functions.upload.GetFileRequest(location, 0, 8192)
    assert [len((await client(request)).bytes) for _ in range(2)] == [4096, 8192]


@pytest.mark.parametrize("sandbox", [SandboxOptions(dcs=2)], indirect=True)
async def test_who_is_away_cannot_be_reached_on_any_data_centre_and_comes_back(sandbox: Sandbox, client) -> None:
    ports = dict(sandbox.server.ports)
    assert len(ports) == 2
    sandbox.faults.add("messages.getHistory=away:300")
    asking = asyncio.create_task(client.get_messages(sandbox.ready.targets[0], 5))
    await asyncio.sleep(0.15)
    for port in ports.values():
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
    assert len(await asking) == 5
    assert sandbox.server.ports == ports


async def test_a_flood_wait_is_answered_once(sandbox: Sandbox, client) -> None:
    sandbox.faults.add("messages.getHistory#2=flood:2")
    target = sandbox.ready.targets[0]
    assert await client.get_messages(target, 1)
    with pytest.raises(errors.FloodWaitError) as caught:
        await client.get_messages(target, 1)
    assert caught.value.seconds == 2
    # Telethon keeps the wait for itself; the server would answer at once.
    client._flood_waited_requests.clear()
    assert await client.get_messages(target, 1)
    assert [entry.error for entry in sandbox.log.calls("messages.getHistory")] == [None, "FLOOD_WAIT_2", None]


async def test_any_error_can_be_answered(sandbox: Sandbox, client) -> None:
    sandbox.faults.add("messages.getHistory=error:400:CHANNEL_PRIVATE")
    with pytest.raises(errors.ChannelPrivateError):
        await client.get_messages(sandbox.ready.targets[0], 1)


async def test_a_drop_cuts_the_connection_and_the_client_comes_back(sandbox: Sandbox, client) -> None:
    sandbox.faults.add("messages.getHistory=drop")
    assert len(await client.get_messages(sandbox.ready.targets[0], 5)) == 5
    entries = sandbox.log.calls("messages.getHistory")
    assert [entry.error for entry in entries] == ["dropped", None]
    assert entries[0].connection != entries[1].connection


async def test_a_damaged_answer_makes_the_client_connect_anew(sandbox: Sandbox, client) -> None:
    sandbox.faults.add("messages.getHistory=corrupt")
    assert len(await client.get_messages(sandbox.ready.targets[0], 5)) == 5
    assert len({entry.connection for entry in sandbox.log.calls("messages.getHistory")}) == 2


@pytest.mark.parametrize("sandbox", [SandboxOptions(faults=("updates.getState*=delay:80",))], indirect=True)
async def test_faults_of_the_options_hold_from_the_start(sandbox: Sandbox, client) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    await client(functions.updates.GetStateRequest())
    assert loop.time() - started >= 0.08


@pytest.mark.parametrize("sandbox", [SandboxOptions(bandwidth=100_000)], indirect=True)
async def test_bandwidth_slows_a_connection_down(sandbox: Sandbox, client) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    await client.get_messages(sandbox.ready.targets[0], 100)
    assert loop.time() - started >= 0.05
