"""Topics of a forum: the whole list, or some of them by id.

Source: https://core.telegram.org/api/forum
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from telethon.tl import functions, types

from tobs.model import Topic
from tobs.telegram.client.peers import PeerDirectory
from tobs.telegram.convert import marked
from tobs.telegram.convert.basics import unix_time
from tobs.telegram.net.invoker import Invoker

_LIMIT = 100


async def all_topics(invoker: Invoker, directory: PeerDirectory, chat_id: int) -> list[Topic]:
    """Return every topic of a forum, sorted by id; one request for each hundred."""
    peer = await directory.input_peer(chat_id)
    found: dict[int, Topic] = {}
    offset_date, offset_id, offset_topic = None, 0, 0
    while True:
        answer = await invoker(
            functions.messages.GetForumTopicsRequest(peer, offset_date, offset_id, offset_topic, limit=_LIMIT)
        )
        directory.remember(answer.users, answer.chats)
        topics = [item for item in answer.topics if isinstance(item, types.ForumTopic)]
        before = len(found)
        found |= {topic.id: topic for topic in _models(topics)}
        # A page without new topics is the end, whatever the count is.
        if len(found) == before or len(found) >= answer.count:
            return [found[topic_id] for topic_id in sorted(found)]
        last = topics[-1]
        dates = {message.id: message.date for message in answer.messages}
        offset_topic, offset_id = last.id, last.top_message
        offset_date = dates.get(last.top_message) or last.date


async def topics_by_id(invoker: Invoker, directory: PeerDirectory, chat_id: int, ids: Sequence[int]) -> list[Topic]:
    """Return the existing topics among at most a hundred ``ids``; one request."""
    request = functions.messages.GetForumTopicsByIDRequest(await directory.input_peer(chat_id), list(ids))
    answer = await invoker(request)
    directory.remember(answer.users, answer.chats)
    return list(_models(answer.topics))


def _models(topics: Iterable[Any]) -> Iterable[Topic]:
    for topic in topics:
        if isinstance(topic, types.ForumTopic):
            yield Topic(
                id=topic.id,
                title=topic.title,
                created=unix_time(topic.date),
                creator=marked(topic.from_id),
                icon=topic.icon_emoji_id or 0,
                color=topic.icon_color or 0,
                closed=bool(topic.closed),
                pinned=bool(topic.pinned),
                hidden=bool(topic.hidden),
            )
