"""MTProto's own messages: salts, containers, pings, sessions, wrappers, several requests at once."""

from __future__ import annotations

import asyncio

import pytest
from telethon import errors
from telethon.tl import functions, types

from tobs.sandbox import Sandbox, SandboxOptions


async def test_many_requests_at_once_get_their_own_answers(sandbox: Sandbox, client) -> None:
    target = await client.get_input_entity(sandbox.ready.targets[0])
    history = sandbox.world.history(sandbox.world.resolve(sandbox.ready.targets[0]))
    ids = history.slice(0, 60)
    found = await asyncio.gather(*(client.get_messages(target, ids=id) for id in ids))
    assert [message.id for message in found] == ids


@pytest.mark.parametrize("sandbox", [SandboxOptions(latency=0.2)], indirect=True)
async def test_latency_is_of_each_request_and_not_of_all_together(sandbox: Sandbox, client) -> None:
    target = await client.get_input_entity(sandbox.ready.targets[0])
    loop = asyncio.get_running_loop()
    started = loop.time()
    await asyncio.gather(*(client.get_messages(target, limit=10) for _ in range(10)))
    assert 0.2 <= loop.time() - started < 1.9


async def test_a_ping_is_answered(client) -> None:
    pong = await client._sender.send(functions.PingRequest(4711))
    assert pong.ping_id == 4711


async def test_state_requests_and_unknown_sessions_are_answered(client) -> None:
    destroyed = await client._sender.send(functions.DestroySessionRequest(123456))
    assert isinstance(destroyed, types.DestroySessionNone)
    salts = await client._sender.send(functions.GetFutureSaltsRequest(1))
    assert salts.salts[0].salt == client._sender._state.salt


async def test_wrappers_are_taken_off_and_noted(sandbox: Sandbox, client) -> None:
    state = functions.updates.GetStateRequest()
    await client(functions.InvokeWithoutUpdatesRequest(functions.InvokeAfterMsgRequest(1, state)))
    entry = sandbox.log.calls("updates.getState")[-1]
    assert entry.wrappers == ("invokeWithoutUpdates", "invokeAfterMsg")
    assert sandbox.log.calls("help.getConfig")[0].wrappers == ("invokeWithLayer", "initConnection")


async def test_ordered_requests_are_answered_in_order(sandbox: Sandbox, client) -> None:
    sandbox.faults.add("users.getUsers=delay:150")
    order: list[str] = []
    first = client._sender.send([functions.users.GetUsersRequest([types.InputUserSelf()])])[0]
    await asyncio.sleep(0.05)
    after = functions.InvokeAfterMsgRequest(0, functions.updates.GetStateRequest())
    after.msg_id = next(iter(client._sender._pending_state))
    second = client._sender.send(after)
    first.add_done_callback(lambda _: order.append("first"))
    second.add_done_callback(lambda _: order.append("second"))
    await asyncio.gather(first, second)
    assert order == ["first", "second"]


async def test_the_log_numbers_connections_and_keys(sandbox: Sandbox, connect) -> None:
    async with connect() as one, connect() as other:
        await one.get_me()
        await other.get_me()
    entries = sandbox.log.since()
    assert [entry.n for entry in entries] == list(range(1, len(entries) + 1))
    assert len({(entry.connection, entry.auth_key_id) for entry in entries}) == 2
    assert {entry.dc for entry in entries} == {2}


async def test_a_client_with_a_wrong_clock_is_told(sandbox: Sandbox, connect) -> None:
    async with connect() as client:
        client._sender._state.time_offset = 4000
        client._sender._state._last_msg_id = 0
        # Telethon corrects its offset from the notification and sends again.
        assert (await client(functions.users.GetUsersRequest([types.InputUserSelf()])))[0].is_self


async def test_a_dropped_connection_is_connected_anew(sandbox: Sandbox, client) -> None:
    sandbox.server.drop_connections()
    await asyncio.sleep(0.05)
    assert await client.get_messages(sandbox.ready.targets[0], 1)
    with pytest.raises(errors.InputMethodInvalidError):
        await client(functions.account.GetThemesRequest("android", 0))
