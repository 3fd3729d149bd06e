"""The small pieces every converter needs: TL names in snake case, objects walked into plain values."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import Any

from telethon.tl import TLObject, types

from tobs.model import marked_channel, marked_group
from tobs.telegram.convert.peers import marked
from tobs.telegram.convert.times import unix

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_DEPTH = 5
_PEERS = (types.PeerUser, types.PeerChat, types.PeerChannel)
_BARE = {"channel_id": marked_channel, "chat_id": marked_group}
# Flags whose False says something: a topic is reopened, shown again.
_BOOLS = {"prev_value", "new_value", "closed", "hidden"}


@cache
def snake(name: str) -> str:
    """``ChatAddUser`` -> ``chat_add_user``."""
    return _WORD.sub("_", name).lower()


def plain(name: str, value: Any, depth: int = 0) -> Any:
    """A TL value as JSON has it: peers as marked ids, dates as Unix seconds, formatted text as its string.

    None stands for what is dropped: bytes, flags that are not set, empty lists, what lies too deep.
    """
    kind = type(value)
    if kind is bool:
        return value if value or name in _BOOLS else None
    if kind is int:
        return _BARE[name](value) if name in _BARE else value
    if kind in (str, float):
        return value
    if value is None or kind is bytes or depth > _DEPTH:
        return None
    if isinstance(value, datetime):
        return unix(value)
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
    """The fields of a TL object as plain values, in the schema's order, without what is not set."""
    found = ((name, plain(name, field, depth)) for name, field in vars(value).items())
    return {name: field for name, field in found if field is not None}
