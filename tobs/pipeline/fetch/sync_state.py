"""Store the chats that are synced after an export, and the state from which their changes are fetched."""

from __future__ import annotations

from collections.abc import Sequence

from tobs.model import COMMON, Chat, UpdateState, is_channel_id
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.select.filters import Filters
from tobs.pipeline.select.selection import Part
from tobs.telegram.facade import Telegram


async def store_states(context: RunContext, archive_thread: ArchiveThread, telegram: Telegram, chat: Chat) -> None:
    """Store the update state before the history of ``chat`` (with full information) is fetched.

    So nothing that happens in the meantime is missed. A stored state stays.
    """
    updates = context.archive.updates
    if is_channel_id(chat.id):
        await archive_thread(updates.begin, context.account, chat.id, UpdateState(chat.pts))
    has_common = not is_channel_id(chat.id) or chat.migrated_from
    if has_common and await archive_thread(updates.state, context.account, COMMON) is None:
        await archive_thread(updates.begin, context.account, COMMON, await telegram.update_state())


def follow(context: RunContext, parts: Sequence[Part], filters: Filters) -> None:
    """Track the chats of ``parts`` from their ``top`` on, unless ``filters`` exclude newer messages, which a sync
    would fetch."""
    if filters.by_content or filters.until or filters.max_id:
        return
    with context.archive.transaction():
        for part in parts:
            low = part.within[0] if part.within else 1
            context.archive.updates.track(context.account, part.chat.id, part.chat.top, low=low)
