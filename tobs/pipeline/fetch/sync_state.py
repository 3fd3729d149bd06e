"""Which chats are kept in step after an export, and from which state on their changes are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from tobs.model import COMMON, Chat, UpdateState, is_channel_id
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.select.filters import Filters
from tobs.pipeline.select.selection import Part
from tobs.telegram.facade import Telegram


async def store_states(context: RunContext, archive_thread: ArchiveThread, telegram: Telegram, chat: Chat) -> None:
    """Before the history of ``chat`` (in full) is walked: remember the state its changes are asked for from, so that
    nothing that happens meanwhile is missed. What an earlier run remembered stays."""
    updates = context.archive.updates
    if is_channel_id(chat.id):
        await archive_thread(updates.begin, context.account, chat.id, UpdateState(chat.pts))
    has_common = not is_channel_id(chat.id) or chat.migrated_from
    if has_common and await archive_thread(updates.state, context.account, COMMON) is None:
        await archive_thread(updates.begin, context.account, COMMON, await telegram.update_state())


def follow(context: RunContext, parts: Sequence[Part], filters: Filters) -> None:
    """Keep the chats of ``parts`` in step from their ``top`` on, unless ``filters`` leave out newer messages: a sync
    would bring what was not wanted."""
    if filters.by_content or filters.until or filters.max_id:
        return
    with context.archive.transaction():
        for part in parts:
            low = part.within[0] if part.within else 1
            context.archive.updates.track(context.account, part.chat.id, part.chat.top, low=low)
