"""Updates: the account's state, differences from a stored pts, and pushed changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from telethon.tl import functions, types

from tobs.model import is_channel_id
from tobs.sandbox.answers import dialog_entry, entities_of_pages, update_state
from tobs.sandbox.peers import marked_id
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.worlds import COMMON, Change, RpcError, World
from tobs.sandbox.worlds.tl import peer, to_date, to_seconds

_MAX_DIFFERENCE: Final = 100
_POLL: Final = 30  # seconds after which a channel should be asked again


@serves(functions.updates.GetStateRequest)
def get_state(call: Call, request: Any) -> Any:
    return update_state(call)


@serves(functions.updates.GetDifferenceRequest)
def get_difference(call: Call, request: Any) -> Any:
    """Return the difference of private chats and basic groups; an updateChannelTooLong for each changed channel."""
    world = call.world
    if request.pts > world.pts(COMMON):
        raise RpcError(400, "PERSISTENT_TIMESTAMP_INVALID")
    if not world.changes.reaches(COMMON, request.pts):
        return types.updates.DifferenceTooLong(world.pts(COMMON))
    changes = world.changes.since(COMMON, request.pts)
    hints = _channel_hints(world, to_seconds(request.date))
    if not changes and not hints:
        return types.updates.DifferenceEmpty(to_date(call.clock()), 1)
    if request.pts_total_limit and len(changes) > request.pts_total_limit:
        return types.updates.DifferenceTooLong(world.pts(COMMON))
    part = changes[: request.pts_limit or _MAX_DIFFERENCE]
    users, chats = entities_of_pages(world, _ids_by_chat(world, part))
    messages, others = new_messages(world, part), other_updates(world, part)
    if len(part) < len(changes):
        return types.updates.DifferenceSlice(messages, [], others, chats, users, update_state(call, part[-1].pts))
    return types.updates.Difference(messages, [], others + hints, chats, users, update_state(call))


def _channel_hints(world: World, since: int) -> list[Any]:
    hints: list[Any] = []
    for marked in world.dialogs():
        if is_channel_id(marked) and any(change.date >= since for change in world.changes.since(marked, 0)):
            hints.append(types.UpdateChannelTooLong(world.entity(marked).id, world.pts(marked)))
    return hints


@serves(functions.updates.GetChannelDifferenceRequest)
def get_channel_difference(call: Call, request: Any) -> Any:
    world = call.world
    marked = marked_id(world, request.channel)
    history = world.history(marked)
    now = world.pts(marked)
    if request.pts <= 0:
        raise RpcError(400, "PERSISTENT_TIMESTAMP_EMPTY")
    if request.pts > now:
        raise RpcError(400, "PERSISTENT_TIMESTAMP_INVALID")
    if request.pts == now:
        return types.updates.ChannelDifferenceEmpty(now, final=True, timeout=_POLL)
    changes = world.changes.since(marked, request.pts)
    if (
        not changes
        or not world.changes.reaches(marked, request.pts)
        or changes[0].pts - changes[0].pts_count > request.pts
    ):
        return _too_long(world, marked, history.slice(0, 10))
    part = changes[: max(1, min(request.limit, _MAX_DIFFERENCE))]
    users, chats = entities_of_pages(world, _ids_by_chat(world, part))
    return types.updates.ChannelDifference(
        part[-1].pts,
        new_messages(world, part),
        other_updates(world, part),
        chats,
        users,
        final=len(part) == len(changes),
        timeout=_POLL,
    )


def _too_long(world: World, marked: int, ids: list[int]) -> Any:
    """Return the answer for a pts that the log does not reach: the client has to load the chat anew."""
    users, chats = world.page_entities(marked, ids)
    return types.updates.ChannelDifferenceTooLong(
        dialog_entry(world, marked), world.messages(marked, ids), chats, users, final=True, timeout=_POLL
    )


def _ids_by_chat(world: World, changes: list[Change]) -> list[tuple[int, list[int]]]:
    return [(change.chat, [id for id in change.ids if world.history(change.chat).has(id)]) for change in changes]


# -- changes as updates


def new_messages(world: World, changes: Iterable[Change]) -> list[Any]:
    """Return the new messages that still exist, in their current form."""
    return [
        message
        for change in changes
        if change.kind in ("new", "service")
        for id in change.ids
        if world.history(change.chat).has(id)
        for message in world.messages(change.chat, [id])
    ]


def other_updates(world: World, changes: Iterable[Change]) -> list[Any]:
    """Return the updates of all changes but new messages."""
    return [update for change in changes if change.kind not in ("new", "service") for update in _updates(world, change)]


def pushed_updates(world: World, change: Change) -> Any:
    """Return a change as the ``Updates`` of a connected client; None if the client gets no update for it."""
    if change.chat not in world.dialogs():
        return None  # a client gets no updates of channels that it has not joined
    updates = _updates(world, change)
    if not updates:
        return None
    users, chats = world.page_entities(change.chat, [id for id in change.ids if world.history(change.chat).has(id)])
    return types.Updates(updates, users, chats, to_date(change.date), 0)


def _updates(world: World, change: Change) -> list[Any]:
    history = world.history(change.chat)
    channel = is_channel_id(change.chat)
    there = [id for id in change.ids if history.has(id)]
    pts, count = change.pts, change.pts_count
    match change.kind:
        case "new" | "service":
            new = types.UpdateNewChannelMessage if channel else types.UpdateNewMessage
            return [new(message, pts, count) for message in world.messages(change.chat, there)]
        case "edit":
            edited = types.UpdateEditChannelMessage if channel else types.UpdateEditMessage
            return [edited(message, pts, count) for message in world.messages(change.chat, there)]
        case "delete" if channel:
            bare = world.entity(change.chat).id
            return [types.UpdateDeleteChannelMessages(bare, list(change.ids), pts, count)]
        case "delete":
            return [types.UpdateDeleteMessages(list(change.ids), pts, count)]
        case "pin" | "unpin" if channel:
            bare, pinned = world.entity(change.chat).id, change.kind == "pin" or None
            return [types.UpdatePinnedChannelMessages(bare, list(change.ids), pts, count, pinned=pinned)]
        case "pin" | "unpin":
            pinned = change.kind == "pin" or None
            return [types.UpdatePinnedMessages(peer(change.chat), list(change.ids), pts, count, pinned=pinned)]
        case "react":
            reactions = [(id, getattr(history.get(id), "reactions", None)) for id in there]
            return [
                types.UpdateMessageReactions(peer(change.chat), id, found or types.MessageReactions([]))
                for id, found in reactions
            ]
