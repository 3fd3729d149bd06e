"""The users and chats that an export names, by the exporter's ids or only by name."""

from __future__ import annotations

import datetime as dt
from typing import Any

from telethon.tl import types

from tobs.model import is_channel_id, marked_channel, marked_group, marked_user
from tobs.sandbox.worlds.seeds import access_hash, splitmix64
from tobs.sandbox.worlds.tl import Tl

_KINDS = {"user": marked_user, "chat": marked_group, "channel": marked_channel}
_OLD_KINDS = {0: marked_user, 1: marked_group, 2: marked_channel}
_EPOCH = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def marked_id(value: Any) -> int:
    """Return the marked id of ``user5``, ``chat5`` or ``channel5``; 0 for none.

    Exports from before April 2021 have a number whose upper half is the kind.
    """
    if isinstance(value, int):
        return _OLD_KINDS.get(value >> 32, marked_user)(value & 0xFFFFFFFF)
    if not isinstance(value, str):
        return 0
    for kind, marked in _KINDS.items():
        if value.startswith(kind) and value[len(kind) :].isdigit():
            return marked(int(value[len(kind) :]))
    return 0


class ExportPeers:
    """The users and chats read so far, by marked id. A peer with only a name gets an id computed from it."""

    def __init__(self, me: int) -> None:
        self.me = me
        self.entities: dict[int, Tl] = {}
        self._by_name: dict[str, int] = {}

    def by_id(self, value: Any, name: str | None) -> int:
        """Add a peer with an id (``user5``) and a name that may be null; return its marked id, 0 without an id."""
        marked = marked_id(value)
        if marked == 0:
            return 0
        if marked not in self.entities or (name and _nameless(self.entities[marked])):
            self.entities[marked] = _entity(marked, name)
        if name:
            self._by_name.setdefault(name, marked)
        return marked

    def by_name(self, name: str | None) -> int:
        """Return the marked id of a user known only by name; null is a deleted account."""
        key = name or "Deleted Account"
        if key not in self._by_name:
            marked = (splitmix64(*key.encode()) & 0xFFFFFFFF) | (1 << 33)
            self.entities[marked] = _entity(marked, name)
            self._by_name[key] = marked
        return self._by_name[key]

    def channel_by_name(self, name: str | None) -> int:
        """Return the marked id of a channel known only by name."""
        key = f"channel {name}"
        if key not in self._by_name:
            marked = marked_channel((splitmix64(*key.encode()) & 0xFFFFFFF) | (1 << 31))
            self.entities[marked] = _entity(marked, name)
            self._by_name[key] = marked
        return self._by_name[key]

    def bot(self, username: str) -> int:
        """Return the marked id of a bot known by its ``@username``."""
        marked = self.by_name(username)
        plain = username.removeprefix("@")
        hash = access_hash("user", marked)
        self.entities[marked] = types.User(
            marked, bot=True, bot_info_version=1, access_hash=hash, first_name=plain, username=plain
        )
        return marked


def _nameless(entity: Tl) -> bool:
    return bool(getattr(entity, "deleted", False))


def _entity(marked: int, name: str | None) -> Tl:
    if marked > 0:
        hash = access_hash("user", marked)
        return types.User(marked, access_hash=hash, first_name=name or None, deleted=None if name else True)
    if is_channel_id(marked):
        bare = -marked - 10**12
        hash = access_hash("channel", bare)
        title = name or "Unknown channel"
        return types.Channel(bare, title, types.ChatPhotoEmpty(), _EPOCH, access_hash=hash, broadcast=True, left=True)
    return types.Chat(-marked, name or "Unknown group", types.ChatPhotoEmpty(), 1, _EPOCH, 1)
