"""Views, reactions and polls, which no difference tells: recent messages are fetched again by their ids."""

from __future__ import annotations

from collections.abc import Iterable

from tobs.archive import Decide, record_counters
from tobs.model import MessageKey
from tobs.pipeline.desk import Desk
from tobs.pipeline.keeper import Keeper
from tobs.pipeline.sync.counting import count_recorded
from tobs.telegram.client import Telegram

_TOGETHER = 100


async def refresh_counters(
    desk: Desk, keeper: Keeper, telegram: Telegram, chats: Iterable[int], decide: Decide, *, since: float
) -> tuple[set[int], list[MessageKey]]:
    """Fetch what is not older than ``since`` (Unix seconds) again, a hundred messages a request, and make the notes of
    what was counted anew stale. The chats that changed, and the messages that are gone (not marked yet)."""
    changed: set[int] = set()
    gone: list[MessageKey] = []
    for chat_id in chats:
        ids = await keeper(desk.archive.messages.live_ids_since, desk.account, chat_id, since)
        for start in range(0, len(ids), _TOGETHER):
            page, missing = await telegram.named(chat_id, ids[start : start + _TOGETHER])
            recorded, counted = await keeper(record_counters, desk.archive, desk.account, page, decide, show=True)
            count_recorded(desk, [recorded])
            if counted or recorded.edited:
                changed.add(chat_id)
            gone += [MessageKey.of(desk.account, chat_id, message_id) for message_id in missing]
    return changed, gone
