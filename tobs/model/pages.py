"""Pages of messages: one history response, the unit of batching between a source and the archive."""

from __future__ import annotations

from msgspec import Struct

from tobs.model.chats import Chat, Person
from tobs.model.messages import Message


class Page(Struct, frozen=True):
    """Messages of a chat and the range of ids they settle.

    After this page is recorded, nothing in ``[low, high]`` (inclusive ids) is unknown: a message missing from
    ``messages`` does not exist. ``raw`` holds the objects as Telegram sent them, packed as one ``messages.messages``,
    for stories as one ``stories.stories`` (TL bytes of layer ``layer``; message *n* of the page is message *n* in it,
    with the chats and users of its response); empty if the source has none. ``unreadable`` are ids of existing messages
    that could not be read, with the reason. ``left_out`` is the number of messages in ``[low, high]`` removed by a
    filter. ``is_part`` means that the page holds a single thread of the chat; then it settles no ids, except for
    ``topic`` if the thread is a topic.
    """

    chat_id: int
    low: int
    high: int
    messages: tuple[Message, ...]
    chats: tuple[Chat, ...] = ()
    people: tuple[Person, ...] = ()
    raw: bytes = b""
    layer: int = 0
    unreadable: tuple[tuple[int, str], ...] = ()
    left_out: int = 0
    is_part: bool = False
    topic: int = 0
