"""Search inside a chat: words and kinds of media, by testing every message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from telethon.tl import functions, types

from tobs.sandbox.peers import marked_id
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.services.history import MAX_PAGE, ids_between, messages_page
from tobs.sandbox.worlds import History
from tobs.sandbox.worlds.tl import to_seconds

_BATCH: Final = 500  # messages tested before other requests get their turn
_Predicate = Callable[[Any], bool]


def _document_with(attribute: type, **fields: Any) -> _Predicate:
    def test(media: Any) -> bool:
        document = getattr(media, "document", None)
        return any(
            isinstance(found, attribute) and all(bool(getattr(found, name)) == value for name, value in fields.items())
            for found in getattr(document, "attributes", ())
        )

    return test


def _is_photo(media: Any) -> bool:
    return isinstance(media, types.MessageMediaPhoto)


_video = _document_with(types.DocumentAttributeVideo, round_message=False)
_voice = _document_with(types.DocumentAttributeAudio, voice=True)
_round = _document_with(types.DocumentAttributeVideo, round_message=True)

_NO_PLAIN_FILE: Final = (
    types.DocumentAttributeVideo
    | types.DocumentAttributeAudio
    | types.DocumentAttributeSticker
    | types.DocumentAttributeAnimated
)


def _plain_file(media: Any) -> bool:
    attributes = getattr(getattr(media, "document", None), "attributes", None)
    return attributes is not None and not any(isinstance(found, _NO_PLAIN_FILE) for found in attributes)


_MEDIA: Final[dict[type, _Predicate]] = {
    types.InputMessagesFilterPhotos: _is_photo,
    types.InputMessagesFilterVideo: _video,
    types.InputMessagesFilterPhotoVideo: lambda media: _is_photo(media) or _video(media),
    types.InputMessagesFilterDocument: _plain_file,
    types.InputMessagesFilterMusic: _document_with(types.DocumentAttributeAudio, voice=False),
    types.InputMessagesFilterVoice: _voice,
    types.InputMessagesFilterRoundVideo: _round,
    types.InputMessagesFilterRoundVoice: lambda media: _voice(media) or _round(media),
    types.InputMessagesFilterGif: _document_with(types.DocumentAttributeAnimated),
    types.InputMessagesFilterGeo: lambda media: isinstance(
        media, types.MessageMediaGeo | types.MessageMediaGeoLive | types.MessageMediaVenue
    ),
    types.InputMessagesFilterContacts: lambda media: isinstance(media, types.MessageMediaContact),
}


def _matches(message: Any, request_filter: Any, words: str) -> bool:
    if words and words not in (getattr(message, "message", None) or "").lower():
        return False
    if isinstance(request_filter, types.InputMessagesFilterEmpty):
        return True
    if isinstance(request_filter, types.InputMessagesFilterPinned):
        return bool(getattr(message, "pinned", False))
    if isinstance(request_filter, types.InputMessagesFilterUrl):
        urls = types.MessageEntityUrl | types.MessageEntityTextUrl
        return any(isinstance(entity, urls) for entity in getattr(message, "entities", None) or ())
    test = _MEDIA.get(type(request_filter))
    return test is not None and test(getattr(message, "media", None))


async def _matching_ids(history: History, request_filter: Any, words: str) -> list[int]:
    """Return the ids of the messages that match, newest first."""
    found: list[int] = []
    for start in range(0, history.count, _BATCH):
        for id in history.slice(start, start + _BATCH):
            if _matches(history.get(id), request_filter, words):
                found.append(id)
        await asyncio.sleep(0)
    return found


@serves(functions.messages.SearchRequest)
async def search(call: Call, request: Any) -> Any:
    """Return matching messages, newest first, with the offsets of messages.getHistory and the count of all matches."""
    chat = marked_id(call.world, request.peer)
    history = call.world.history(chat)
    words = request.q.lower()
    everything = not words and isinstance(request.filter, types.InputMessagesFilterEmpty)
    plain = everything and not request.from_id
    ids = history.slice(0, history.count) if plain else await _matching_ids(history, request.filter, words)
    if request.from_id:
        sender = marked_id(call.world, request.from_id)
        ids = [id for id in ids if sender in history.peers(id) and _sent_by(history.get(id), sender)]
    since, until = to_seconds(request.min_date), to_seconds(request.max_date)
    ids = [id for id in ids if _is_between(history, id, since, until)] if since or until else ids
    ids = ids_between(ids, min_id=request.min_id, max_id=request.max_id)
    start = sum(1 for id in ids if id >= request.offset_id) if request.offset_id else 0
    start += request.add_offset
    page = ids[max(0, start) : max(0, start + min(max(request.limit, 0), MAX_PAGE))]
    return messages_page(call.world, chat, page, count=len(ids), offset=max(0, start))


def _sent_by(message: Any, sender: int) -> bool:
    return getattr(getattr(message, "from_id", None), "user_id", 0) == sender


def _is_between(history: History, id: int, since: int, until: int) -> bool:
    date = to_seconds(history.get(id).date)  # type: ignore[union-attr]
    return (not since or date >= since) and (not until or date < until)


@serves(functions.messages.GetSearchCountersRequest)
async def get_search_counters(call: Call, request: Any) -> Any:
    """Count the messages of each kind of media in a chat."""
    history = call.world.history(marked_id(call.world, request.peer))
    return [types.messages.SearchCounter(kind, len(await _matching_ids(history, kind, ""))) for kind in request.filters]
