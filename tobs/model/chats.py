"""Chats, topics, and the people (or channels) that send messages."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from tobs.model.media import FileItem

ChatKind = Literal["channel", "supergroup", "group", "private", "bot", "saved"]


class Chat(Struct, frozen=True, omit_defaults=True):
    """A dialog with messages. ``id`` is marked (see ``tobs.model.peers``).

    ``members`` is Telegram's participant count, ``count`` its (inexact) message count, ``top`` the id of the newest
    known message, ``pts`` the update state of a channel.
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
    photo: FileItem | None = None


#: The topic of forum messages without a topic id.
GENERAL_TOPIC = 1


class Topic(Struct, frozen=True, omit_defaults=True):
    """A topic of a forum.

    ``id`` is the id of its first message, ``icon`` that of a custom emoji (0: a plain bubble in ``color``, 0xRRGGBB),
    ``creator`` a marked id.
    """

    id: int
    title: str
    created: int = 0
    creator: int = 0
    icon: int = 0
    color: int = 0
    closed: bool = False
    pinned: bool = False
    hidden: bool = False


def topic_in(chat: Chat, topic_id: int) -> int:
    """Return the topic of a message of ``chat`` with ``topic_id`` (0: none given); 0 if the chat has no topics."""
    return topic_id or (GENERAL_TOPIC if chat.is_forum else 0)


class Person(Struct, frozen=True, omit_defaults=True):
    """A sender: a user, or a channel or group that posts in its own name. ``id`` is marked."""

    id: int
    name: str
    username: str = ""
    is_bot: bool = False
    is_deleted: bool = False
    is_verified: bool = False
    is_self: bool = False
    about: str = ""
