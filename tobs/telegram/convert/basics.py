"""Basic conversions: peer ids, dates, names in snake case, and TL objects into plain values."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import Any

from telethon.tl import TLObject, types

from tobs.model import marked_channel, marked_group

_CHANNEL_BASE = 10**12
_User, _Channel, _Chat = types.PeerUser, types.PeerChannel, types.PeerChat
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MAX_DEPTH = 5
_PEERS = (types.PeerUser, types.PeerChat, types.PeerChannel)
_BARE_IDS = {"channel_id": marked_channel, "chat_id": marked_group}
# Flags with a meaning when False: a topic is reopened, shown again.
_MEANINGFUL_FALSE = {"prev_value", "new_value", "closed", "hidden"}


def marked(peer: Any) -> int:
    """Return the marked id of a TL ``Peer``; 0 for none."""
    kind = type(peer)
    if kind is _User:
        return int(peer.user_id)
    if kind is _Channel:
        return -_CHANNEL_BASE - int(peer.channel_id)
    if kind is _Chat:
        return -int(peer.chat_id)
    return 0


def unix_time(value: Any) -> int:
    """Return the Unix seconds of a TL date (an int from our reader, a datetime from Telethon's); 0 for none."""
    if value is None:
        return 0
    if type(value) is int:
        return value
    return int(value.timestamp())


@cache
def snake(name: str) -> str:
    """Convert a name to snake case: ``ChatAddUser`` -> ``chat_add_user``."""
    return _WORD.sub("_", name).lower()


def plain(name: str, value: Any, depth: int = 0) -> Any:
    """Convert a TL value to JSON types: peers to marked ids, dates to Unix seconds, formatted text to its string.

    None stands for a dropped value: bytes, flags that are not set, empty lists, values nested too deeply.
    """
    kind = type(value)
    if kind is bool:
        return value if value or name in _MEANINGFUL_FALSE else None
    if kind is int:
        return _BARE_IDS[name](value) if name in _BARE_IDS else value
    if kind in (str, float):
        return value
    if value is None or kind is bytes or depth > _MAX_DEPTH:
        return None
    if isinstance(value, datetime):
        return unix_time(value)
    if isinstance(value, list | tuple):
        items = [item for item in (plain("", item, depth + 1) for item in value) if item is not None]
        return items or None
    if isinstance(value, _PEERS):
        return marked(value)
    if kind is types.TextWithEntities:
        return value.text
    if isinstance(value, types.Photo | types.Document):
        return value.id
    if isinstance(value, TLObject):
        fields = plain_fields(value, depth + 1)
        word = snake(kind.__name__)
        return {"_": word, **fields} if fields else word
    return None


def plain_fields(value: TLObject, depth: int = 0) -> dict[str, Any]:
    """Convert the fields of a TL object to plain values, in the schema's order, without unset ones."""
    found = ((name, plain(name, field, depth)) for name, field in vars(value).items())
    return {name: field for name, field in found if field is not None}
