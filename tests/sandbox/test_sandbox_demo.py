"""The demo world, read by a client."""

from __future__ import annotations

import pytest
from telethon import errors

from tests.sandbox.conftest import telethon_client
from tobs.sandbox import open_world, serve


async def test_every_chat_of_the_demo_is_read_whole_by_stock_telethon() -> None:
    world = open_world("demo")
    async with serve(world) as sandbox, telethon_client(sandbox) as client:
        dialogs = await client.get_dialogs()
        assert {dialog.id for dialog in dialogs} == set(world.dialogs())
        for dialog in dialogs:
            history = world.history(dialog.id)
            got = [message.id async for message in client.iter_messages(dialog.input_entity, wait_time=0)]
            assert got == history.slice(0, history.count)
        assert sandbox.server.failures == []


async def test_the_demo_has_a_channel_that_the_account_may_not_read() -> None:
    world = open_world("demo")
    (closed,) = world.chat_list.closed
    async with serve(world) as sandbox, telethon_client(sandbox) as client:
        entity = await client.get_entity(world.entity(closed).username)
        with pytest.raises(errors.ChannelPrivateError):
            await client.get_messages(entity, 1)
