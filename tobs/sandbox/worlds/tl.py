"""Helpers for TL objects: dates, peers, serialised objects, a walk over the objects inside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from telethon.tl import TLObject, types

from tobs.model import bare_id, is_channel_id, marked_channel, marked_group, marked_user

Tl = Any
"""A Telethon TL object; Telethon ships no types."""


class RpcError(Exception):
    """An error that Telegram answers as an rpc error: ``code`` and ``name`` (400, "CHANNEL_PRIVATE")."""

    def __init__(self, code: int, name: str) -> None:
        super().__init__(f"{code} {name}")
        self.code = code
        self.name = name


class Raw(TLObject):  # type: ignore[misc]
    """A TL object that is already serialised; it can stand inside any other one."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def _bytes(self) -> bytes:
        return self.data

    def to_dict(self) -> dict[str, Any]:
        return {"_": "Raw", "data": self.data}


def to_date(seconds: float) -> dt.datetime:
    """Return Unix seconds as a TL date: UTC, whole seconds."""
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC)


def to_seconds(date: dt.datetime | None) -> int:
    """Return a TL date as Unix seconds; 0 for None."""
    return 0 if date is None else int(date.timestamp())


def peer(marked: int) -> Tl:
    """Return the ``Peer`` of a marked id."""
    if marked > 0:
        return types.PeerUser(marked)
    if is_channel_id(marked):
        return types.PeerChannel(bare_id(marked))
    return types.PeerChat(bare_id(marked))


def peer_marked_id(peer_object: Tl) -> int:
    """Return the marked id of a ``Peer`` or ``InputPeer``; 0 for an empty one and for InputPeerSelf."""
    if hasattr(peer_object, "user_id"):
        return marked_user(peer_object.user_id)
    if hasattr(peer_object, "chat_id"):
        return marked_group(peer_object.chat_id)
    if hasattr(peer_object, "channel_id"):
        return marked_channel(peer_object.channel_id)
    return 0


def walk(root: Tl) -> Iterator[Tl]:
    """Yield ``root`` and every TL object inside it, outermost first."""
    stack = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, TLObject):
            yield item
            stack.extend(value for value in vars(item).values() if isinstance(value, TLObject | list))
        elif isinstance(item, list):
            stack.extend(item)


def reply_header(answered: int, thread: int, *, forum: bool) -> Tl | None:
    """Return the reply header of a message in ``thread`` (0: none) that answers message ``answered`` (0: none)."""
    if forum and thread <= 1:  # the general topic is not named
        return types.MessageReplyHeader(reply_to_msg_id=answered) if answered else None
    target = answered or thread
    if not target:
        return None
    return types.MessageReplyHeader(
        reply_to_msg_id=target,
        reply_to_top_id=thread if thread and thread != target else None,
        forum_topic=forum or None,
    )


_USER_FIELDS = ("user_id", "via_bot_id", "inviter_id", "bot_id", "via_business_bot_id")
_USER_LISTS = ("users", "winners")


def peers_in(message: Tl) -> frozenset[int]:
    """Return the marked ids of all users and chats that a message names: a page of messages must contain them."""
    found: set[int] = set()
    for item in walk(message):
        if isinstance(item, types.PeerUser | types.PeerChat | types.PeerChannel):
            found.add(peer_marked_id(item))
            continue
        fields = vars(item)
        for name in _USER_FIELDS:
            if fields.get(name):
                found.add(marked_user(fields[name]))
        for name in _USER_LISTS:
            for value in fields.get(name) or ():
                if isinstance(value, int):
                    found.add(marked_user(value))
        if isinstance(item, types.MessageActionChatMigrateTo | types.MessageReplies) and item.channel_id:
            found.add(marked_channel(item.channel_id))
        elif isinstance(item, types.MessageActionChannelMigrateFrom):
            found.add(marked_group(item.chat_id))
    return frozenset(found)
