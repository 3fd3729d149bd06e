"""Ids of Telegram Desktop converted to marked ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tobs.model import ChatKind, bare_id, marked_channel, marked_group, marked_user

#: Subtracted from the message ids of the basic group that became a supergroup.
SHIFT = 1_000_000_000
# Before April 2021 an id had the kind of its peer in the upper 32 bits.
_UPPER: dict[int, Callable[[int], int]] = {0: marked_user, 1: marked_group, 2: marked_channel}
_NAMED = {"user": marked_user, "chat": marked_group, "channel": marked_channel}
#: Higher than the id of any basic group: offset of made-up ids for groups known only as the former supergroup.
_UNKNOWN_GROUPS = 500_000_000_000

_KINDS: dict[str, ChatKind] = {
    "saved_messages": "saved",
    "replies": "private",
    "verification_codes": "private",
    "personal_chat": "private",
    "bot_chat": "bot",
    "private_group": "group",
    "private_supergroup": "supergroup",
    "public_supergroup": "supergroup",
    "private_channel": "channel",
    "public_channel": "channel",
}
_MARKS = {"group": marked_group, "supergroup": marked_channel, "channel": marked_channel}


def kind_of(chat_type: Any) -> ChatKind | None:
    """Return the kind of a chat for its `type`; None if unknown."""
    return _KINDS.get(chat_type) if isinstance(chat_type, str) else None


def is_public(chat_type: Any) -> bool:
    """Return whether the chat is public."""
    return isinstance(chat_type, str) and chat_type.startswith("public_")


def chat_id_of(kind: ChatKind, value: Any) -> int:
    """Return the marked id of a chat: bare since April 2021, before that with its kind in the upper half. 0 for
    no id.
    """
    if not isinstance(value, int) or value <= 0:
        return 0
    return peer_id(value) if value >> 32 else _MARKS.get(kind, marked_user)(value)


def peer_id(value: Any) -> int:
    """Convert ``user5``, ``chat5``, ``channel5``, or a number from before April 2021, to a marked id; 0 for
    other values.
    """
    if isinstance(value, bool):
        return 0
    if isinstance(value, int):
        mark = _UPPER.get(value >> 32)
        return mark(value & 0xFFFFFFFF) if mark and value > 0 else 0
    if isinstance(value, str):
        for name, mark in _NAMED.items():
            rest = value.removeprefix(name)
            if rest != value and rest.isascii() and rest.isdigit():
                return mark(int(rest))
    return 0


def unknown_group(supergroup: int) -> int:
    """Return a marked id for the basic group that became ``supergroup`` (marked), if its own id is unknown."""
    return marked_group(_UNKNOWN_GROUPS + bare_id(supergroup))
