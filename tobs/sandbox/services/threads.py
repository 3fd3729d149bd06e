"""Topics of forums, and the threads of messages: of a topic, or the comments of a channel's post."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from telethon.tl import functions, types

from tobs.sandbox.answers import entities_of
from tobs.sandbox.peers import marked_id
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.services.history import MAX_PAGE, page_of, within
from tobs.sandbox.worlds import World
from tobs.sandbox.worlds.threads import discussion, thread_ids, topics_of
from tobs.sandbox.worlds.tl import marked, to_seconds

_MOST: Final = 100


@serves(functions.messages.GetForumTopicsRequest)
def get_forum_topics(call: Call, request: Any) -> Any:
    """The topics behind the one that the offset names; ``q`` is a part of their titles."""
    chat = marked_id(call.world, request.peer)
    topics = [topic for topic in topics_of(call.world, chat) if (request.q or "").lower() in topic.title.lower()]
    places = {topic.id: place for place, topic in enumerate(topics, 1)}
    start = places.get(request.offset_topic, 0)
    page = topics[start : start + min(max(request.limit, 0), _MOST)]
    return _topics(call.world, chat, page, count=len(topics))


@serves(functions.messages.GetForumTopicsByIDRequest)
def get_forum_topics_by_id(call: Call, request: Any) -> Any:
    """Topics in the order asked; forumTopicDeleted for those that are not there."""
    chat = marked_id(call.world, request.peer)
    known = {topic.id: topic for topic in topics_of(call.world, chat)}
    found = [known.get(id) or types.ForumTopicDeleted(id) for id in request.topics[:_MOST]]
    return _topics(call.world, chat, found, count=len(found))


def _topics(world: World, chat: int, topics: Sequence[Any], *, count: int) -> Any:
    there = [topic for topic in topics if isinstance(topic, types.ForumTopic)]
    history = world.history(chat)
    tops = [topic.top_message for topic in there if history.has(topic.top_message)]
    users, chats = world.page_entities(chat, tops)
    makers, _ = entities_of(world, [marked(topic.from_id) for topic in there])
    users += [maker for maker in makers if maker.id not in {user.id for user in users}]
    return types.messages.ForumTopics(
        count, list(topics), world.messages(chat, tops), chats, users, world.pts(chat), order_by_create_date=None
    )


@serves(functions.messages.GetRepliesRequest)
def get_replies(call: Call, request: Any) -> Any:
    """Of a topic, or of a thread of a group; asked for a post of a channel, its comments from the discussion group.

    Offsets count as in messages.getHistory, within the thread. Its first message is not among them.
    """
    world = call.world
    chat = marked_id(world, request.peer)
    world.history(chat)
    root = request.msg_id
    if getattr(world.entity(chat), "broadcast", False):
        chat, root = discussion(world, chat, root)
    ids = thread_ids(world, chat, root)
    start = sum(1 for id in ids if id >= request.offset_id) if request.offset_id > 0 else 0
    if date := to_seconds(request.offset_date):
        start = max(start, sum(1 for id in ids if _date(world, chat, id) >= date))
    start += request.add_offset
    page = ids[max(0, start) : max(0, start + min(max(request.limit, 0), MAX_PAGE))]
    page = within(page, min_id=request.min_id, max_id=request.max_id)
    return page_of(world, chat, page, count=len(ids), offset=max(0, start))


def _date(world: World, chat: int, id: int) -> int:
    return to_seconds(world.unchecked_history(chat).peek(id).date)


@serves(functions.messages.GetMessagesViewsRequest)
def get_messages_views(call: Call, request: Any) -> Any:
    """Views, forwards and comments of at most 100 messages as they are now; nothing is counted."""
    world = call.world
    chat = marked_id(world, request.peer)
    history = world.history(chat)
    found = [history.get(id) for id in request.id[:_MOST]]
    views = [
        types.MessageViews(
            getattr(message, "views", None), getattr(message, "forwards", None), getattr(message, "replies", None)
        )
        for message in found
    ]
    linked = world.peers.full_info[chat].linked_chat if chat in world.peers.full_info else 0
    users, chats = entities_of(world, [chat, linked])
    return types.messages.MessageViews(views, chats, users)


@serves(functions.messages.GetDiscussionMessageRequest)
def get_discussion_message(call: Call, request: Any) -> Any:
    """The copy of a channel's post in its discussion group."""
    world = call.world
    channel = marked_id(world, request.peer)
    world.history(channel)
    group, root = discussion(world, channel, request.msg_id)
    ids = thread_ids(world, group, root)
    users, chats = world.page_entities(group, [root])
    _, more = entities_of(world, [channel])
    chats += [chat for chat in more if chat.id not in {known.id for known in chats}]
    return types.messages.DiscussionMessage(
        world.messages(group, [root]), 0, chats, users, max_id=ids[0] if ids else root
    )
