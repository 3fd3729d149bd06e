"""Views, reactions and polls, which no difference tells: recent messages are fetched again by their ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from tobs.archive import Decide, record_page
from tobs.model import MessageKey
from tobs.pipeline.desk import Desk
from tobs.pipeline.keeper import Keeper
from tobs.pipeline.sync.counting import count_recorded
from tobs.telegram.client import Telegram

#: Messages fetched again with one request.
TOGETHER = 100


class Again(Struct):
    """Messages that were fetched again: whether notes are stale now, and which of them are gone (not marked yet)."""

    is_changed: bool = False
    gone: list[MessageKey] = field(default_factory=list)


async def refresh_counters(
    desk: Desk, keeper: Keeper, telegram: Telegram, chats: Iterable[int], decide: Decide, *, since: float
) -> tuple[set[int], list[MessageKey]]:
    """Fetch what is not older than ``since`` (Unix seconds) again, a hundred messages a request, and make the notes of
    what was counted anew stale. The chats that changed, and the messages that are gone (not marked yet)."""
    changed: set[int] = set()
    gone: list[MessageKey] = []
    for chat_id in chats:
        ids = await keeper(desk.archive.messages.live_ids_since, desk.account, chat_id, since)
        again = await fetch_again(desk, keeper, telegram, chat_id, ids, decide, show=True)
        changed |= {chat_id} if again.is_changed else set()
        gone += again.gone
    return changed, gone


async def refresh_messages(
    desk: Desk,
    keeper: Keeper,
    telegram: Telegram,
    messages: Iterable[tuple[int, int]],
    decide: Decide,
    *,
    show: bool,
) -> set[int]:
    """Fetch some messages (chat, id) again, whose counters moved; with ``show`` their notes are stale. The chats that
    changed."""
    by_chat: defaultdict[int, list[int]] = defaultdict(list)
    for chat_id, message_id in messages:
        by_chat[chat_id].append(message_id)
    changed: set[int] = set()
    for chat_id, ids in by_chat.items():
        keys = [MessageKey.of(desk.account, chat_id, message_id) for message_id in ids]
        here = [key.id for key in await keeper(desk.archive.messages.live, keys)]
        if (await fetch_again(desk, keeper, telegram, chat_id, here, decide, show=show)).is_changed:
            changed.add(chat_id)
    return changed


async def fetch_again(
    desk: Desk,
    keeper: Keeper,
    telegram: Telegram,
    chat_id: int,
    ids: Sequence[int],
    decide: Decide,
    *,
    show: bool,
) -> Again:
    """Fetch the messages ``ids`` of a chat again and record what is different; with ``show`` the chat's notes are stale
    that do not show its counters, those stored before too. Raises RequestRefused."""
    again = Again()
    for start in range(0, len(ids), TOGETHER):
        page, missing = await telegram.named(chat_id, ids[start : start + TOGETHER])
        recorded = await keeper(record_page, desk.archive, desk.account, page, decide)
        count_recorded(desk, [recorded])
        again.is_changed |= bool(recorded.edited)
        again.gone += [MessageKey.of(desk.account, chat_id, message_id) for message_id in missing]
    if show:
        again.is_changed |= await keeper(desk.archive.notes.show_counters, desk.account, chat_id)
    return again
