"""Views, reactions and polls, which no difference tells: recent messages are fetched again by their ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from tobs.archive import Decide, record_page
from tobs.model import MessageKey, Page
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.sync.counting import count_recorded
from tobs.telegram.facade import Telegram

#: Hears, in the keeper's thread and in the transaction of what came, which chats changed.
Changed = Callable[[Iterable[int]], None]

#: Messages fetched again with one request.
TOGETHER = 100


async def refresh_counters(
    context: RunContext,
    archive_thread: ArchiveThread,
    telegram: Telegram,
    chats: Iterable[int],
    decide: Decide,
    *,
    since: float,
    mark_changed: Changed,
) -> list[MessageKey]:
    """Fetch what is not older than ``since`` (Unix seconds) again, a hundred messages a request, and make the notes of
    what was counted anew stale. The messages that are gone (not marked yet)."""
    gone: list[MessageKey] = []
    for chat_id in chats:
        ids = await archive_thread(context.archive.messages.live_ids_since, context.account, chat_id, since)
        gone += await fetch_again(
            context, archive_thread, telegram, chat_id, ids, decide, show=True, mark_changed=mark_changed
        )
    return gone


async def refresh_messages(
    context: RunContext,
    archive_thread: ArchiveThread,
    telegram: Telegram,
    messages: Iterable[tuple[int, int]],
    decide: Decide,
    *,
    show: bool,
    mark_changed: Changed,
) -> None:
    """Fetch some messages (chat, id) again, whose counters moved; with ``show`` their notes are stale."""
    by_chat: defaultdict[int, list[int]] = defaultdict(list)
    for chat_id, message_id in messages:
        by_chat[chat_id].append(message_id)
    for chat_id, ids in by_chat.items():
        keys = [MessageKey.of(context.account, chat_id, message_id) for message_id in ids]
        here = [key.id for key in await archive_thread(context.archive.messages.live, keys)]
        await fetch_again(
            context, archive_thread, telegram, chat_id, here, decide, show=show, mark_changed=mark_changed
        )


async def fetch_again(
    context: RunContext,
    archive_thread: ArchiveThread,
    telegram: Telegram,
    chat_id: int,
    ids: Sequence[int],
    decide: Decide,
    *,
    show: bool,
    mark_changed: Changed,
) -> list[MessageKey]:
    """Fetch the messages ``ids`` of a chat again and record what is different; with ``show`` the chat's notes are stale
    that do not show its counters, those stored before too. Those that are gone (not marked yet). Raises
    RequestRefused."""
    gone: list[MessageKey] = []
    for start in range(0, len(ids), TOGETHER):
        page, missing = await telegram.messages_by_id(chat_id, ids[start : start + TOGETHER])
        await archive_thread(_record, context, page, decide, mark_changed)
        gone += [MessageKey.of(context.account, chat_id, message_id) for message_id in missing]
    if show:
        await archive_thread(context.archive.notes.mark_outdated_stale, context.account, chat_id)
    return gone


def _record(context: RunContext, page: Page, decide: Decide, mark_changed: Changed) -> None:
    with context.archive.transaction():
        recorded = record_page(context.archive, context.account, page, decide)
        if recorded.edited:
            mark_changed([page.chat_id])
    count_recorded(context, [recorded])
