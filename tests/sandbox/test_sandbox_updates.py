"""Updates pushed to a connected client, and differences for one that connects later."""

from __future__ import annotations

import asyncio

import pytest
from telethon import errors, events
from telethon.tl import functions, types

from tobs.sandbox import Sandbox


def channel_of(sandbox: Sandbox) -> int:
    return sandbox.world.resolve(sandbox.ready.targets[0])


async def difference(client, sandbox: Sandbox, pts: int, limit: int = 100):
    channel = await client.get_input_entity(sandbox.ready.targets[0])
    everything = types.ChannelMessagesFilterEmpty()
    return await client(functions.updates.GetChannelDifferenceRequest(channel, everything, pts, limit))


async def test_new_edited_and_deleted_messages_are_pushed(sandbox: Sandbox, client) -> None:
    told: asyncio.Queue[tuple[str, object]] = asyncio.Queue()
    client.add_event_handler(lambda event: told.put(("new", event.message.message)), events.NewMessage())
    client.add_event_handler(lambda event: told.put(("edit", event.message.message)), events.MessageEdited())
    client.add_event_handler(lambda event: told.put(("delete", event.deleted_ids)), events.MessageDeleted())
    chat = channel_of(sandbox)
    id = sandbox.world.post(chat, "hello")
    sandbox.world.edit(chat, id, "hello again")
    sandbox.world.delete(chat, [id])
    assert [await asyncio.wait_for(told.get(), 5) for _ in range(3)] == [
        ("new", "hello"),
        ("edit", "hello again"),
        ("delete", [id]),
    ]


async def test_a_channel_difference_tells_everything_since_a_pts(sandbox: Sandbox, client) -> None:
    chat = channel_of(sandbox)
    world = sandbox.world
    before = world.pts(chat)
    old = world.history(chat).top_id
    kept, gone = world.post(chat, "kept"), world.post(chat, "gone")
    world.edit(chat, kept, "kept, edited")
    world.delete(chat, [gone, old])
    found = await difference(client, sandbox, before)
    assert found.final and found.pts == world.pts(chat)
    assert [(message.id, message.message) for message in found.new_messages] == [(kept, "kept, edited")]
    deleted = [update for update in found.other_updates if isinstance(update, types.UpdateDeleteChannelMessages)]
    assert [update.messages for update in deleted] == [[gone, old]]
    assert isinstance(await difference(client, sandbox, found.pts), types.updates.ChannelDifferenceEmpty)


async def test_a_long_difference_comes_in_parts(sandbox: Sandbox, client) -> None:
    chat = channel_of(sandbox)
    pts = sandbox.world.pts(chat)
    posted = [sandbox.world.post(chat, f"{number}") for number in range(25)]
    seen: list[int] = []
    while True:
        part = await difference(client, sandbox, pts, limit=10)
        seen += [message.id for message in part.new_messages]
        pts = part.pts
        if part.final:
            break
    assert seen == posted


async def test_a_pts_from_before_the_log_is_too_long_ago(sandbox: Sandbox, client) -> None:
    chat = channel_of(sandbox)
    old = sandbox.world.pts(chat) - 5
    assert isinstance(await difference(client, sandbox, old), types.updates.ChannelDifferenceTooLong)
    with pytest.raises(errors.PersistentTimestampInvalidError):
        await difference(client, sandbox, sandbox.world.pts(chat) + 1)
    with pytest.raises(errors.PersistentTimestampEmptyError):
        await difference(client, sandbox, 0)


async def test_the_account_difference_has_private_messages_and_hints_at_channels(sandbox: Sandbox, client) -> None:
    world = sandbox.world
    state = await client(functions.updates.GetStateRequest())
    assert state.pts >= 1
    id = world.post(world.me.id, "a note to self")
    world.post(channel_of(sandbox), "news")
    found = await client(functions.updates.GetDifferenceRequest(state.pts, state.date, state.qts))
    assert [message.id for message in found.new_messages] == [id]
    assert [type(update) for update in found.other_updates] == [types.UpdateChannelTooLong]
    again = await client(functions.updates.GetDifferenceRequest(found.state.pts, None, 0))
    assert not getattr(again, "new_messages", [])


async def test_reactions_are_told_and_stay_with_the_message(sandbox: Sandbox, client) -> None:
    chat = channel_of(sandbox)
    id = sandbox.world.history(chat).slice(0, 1)[0]
    sandbox.world.react(chat, id, "👍", 12)
    found = await client.get_messages(sandbox.ready.targets[0], ids=id)
    assert ("👍", 12) in [(result.reaction.emoticon, result.count) for result in found.reactions.results]
