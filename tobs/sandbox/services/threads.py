"""Topics of forums, the messages of a topic, and the comments of a channel's post."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from telethon.tl import functions, types

from tobs.sandbox.answers import entities_of
from tobs.sandbox.peers import marked_id
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.services.history import MAX_PAGE, ids_between, messages_page
from tobs.sandbox.worlds import World
from tobs.sandbox.worlds.threads import discussion, thread_ids, topics_of
from tobs.sandbox.worlds.tl import peer_marked_id, to_seconds

_MAX_IDS: Final = 100


@serves(functions.messages.GetForumTopicsRequest)
def get_forum_topics(call: Call, request: Any) -> Any:
    """Return the topics after the offset topic; ``q`` is a part of their titles."""
    chat = marked_id(call.world, request.peer)
    topics = [topic for topic in topics_of(call.world, chat) if (request.q or "").lower() in topic.title.lower()]
    positions = {topic.id: position for position, topic in enumerate(topics, 1)}
    start = positions.get(request.offset_topic, 0)
    page = topics[start : start + min(max(request.limit, 0), _MAX_IDS)]
    return _topics(call.world, chat, page, count=len(topics))


@serves(functions.messages.GetForumTopicsByIDRequest)
def get_forum_topics_by_id(call: Call, request: Any) -> Any:
    """Return topics in the order of the request, with forumTopicDeleted for missing ones."""
    chat = marked_id(call.world, request.peer)
    known = {topic.id: topic for topic in topics_of(call.world, chat)}
    found = [known.get(id) or types.ForumTopicDeleted(id) for id in request.topics[:_MAX_IDS]]
    return _topics(call.world, chat, found, count=len(found))


def _topics(world: World, chat: int, topics: Sequence[Any], *, count: int) -> Any:
    existing = [topic for topic in topics if isinstance(topic, types.ForumTopic)]
    history = world.history(chat)
    tops = [topic.top_message for topic in existing if history.has(topic.top_message)]
    users, chats = world.page_entities(chat, tops)
    creators, _ = entities_of(world, [peer_marked_id(topic.from_id) for topic in existing])
    users += [creator for creator in creators if creator.id not in {user.id for user in users}]
    return types.messages.ForumTopics(
        count, list(topics), world.messages(chat, tops), chats, users, world.pts(chat), order_by_create_date=None
    )


@serves(functions.messages.GetRepliesRequest)
def get_replies(call: Call, request: Any) -> Any:
    """Return the messages of a topic or thread; for a channel's post, its comments from the discussion group.

    Offsets are those of messages.getHistory, within the thread. The thread's first message is not included.
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
    page = ids_between(page, min_id=request.min_id, max_id=request.max_id)
    return messages_page(world, chat, page, count=len(ids), offset=max(0, start))


def _date(world: World, chat: int, id: int) -> int:
    return to_seconds(world.unchecked_history(chat).peek(id).date)


@serves(functions.messages.GetMessagesViewsRequest)
def get_messages_views(call: Call, request: Any) -> Any:
    """Return the current views, forwards and comments of at most 100 messages; no view is added."""
    world = call.world
    chat = marked_id(world, request.peer)
    history = world.history(chat)
    found = [history.get(id) for id in request.id[:_MAX_IDS]]
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
    """Return the copy of a channel's post in its discussion group."""
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
