"""The history of a chat, page by page, and messages by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from telethon.tl import functions, types

from tobs.model import is_channel_id
from tobs.sandbox.answers import entities_of_pages
from tobs.sandbox.peers import marked_id
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.worlds import History, World
from tobs.sandbox.worlds.tl import peer, to_seconds

MAX_PAGE: Final = 100
_MASK: Final = (1 << 64) - 1


@serves(functions.messages.GetHistoryRequest)
def get_history(call: Call, request: Any) -> Any:
    """Return a page, newest first. A window that begins before the newest message is cut off, not extended below."""
    chat = marked_id(call.world, request.peer)
    history = call.world.history(chat)
    first, stop = _bounds(history, call.range)
    start = max(first, _offset(history, request.offset_id, to_seconds(request.offset_date))) + request.add_offset
    limit = min(max(request.limit, 0), MAX_PAGE)
    ids = history.slice(max(start, first), min(start + limit, stop))
    ids = ids_between(ids, min_id=request.min_id, max_id=request.max_id)
    if request.hash and request.hash == ids_hash(ids):
        return types.messages.MessagesNotModified(history.count)
    return messages_page(call.world, chat, ids, count=stop - first, offset=max(0, start - first))


def _bounds(history: History, messages_range: Any) -> tuple[int, int]:
    """Return the positions ``[start, stop)`` that invokeWithMessagesRange allows; its ids are inclusive."""
    if messages_range is None:
        return 0, history.count
    return history.position(messages_range.max_id + 1), history.position(messages_range.min_id)


def _offset(history: History, offset_id: int, offset_date: int) -> int:
    """Return the position of the first message that is older than both offsets; 0 means no offset."""
    by_id = history.position(offset_id) if offset_id > 0 else 0
    return max(by_id, history.position_of_date(offset_date)) if offset_date else by_id


def ids_between(ids: Iterable[int], *, min_id: int, max_id: int) -> list[int]:
    """Return the ids between the two, both exclusive; 0 means no limit."""
    return [id for id in ids if (not min_id or id > min_id) and (not max_id or id < max_id)]


def ids_hash(ids: Iterable[int]) -> int:
    """Return Telegram's hash of a list of ids, a signed long (core.telegram.org/api/offsets#hash-generation)."""
    value = 0
    for id in ids:
        value ^= value >> 21
        value ^= (value << 35) & _MASK
        value ^= value >> 4
        value = (value + id) & _MASK
    return value - (1 << 64) if value >> 63 else value


def messages_page(world: World, chat: int, ids: Sequence[int], *, count: int, offset: int = 0) -> Any:
    """Return messages of one chat in the container that Telegram uses for its kind of chat."""
    messages = world.messages(chat, ids)
    users, chats = world.page_entities(chat, ids)
    if is_channel_id(chat):
        return types.messages.ChannelMessages(
            world.pts(chat), count, messages, [], chats, users, offset_id_offset=offset or None
        )
    if len(ids) == count:
        return types.messages.Messages(messages, [], chats, users)
    return types.messages.MessagesSlice(count, messages, [], chats, users, offset_id_offset=offset or None)


@serves(functions.channels.GetMessagesRequest)
def get_channel_messages(call: Call, request: Any) -> Any:
    """Return messages in the order of the request, with messageEmpty for missing ones."""
    world = call.world
    chat = marked_id(world, request.channel)
    history = world.history(chat)
    ids = _message_ids(request.id)
    found = [id for id in ids if history.has(id)]
    users, chats = world.page_entities(chat, found)
    messages = [
        world.messages(chat, [id])[0] if history.has(id) else types.MessageEmpty(id, peer_id=peer(chat)) for id in ids
    ]
    return types.messages.ChannelMessages(world.pts(chat), len(messages), messages, [], chats, users)


@serves(functions.messages.GetMessagesRequest)
def get_messages(call: Call, request: Any) -> Any:
    """Return messages by ids, which private chats and basic groups share: each id is looked up in all of them."""
    world = call.world
    messages: list[Any] = []
    pages: list[tuple[int, list[int]]] = []
    for id in _message_ids(request.id):
        chat = _chat_of_message(world, id)
        if chat:
            messages += world.messages(chat, [id])
            pages.append((chat, [id]))
        else:
            messages.append(types.MessageEmpty(id))
    users, chats = entities_of_pages(world, pages)
    return types.messages.Messages(messages, [], chats, users)


def _chat_of_message(world: World, id: int) -> int:
    common = (marked for marked in world.dialogs() if not is_channel_id(marked))
    return next((marked for marked in common if world.history(marked).has(id)), 0)


def _message_ids(given: Iterable[Any]) -> list[int]:
    """Return the first 100 ids of a request; 0 for messages named in another way (reply to, pinned)."""
    return [item.id if isinstance(item, types.InputMessageID) else 0 for item in given][:MAX_PAGE]
