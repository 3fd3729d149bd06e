"""Threads of a chat: the topics of a forum, and the comments under the posts of a channel.

A thread is named by its first message. In a forum, what names no topic is of the general one. The comments of a post
answer its copy in the discussion group, which Telegram forwards there by itself.
Sources: https://core.telegram.org/api/forum https://core.telegram.org/api/discussion
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from telethon.tl import types

from tobs.model import bare_id
from tobs.sandbox.worlds.history import History
from tobs.sandbox.worlds.markup import found_entities
from tobs.sandbox.worlds.tl import RpcError, Tl, peer
from tobs.sandbox.worlds.world import World

GENERAL: Final = 1
_COLOURS: Final = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)


# -- which thread a message is in


def thread_of(message: Tl, *, forum: bool) -> int:
    """The first message of the thread ``message`` is in, 0 for none. A topic's first message is not in it itself."""
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
    """The ids of a thread, newest first."""
    history, forum = world.unchecked_history(chat), is_forum(world, chat)
    return [id for id in history.slice(0, history.count) if thread_of(history.peek(id), forum=forum) == root]


def is_forum(world: World, chat: int) -> bool:
    """Whether a chat has topics."""
    return bool(getattr(world.entity(chat), "forum", False))


# -- topics


def create_topic(world: World, chat: int, title: str, *, sender: int = 0, icon: int = 0) -> int:
    """A new topic; its id is that of the service message that tells of it. Raises ``CHANNEL_FORUM_MISSING``."""
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
    """Give a topic another ``title`` or icon, close, reopen or hide it; the id of the message that tells of it.

    ``pinned`` changes without a message. Raises ``TOPIC_ID_INVALID``.
    """
    found = world.topics.get(chat, {}).get(id)
    if found is None:
        raise RpcError(400, "TOPIC_ID_INVALID")
    for name, value in changes.items():
        setattr(found, name, value)
    told = {name: value for name, value in changes.items() if name != "pinned"}
    if not told:
        return 0
    return world.post(chat, action=types.MessageActionTopicEdit(**told), thread=id)


def topic(
    id: int, title: str, *, date: float, creator: int, colour: int = _COLOURS[0], icon: int = 0, **more: Any
) -> Tl:
    """A ``ForumTopic``; what changes with every message is filled in when it is asked for."""
    return types.ForumTopic(
        id=id, date=dt.datetime.fromtimestamp(int(date), dt.UTC), peer=types.PeerUser(creator), title=title,
        icon_color=colour, icon_emoji_id=icon or None, top_message=id, read_inbox_max_id=0, read_outbox_max_id=0,
        unread_count=0, unread_mentions_count=0, unread_reactions_count=0, unread_poll_votes_count=0,
        from_id=peer(creator), notify_settings=types.PeerNotifySettings(), **more,
    )  # fmt: skip


def topics_of(world: World, chat: int) -> list[Tl]:
    """The topics of a forum as its list has them: the pinned ones first, then by their newest message.

    Raises ``CHANNEL_FORUM_MISSING`` for what is no forum.
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
    """The discussion group of a channel, and the copy of ``post`` in it. Raises ``MSG_ID_INVALID``."""
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
    """Put the copy of a post into the discussion group, as Telegram does by itself; its id there."""
    told = world.history(channel).get(post)
    assert told is not None
    header = types.MessageFwdHeader(
        told.date, from_id=peer(channel), channel_post=post, saved_from_peer=peer(channel), saved_from_msg_id=post
    )
    group = world.peers.full_info[channel].linked_chat
    return world.post(
        group, told.message, sender=channel, media=told.media, entities=told.entities or (), forward=header
    )


def comment(
    world: World, channel: int, post: int, text: str, *, sender: int = 0, reply_to: int = 0, media: Any = None
) -> int:
    """A new comment under a post of a channel; its id in the discussion group. The post counts it."""
    group, root = discussion(world, channel, post)
    found = found_entities(text)
    id = world.post(group, text, entities=found, sender=sender, reply_to=reply_to, thread=root, media=media)
    count_comments(world, channel, post)
    return id


def recount_comments(world: World, group: int) -> None:
    """Messages of a discussion group were deleted: the posts of its channel count their comments again."""
    for channel, about in world.peers.full_info.items():
        if about.linked_chat == group and getattr(world.entity(channel), "broadcast", False):
            posts = world.unchecked_history(channel)
            for id in posts.slice(0, posts.count):
                if getattr(posts.peek(id), "replies", None) is not None:
                    count_comments(world, channel, id)


def count_comments(world: World, channel: int, post: int) -> None:
    """Write into a post how many comments it has now, and which is the newest."""
    group, root = discussion(world, channel, post)
    ids = thread_ids(world, group, root)
    message = world.history(channel).get(post)
    assert message is not None
    message.replies = types.MessageReplies(
        len(ids), world.pts(group), comments=True, channel_id=bare_id(group), max_id=ids[0] if ids else None
    )
    world.history(channel).put(message)
