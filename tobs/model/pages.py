"""A page: one history response, the unit of batching between a source and the archive."""

from __future__ import annotations

from msgspec import Struct

from tobs.model.chats import Chat, Person
from tobs.model.messages import Message


class Page(Struct, frozen=True):
    """Messages of one chat and the ids they settle.

    After this page is recorded, nothing unknown is left in ``[low, high]`` (inclusive ids): what is not among
    ``messages`` does not exist. ``raw`` holds the objects as Telegram sent them, packed as one ``messages.messages``,
    of stories as one ``stories.stories`` (TL bytes of layer ``layer``; message *n* of the page is the *n*-th message in
    it, with the chats and users of its response), empty where the source has none. ``unreadable`` are ids that exist
    but could not be read, with the reason. ``left_out`` is how many messages of ``[low, high]`` a filter kept out of
    the page, ``is_part`` says that it holds one thread of the chat alone: then it must not settle its ids, but for
    ``topic``, where that thread is one.
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
