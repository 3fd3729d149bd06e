"""How many messages of each kind a chat has, by one request."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

_FILTERS = {
    "photo": types.InputMessagesFilterPhotos,
    "video": types.InputMessagesFilterVideo,
    "round": types.InputMessagesFilterRoundVideo,
    "gif": types.InputMessagesFilterGif,
    "audio": types.InputMessagesFilterMusic,
    "voice": types.InputMessagesFilterVoice,
    "document": types.InputMessagesFilterDocument,
    "link": types.InputMessagesFilterUrl,
    "location": types.InputMessagesFilterGeo,
    "contact": types.InputMessagesFilterContacts,
    "pinned": types.InputMessagesFilterPinned,
}
_KINDS = {kind.CONSTRUCTOR_ID: name for name, kind in _FILTERS.items()}


def counters_request(peer: Any) -> Any:
    """``messages.getSearchCounters`` for every kind it can count."""
    return functions.messages.GetSearchCountersRequest(peer=peer, filters=[kind() for kind in _FILTERS.values()])


def counts_of(answer: Any) -> dict[str, int]:
    """Its answer: kind -> number of messages, as far as Telegram told."""
    return {_KINDS[item.filter.CONSTRUCTOR_ID]: int(item.count) for item in answer}
