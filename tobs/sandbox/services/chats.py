"""Groups and channels: short, full, and their members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telethon.tl import functions, types

from tobs.model import bare_id, is_channel_id, marked_channel, marked_group
from tobs.sandbox.answers import entities_of
from tobs.sandbox.peers import marked_id
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.worlds import RpcError


@serves(functions.channels.GetChannelsRequest)
def get_channels(call: Call, request: Any) -> Any:
    """Return channels; channelForbidden for those without access."""
    return types.messages.Chats([_visible_channel(call, marked_id(call.world, given)) for given in request.id])


def _visible_channel(call: Call, marked: int) -> Any:
    entity = call.world.entity(marked)
    if marked not in call.world.chat_list.closed:
        return entity
    return types.ChannelForbidden(
        entity.id, entity.access_hash or 0, entity.title, broadcast=entity.broadcast, megagroup=entity.megagroup
    )


@serves(functions.messages.GetChatsRequest)
def get_chats(call: Call, request: Any) -> Any:
    return types.messages.Chats([call.world.entity(marked_group(id)) for id in request.id])


@serves(functions.channels.GetFullChannelRequest)
def get_full_channel(call: Call, request: Any) -> Any:
    world = call.world
    marked = marked_id(world, request.channel)
    if not is_channel_id(marked):
        raise RpcError(400, "CHANNEL_INVALID")
    history = world.history(marked)
    about = world.peers.info(marked)
    full = types.ChannelFull(
        id=world.entity(marked).id,
        about=about.about,
        read_inbox_max_id=history.top_id,
        read_outbox_max_id=0,
        unread_count=0,
        chat_photo=about.photo or types.PhotoEmpty(0),
        notify_settings=types.PeerNotifySettings(),
        bot_info=[],
        pts=world.pts(marked),
        can_view_participants=bool(about.members),
        participants_count=about.members_count or len(about.members) or None,
        pinned_msg_id=about.pinned[0] if about.pinned else None,
        linked_chat_id=world.entity(about.linked_chat).id if about.linked_chat else None,
        migrated_from_chat_id=bare_id(about.migrated_from) if about.migrated_from else None,
        migrated_from_max_id=about.migrated_from_top or None,
    )
    others = [other for other in (about.migrated_from, about.linked_chat) if other]
    named = [marked, *about.members, *about.bots, *others]
    users, chats = entities_of(world, named)
    return types.messages.ChatFull(full, chats, users)


@serves(functions.messages.GetFullChatRequest)
def get_full_chat(call: Call, request: Any) -> Any:
    world = call.world
    marked = marked_group(request.chat_id)
    group = world.entity(marked)
    about = world.peers.info(marked)
    members = [types.ChatParticipant(id, world.me.id, group.date) for id in about.members]
    full = types.ChatFull(
        id=group.id,
        about=about.about,
        participants=types.ChatParticipants(group.id, members, 1),
        notify_settings=types.PeerNotifySettings(),
        chat_photo=about.photo,
        bot_info=[],
        pinned_msg_id=about.pinned[0] if about.pinned else None,
    )
    users, chats = entities_of(world, [marked, *about.members])
    return types.messages.ChatFull(full, chats, users)


@serves(functions.channels.GetParticipantsRequest)
def get_participants(call: Call, request: Any) -> Any:
    """Return members in the world's order. A search filters by name; other filters are ignored."""
    world = call.world
    marked = marked_id(world, request.channel)
    entity = world.entity(marked)
    if marked in world.chat_list.closed:
        raise RpcError(400, "CHANNEL_PRIVATE")
    if getattr(entity, "broadcast", False) and not getattr(entity, "admin_rights", None):
        raise RpcError(400, "CHAT_ADMIN_REQUIRED")
    members = world.peers.info(marked).members
    if isinstance(request.filter, types.ChannelParticipantsSearch):
        members = tuple(id for id in members if request.filter.q.casefold() in _name(world.entity(id)).casefold())
    page = _page(members, request.offset, request.limit)
    found = [types.ChannelParticipant(id, entity.date) for id in page]
    users, chats = entities_of(world, [marked, *page])
    return types.channels.ChannelParticipants(len(members), found, chats, users)


def _name(user: Any) -> str:
    return " ".join(part for part in (user.first_name, user.last_name) if part)


def _page(members: Sequence[int], offset: int, limit: int) -> Sequence[int]:
    return members[max(0, offset) : max(0, offset) + min(max(limit, 0), 200)]


@serves(functions.channels.GetLeftChannelsRequest)
def get_left_channels(call: Call, request: Any) -> Any:
    """Return the channels that the account has left; raise TAKEOUT_REQUIRED outside a takeout."""
    if not call.takeout:
        raise RpcError(400, "TAKEOUT_REQUIRED")
    world = call.world
    left = [
        entity
        for marked, entity in sorted(world.peers.entities.items())
        if _is_left_channel(marked, entity) and marked not in world.chat_list.closed
    ]
    return types.messages.Chats(left[request.offset :])


def _is_left_channel(marked: int, entity: Any) -> bool:
    return is_channel_id(marked) and bool(getattr(entity, "left", False)) and marked == marked_channel(entity.id)
