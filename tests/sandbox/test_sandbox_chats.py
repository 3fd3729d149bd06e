"""Chats: usernames, dialogs, full chats."""

from __future__ import annotations

import pytest
from telethon import errors, utils
from telethon.tl import functions, types

from tobs.sandbox import Sandbox


async def test_usernames_resolve_and_unknown_ones_do_not(sandbox: Sandbox, client) -> None:
    entity = await client.get_entity(sandbox.ready.targets[0])
    assert utils.get_peer_id(entity) == sandbox.world.resolve(sandbox.ready.targets[0])
    with pytest.raises(errors.UsernameNotOccupiedError):
        await client(functions.contacts.ResolveUsernameRequest("nobody_here"))
    with pytest.raises(errors.UsernameInvalidError):
        await client(functions.contacts.ResolveUsernameRequest("1"))


async def test_dialogs_are_the_worlds_chats_newest_first(sandbox: Sandbox, client) -> None:
    world = sandbox.world
    for number in range(3):
        world.post(world.me.id, f"note {number}")
    dialogs = await client.get_dialogs()
    assert [dialog.id for dialog in dialogs] == world.dialogs()
    assert all(dialog.message.id == world.history(dialog.id).top_id for dialog in dialogs)
    channel = next(dialog for dialog in dialogs if dialog.is_channel)
    assert channel.dialog.pts == world.pts(channel.id)


async def test_dialogs_come_page_by_page(sandbox: Sandbox, client) -> None:
    listed: list[int] = []
    offset: tuple[object, int, object] = (None, 0, types.InputPeerEmpty())
    while True:
        page = await client(functions.messages.GetDialogsRequest(offset[0], offset[1], offset[2], 1, 0))
        if not page.dialogs:
            break
        listed += [utils.get_peer_id(dialog.peer) for dialog in page.dialogs]
        top = page.messages[-1]
        entities = {utils.get_peer_id(entity): entity for entity in [*page.chats, *page.users]}
        offset = (top.date, top.id, utils.get_input_peer(entities[listed[-1]]))
    assert listed == sandbox.world.dialogs()


async def test_single_dialogs_and_pinned_ones_are_answered(sandbox: Sandbox, client) -> None:
    peer = await client.get_input_entity(sandbox.ready.targets[0])
    found = await client(functions.messages.GetPeerDialogsRequest([types.InputDialogPeer(peer)]))
    assert [utils.get_peer_id(dialog.peer) for dialog in found.dialogs] == [utils.get_peer_id(peer)]
    assert (await client(functions.messages.GetPinnedDialogsRequest(0))).dialogs == []


async def test_full_channels_and_users_are_answered(sandbox: Sandbox, client) -> None:
    peer = await client.get_input_entity(sandbox.ready.targets[0])
    full = await client(functions.channels.GetFullChannelRequest(peer))
    assert full.full_chat.id == peer.channel_id == full.chats[0].id
    assert full.full_chat.pts == sandbox.world.pts(utils.get_peer_id(peer))
    me = await client(functions.users.GetFullUserRequest("me"))
    assert me.full_user.id == sandbox.world.me.id
    chats = await client(functions.channels.GetChannelsRequest([peer]))
    assert [chat.id for chat in chats.chats] == [peer.channel_id]


async def test_a_closed_channel_is_seen_as_forbidden(sandbox: Sandbox, client) -> None:
    peer = await client.get_input_entity(sandbox.ready.targets[0])
    sandbox.world.chat_list.closed.add(utils.get_peer_id(peer))
    chats = await client(functions.channels.GetChannelsRequest([peer]))
    assert isinstance(chats.chats[0], types.ChannelForbidden)
    with pytest.raises(errors.ChannelPrivateError):
        await client(functions.channels.GetFullChannelRequest(peer))
    assert utils.get_peer_id(peer) not in [dialog.id for dialog in await client.get_dialogs()]
