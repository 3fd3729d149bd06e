"""Threads of a chat: the topics of a forum, and the comments under the posts of a channel.

A thread's id is that of its first message. In a forum, a message that names no topic belongs to the general topic. The
comments of a post answer its copy in the discussion group, which Telegram forwards automatically.
Sources: https://core.telegram.org/api/forum https://core.telegram.org/api/discussion
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from telethon.tl import types

from tobs.model import bare_id
from tobs.sandbox.worlds.history import History
from tobs.sandbox.worlds.markup import detect_entities
from tobs.sandbox.worlds.tl import RpcError, Tl, peer
from tobs.sandbox.worlds.world import World

GENERAL: Final = 1
_COLOURS: Final = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)


# -- which thread a message is in


def thread_of(message: Tl, *, forum: bool) -> int:
    """Return the id of the thread that contains ``message``, 0 for none; a thread's first message is not in it."""
    header = message.reply_to
    if forum:
        if isinstance(message.action, types.MessageActionTopicCreate):
            return 0
        if header is None or not header.forum_topic:
            return GENERAL
    if header is None:
        return 0
    return int(header.reply_to_top_id or header.reply_to_msg_id or 0)


def thread_ids(world: World, chat: int, root: int) -> list[int]:
    """Return the ids of a thread, newest first."""
    history, forum = world.unchecked_history(chat), is_forum(world, chat)
    return [id for id in history.slice(0, history.count) if thread_of(history.peek(id), forum=forum) == root]


def is_forum(world: World, chat: int) -> bool:
    """Return True for a chat with topics."""
    return bool(getattr(world.entity(chat), "forum", False))


# -- topics


def create_topic(world: World, chat: int, title: str, *, sender: int = 0, icon: int = 0) -> int:
    """Create a topic and return its id, that of the service message about it; raise ``CHANNEL_FORUM_MISSING``."""
    if not is_forum(world, chat):
        raise RpcError(400, "CHANNEL_FORUM_MISSING")
    colour = _COLOURS[len(world.topics[chat]) % len(_COLOURS)]
    action = types.MessageActionTopicCreate(title, colour, icon_emoji_id=icon or None)
    id = world.post(chat, sender=sender, action=action)
    world.topics[chat][id] = topic(
        id, title, date=world.clock(), creator=sender or world.me.id, colour=colour, icon=icon
    )
    return id


def edit_topic(world: World, chat: int, id: int, **changes: Any) -> int:
    """Change a topic's ``title``, icon, ``closed``, ``hidden`` or ``pinned``; raise ``TOPIC_ID_INVALID``.

    Return the id of the service message about it; 0 if only ``pinned`` changes, which has no message.
    """
    found = world.topics.get(chat, {}).get(id)
    if found is None:
        raise RpcError(400, "TOPIC_ID_INVALID")
    for name, value in changes.items():
        setattr(found, name, value)
    announced = {name: value for name, value in changes.items() if name != "pinned"}
    if not announced:
        return 0
    return world.post(chat, action=types.MessageActionTopicEdit(**announced), thread=id)


def topic(
    id: int, title: str, *, date: float, creator: int, colour: int = _COLOURS[0], icon: int = 0, **more: Any
) -> Tl:
    """Make a ``ForumTopic``; ``topics_of`` fills in the fields that change with every message."""
    return types.ForumTopic(
        id=id, date=dt.datetime.fromtimestamp(int(date), dt.UTC), peer=types.PeerUser(creator), title=title,
        icon_color=colour, icon_emoji_id=icon or None, top_message=id, read_inbox_max_id=0, read_outbox_max_id=0,
        unread_count=0, unread_mentions_count=0, unread_reactions_count=0, unread_poll_votes_count=0,
        from_id=peer(creator), notify_settings=types.PeerNotifySettings(), **more,
    )  # fmt: skip


def topics_of(world: World, chat: int) -> list[Tl]:
    """Return the topics of a forum in the order of its list: pinned ones first, then by their newest message.

    Raise ``CHANNEL_FORUM_MISSING`` for a chat that is not a forum.
    """
    if not is_forum(world, chat):
        raise RpcError(400, "CHANNEL_FORUM_MISSING")
    history = world.history(chat)
    newest: dict[int, int] = {}
    for id in history.slice(0, history.count):
        newest.setdefault(thread_of(history.peek(id), forum=True), id)
    found = list(world.topics[chat].values())
    for item in found:
        item.peer = peer(chat)
        item.top_message = newest.get(item.id, item.id)
    return sorted(found, key=lambda item: (not item.pinned, -item.top_message))


# -- comments


def discussion(world: World, channel: int, post: int) -> tuple[int, int]:
    """Return the discussion group of a channel and the copy of ``post`` in it; raise ``MSG_ID_INVALID``."""
    group = world.peers.info(channel).linked_chat
    if group and getattr(world.entity(channel), "broadcast", False):
        history = world.unchecked_history(group)
        for id in _copies(history, channel, post):
            return group, id
    raise RpcError(400, "MSG_ID_INVALID")


def _copies(history: History, channel: int, post: int) -> Iterator[int]:
    bare = bare_id(channel)
    for id in history.slice(0, history.count):
        header: Any = getattr(history.peek(id), "fwd_from", None)
        source = getattr(header, "saved_from_peer", None)
        if getattr(source, "channel_id", 0) == bare and header.saved_from_msg_id == post:
            yield id


def forward_post(world: World, channel: int, post: int) -> int:
    """Copy a post into the discussion group, as Telegram does automatically; return its id there."""
    original = world.history(channel).get(post)
    assert original is not None
    header = types.MessageFwdHeader(
        original.date, from_id=peer(channel), channel_post=post, saved_from_peer=peer(channel), saved_from_msg_id=post
    )
    group = world.peers.full_info[channel].linked_chat
    return world.post(
        group, original.message, sender=channel, media=original.media, entities=original.entities or (), forward=header
    )


def comment(
    world: World, channel: int, post: int, text: str, *, sender: int = 0, reply_to: int = 0, media: Any = None
) -> int:
    """Comment on a post of a channel and update its count of comments; return the id in the discussion group."""
    group, root = discussion(world, channel, post)
    found = detect_entities(text)
    id = world.post(group, text, entities=found, sender=sender, reply_to=reply_to, thread=root, media=media)
    count_comments(world, channel, post)
    return id


def recount_comments(world: World, group: int) -> None:
    """Count the comments of all posts again, after messages of their discussion group were deleted."""
    for channel, about in world.peers.full_info.items():
        if about.linked_chat == group and getattr(world.entity(channel), "broadcast", False):
            posts = world.unchecked_history(channel)
            for id in posts.slice(0, posts.count):
                if getattr(posts.peek(id), "replies", None) is not None:
                    count_comments(world, channel, id)


def count_comments(world: World, channel: int, post: int) -> None:
    """Write the current count of comments and the newest comment into a post."""
    group, root = discussion(world, channel, post)
    ids = thread_ids(world, group, root)
    message = world.history(channel).get(post)
    assert message is not None
    message.replies = types.MessageReplies(
        len(ids), world.pts(group), comments=True, channel_id=bare_id(group), max_id=ids[0] if ids else None
    )
    world.history(channel).put(message)
