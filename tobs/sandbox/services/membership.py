"""Invite links and joining."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from tobs.sandbox.answers import entities_of
from tobs.sandbox.peers import marked_id
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.worlds import RpcError
from tobs.sandbox.worlds.tl import to_date


def _chat_of(call: Call, code: str) -> int:
    invite = call.world.chat_list.invites.get(code)
    if invite is None:
        raise RpcError(400, "INVITE_HASH_INVALID")
    if not invite.chat:
        raise RpcError(400, "INVITE_HASH_EXPIRED")
    return invite.chat


def _is_member(call: Call, chat: int) -> bool:
    return chat not in call.world.chat_list.closed and not call.world.entity(chat).left


@serves(functions.messages.CheckChatInviteRequest)
def check_chat_invite(call: Call, request: Any) -> Any:
    """Return the chat to its members, and to others the title and size that the link shows."""
    chat = _chat_of(call, request.hash)
    entity = call.world.entity(chat)
    if _is_member(call, chat):
        return types.ChatInviteAlready(entity)
    return types.ChatInvite(
        title=entity.title,
        photo=types.PhotoEmpty(0),
        participants_count=entity.participants_count or 0,
        color=0,
        channel=True,
        broadcast=entity.broadcast,
        megagroup=entity.megagroup,
    )


@serves(functions.messages.ImportChatInviteRequest)
def import_chat_invite(call: Call, request: Any) -> Any:
    """Join by a link."""
    chat = _chat_of(call, request.hash)
    if _is_member(call, chat):
        raise RpcError(400, "USER_ALREADY_PARTICIPANT")
    call.world.join(chat)
    users, chats = entities_of(call.world, [chat])
    updates = types.Updates([types.UpdateChannel(chats[0].id)], users, chats, to_date(call.clock()), 0)
    return types.messages.ChatInviteJoinResultOk(updates)


@serves(functions.channels.JoinChannelRequest)
def join_channel(call: Call, request: Any) -> Any:
    """Join a public channel."""
    chat = marked_id(call.world, request.channel)
    call.world.join(chat)
    users, chats = entities_of(call.world, [chat])
    return types.Updates([types.UpdateChannel(chats[0].id)], users, chats, to_date(call.clock()), 0)
