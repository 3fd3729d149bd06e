"""Users and chats: marked ids, ``Chat``, ``Person``, and the access hashes of peers."""

from __future__ import annotations

from typing import Any

from telethon.tl import types

from tobs.model import Chat, ChatKind, Person, marked_channel, marked_group
from tobs.model.peers import PeerRecord
from tobs.telegram.convert.basics import unix_time

DELETED = "Deleted Account"


def marked_object(value: Any) -> int:
    """Return the marked id of a user, chat or channel object; 0 for anything else."""
    if isinstance(value, types.User | types.UserEmpty):
        return int(value.id)
    if isinstance(value, types.Channel | types.ChannelForbidden):
        return marked_channel(value.id)
    if isinstance(value, types.Chat | types.ChatForbidden | types.ChatEmpty):
        return marked_group(value.id)
    return 0


def _username(value: Any) -> str:
    """Return the first active username of a user or channel; empty for none."""
    if value.username:
        return str(value.username)
    return next((str(item.username) for item in value.usernames or () if item.active), "")


def _user_name(user: Any) -> str:
    if user.deleted:
        return DELETED
    return " ".join(part for part in (user.first_name, user.last_name) if part) or _username(user) or str(user.id)


def person_of(value: Any) -> Person | None:
    """Convert a user, channel or group object into a sender; None for an empty one."""
    if isinstance(value, types.User):
        return Person(
            id=value.id,
            name=_user_name(value),
            username=_username(value),
            is_bot=bool(value.bot),
            is_deleted=bool(value.deleted),
            is_verified=bool(value.verified),
            is_self=bool(value.is_self),
        )
    if isinstance(value, types.Channel):
        return Person(
            id=marked_channel(value.id),
            name=value.title,
            username=_username(value),
            is_verified=bool(value.verified),
        )
    if isinstance(value, types.Chat | types.ChatForbidden | types.ChannelForbidden):
        return Person(id=marked_object(value), name=value.title)
    return None


def chat_of(value: Any, *, top: int = 0, pts: int = 0) -> Chat | None:
    """Convert a user, group or channel object into a dialog with newest id ``top``; None for an empty one."""
    if isinstance(value, types.User):
        kind: ChatKind = "saved" if value.is_self else "bot" if value.bot else "private"
        return Chat(
            id=value.id,
            kind=kind,
            title="Saved Messages" if value.is_self else _user_name(value),
            username=_username(value),
            top=top,
            is_verified=bool(value.verified),
        )
    if isinstance(value, types.Channel):
        username = _username(value)
        return Chat(
            id=marked_channel(value.id),
            kind="channel" if value.broadcast else "supergroup",
            title=value.title,
            username=username,
            members=value.participants_count,
            top=top,
            pts=pts,
            created=unix_time(value.date),
            is_forum=bool(value.forum),
            is_public=bool(username),
            is_verified=bool(value.verified),
            left=bool(value.left),
            no_forwards=bool(value.noforwards),
        )
    if isinstance(value, types.Chat):
        moved = value.migrated_to
        return Chat(
            id=marked_group(value.id),
            kind="group",
            title=value.title,
            members=value.participants_count,
            top=top,
            created=unix_time(value.date),
            left=bool(value.left),
            no_forwards=bool(value.noforwards),
            migrated_to=marked_channel(moved.channel_id) if isinstance(moved, types.InputChannel) else 0,
        )
    if isinstance(value, types.ChannelForbidden):
        kind = "channel" if value.broadcast else "supergroup"
        return Chat(id=marked_channel(value.id), kind=kind, title=value.title, top=top, left=True)
    if isinstance(value, types.ChatForbidden):
        return Chat(id=marked_group(value.id), kind="group", title=value.title, top=top, left=True)
    return None


def record_of(value: Any) -> PeerRecord | None:
    """Return the peer record with the access hash; None for a ``min`` object, whose access hash is not usable."""
    if isinstance(value, types.User | types.Channel):
        if value.min or value.access_hash is None:
            return None
        title = value.title if isinstance(value, types.Channel) else _user_name(value)
        return PeerRecord(marked_object(value), value.access_hash, _username(value), title)
    if isinstance(value, types.Chat):
        return PeerRecord(marked_group(value.id), 0, "", value.title)
    if isinstance(value, types.ChannelForbidden):
        return PeerRecord(marked_channel(value.id), value.access_hash, "", value.title)
    return None
