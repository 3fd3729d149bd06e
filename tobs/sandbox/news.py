"""Changes of a world as Telegram's updates: for differences, and pushed to who is connected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from telethon.tl import types

from tobs.model import is_channel_id
from tobs.sandbox.dates import to_date
from tobs.sandbox.worlds import Change, World
from tobs.sandbox.worlds.tl import peer


def new_messages(world: World, changes: Iterable[Change]) -> list[Any]:
    """The messages that came and are still there, as they are now."""
    return [
        message
        for change in changes
        if change.kind in ("new", "service")
        for id in change.ids
        if world.history(change.chat).has(id)
        for message in world.messages(change.chat, [id])
    ]


def other_updates(world: World, changes: Iterable[Change]) -> list[Any]:
    """Everything but new messages."""
    return [update for change in changes if change.kind not in ("new", "service") for update in _updates(world, change)]


def pushed(world: World, change: Change) -> Any:
    """One change as the ``Updates`` that a connected client gets; None when there is nothing left to tell."""
    if change.chat not in world.dialogs():
        return None  # who has not joined a channel is pushed nothing
    updates = _updates(world, change)
    if not updates:
        return None
    users, chats = world.people(change.chat, [id for id in change.ids if world.history(change.chat).has(id)])
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
