"""Requests for the number of messages of each kind, and for a search by kind, sender and time."""

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
    "location": types.InputMessagesFilterGeo,
    "contact": types.InputMessagesFilterContacts,
}
SEARCHED_KINDS = frozenset(_FILTERS)
"""Kinds of messages that Telegram can count and search for."""
_KINDS = {kind.CONSTRUCTOR_ID: name for name, kind in _FILTERS.items()}


def counters_request(peer: Any) -> Any:
    """Build ``messages.getSearchCounters`` for every kind that Telegram counts."""
    return functions.messages.GetSearchCountersRequest(peer=peer, filters=[kind() for kind in _FILTERS.values()])


def counts_from_answer(answer: Any) -> dict[str, int]:
    """Read its answer: kind -> number of messages, for the kinds that Telegram returned."""
    return {_KINDS[item.filter.CONSTRUCTOR_ID]: int(item.count) for item in answer}


def search_request(
    peer: Any, *, kind: str = "", sender: Any = None, since: float = 0, until: float = 0, thread: int = 0, limit: int
) -> Any:
    """Build ``messages.search`` for the newest ``limit`` messages of ``kind`` ("": any) and ``sender`` (an input peer,
    None: anybody).

    ``since`` (inclusive) and ``until`` (exclusive) are Unix times in seconds, 0: no bound. The answer counts all
    matches.
    """
    return functions.messages.SearchRequest(
        peer=peer,
        q="",
        filter=_FILTERS[kind]() if kind else types.InputMessagesFilterEmpty(),
        min_date=int(since) or None,
        max_date=int(until) or None,
        offset_id=0,
        add_offset=0,
        limit=limit,
        max_id=0,
        min_id=0,
        hash=0,
        from_id=sender,
        top_msg_id=thread or None,
    )
