"""Takeouts: start, delay, wrapped requests, end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from telethon import errors
from telethon.tl import functions, types

from tobs.sandbox import Sandbox, SandboxOptions

DELAYED = SandboxOptions(takeout_delay=3600)


async def test_a_takeout_is_given_used_and_finished(sandbox: Sandbox, client) -> None:
    async with client.takeout(channels=True, files=True, max_file_size=1 << 20) as takeout:
        assert await takeout.get_messages(sandbox.ready.targets[0], 3)
    (state,) = sandbox.server.state.takeouts.values()
    assert (state.finished, state.success, state.scopes.message_channels) == (True, True, True)
    assert all("invokeWithTakeout" in entry.wrappers for entry in sandbox.log.calls("messages.getHistory"))
    assert "invokeWithTakeout" in sandbox.log.calls("account.finishTakeoutSession")[0].wrappers


@pytest.mark.parametrize("sandbox", [DELAYED], indirect=True)
async def test_a_takeout_has_to_wait_until_its_time_has_passed(sandbox: Sandbox, client) -> None:
    ask = functions.account.InitTakeoutSessionRequest(message_channels=True)
    for expected in (3600, 2600):
        client._flood_waited_requests.clear()
        with pytest.raises(errors.TakeoutInitDelayError) as caught:
            await client(ask)
        assert expected - 5 <= caught.value.seconds <= expected
        sandbox.server.clock.advance(1000)
    sandbox.server.clock.advance(1700)
    client._flood_waited_requests.clear()
    assert (await client(ask)).id


async def test_a_takeout_that_is_over_is_invalid(sandbox: Sandbox, client) -> None:
    state = functions.updates.GetStateRequest()
    with pytest.raises(errors.TakeoutInvalidError):
        await client(functions.InvokeWithTakeoutRequest(99, state))
    given = await client(functions.account.InitTakeoutSessionRequest())
    assert await client(functions.InvokeWithTakeoutRequest(given.id, state))
    finish = functions.account.FinishTakeoutSessionRequest(success=False)
    with pytest.raises(errors.TakeoutRequiredError):
        await client(finish)
    assert await client(functions.InvokeWithTakeoutRequest(given.id, finish)) is True
    with pytest.raises(errors.TakeoutInvalidError):
        await client(functions.InvokeWithTakeoutRequest(given.id, state))


@pytest.mark.parametrize("sandbox", [SandboxOptions(split_ranges=3)], indirect=True)
async def test_split_ranges_follow_one_another_and_end_open(sandbox: Sandbox, client) -> None:
    ranges = await client(functions.messages.GetSplitRangesRequest())
    assert len(ranges) == 3
    assert ranges[0].min_id == 1 and ranges[-1].max_id == 0x7FFFFFFF
    assert all(later.min_id == earlier.max_id + 1 for earlier, later in pairwise(ranges))


async def test_a_messages_range_narrows_the_history(sandbox: Sandbox, client) -> None:
    target = sandbox.ready.targets[0]
    history = sandbox.world.history(sandbox.world.resolve(target))
    ids = history.slice(0, 50)
    peer = await client.get_input_entity(target)
    ask = functions.messages.GetHistoryRequest(peer, 0, None, 0, 100, 0, 0, 0)
    page = await client(functions.InvokeWithMessagesRangeRequest(types.MessageRange(ids[40], ids[10]), ask))
    assert [message.id for message in page.messages] == ids[10:41]
