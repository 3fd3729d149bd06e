"""Chats and the people (or channels) that send messages."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

ChatKind = Literal["channel", "supergroup", "group", "private", "bot", "saved"]


class Chat(Struct, frozen=True, omit_defaults=True):
    """A dialog that holds messages. ``id`` is marked (see ``tobs.model.peers``).

    ``members`` is Telegram's participant count, ``count`` its (inexact) message count, ``top`` the
    id of the newest message known, ``pts`` the update state of a channel.
    """

    id: int
    kind: ChatKind
    title: str
    username: str = ""
    about: str = ""
    members: int | None = None
    count: int | None = None
    top: int = 0
    pts: int = 0
    created: int = 0
    is_forum: bool = False
    is_public: bool = False
    is_verified: bool = False
    left: bool = False
    no_forwards: bool = False
    migrated_from: int = 0
    migrated_to: int = 0
    linked_chat: int = 0
    pinned: tuple[int, ...] = ()


class Person(Struct, frozen=True, omit_defaults=True):
    """Who sent something: a user, or a channel or group that posts in its own name. ``id`` is marked."""

    id: int
    name: str
    username: str = ""
    is_bot: bool = False
    is_deleted: bool = False
    is_verified: bool = False
    is_self: bool = False
    about: str = ""
