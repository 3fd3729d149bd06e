"""Rescan of chats whose changes Telegram does not send any more, without fetching all messages.

New messages have ids above the newest known one. Deleted messages are found by counting: Telegram says how many
messages are newer than a given one; where the archive has more, messages were deleted, and a binary search finds them.
Edits, and deletions in a chat that is archived in part, cannot be found in this way: ``recheck_edits`` fetches old
messages again by their ids, a hundred a request, newest first, in all chats by turns. Each sync does a part of it; the
archive stores the progress.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from loguru import logger
from msgspec import Struct, field

from tobs.archive import Decide, record_page
from tobs.errors import FloodWait, RequestRefused
from tobs.model import Chat, MessageKey, Page
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.sync.counters import IDS_PER_REQUEST, MarkChanged, Refetcher, report_recorded
from tobs.sources import Gap
from tobs.telegram.facade import Telegram

#: A range of at most this many messages is fetched, not divided further.
_LEAF = 100

#: Requests of one sync to find edits.
_RECHECK_REQUESTS = 50


async def rescan(
    context: RunContext,
    archive_thread: ArchiveThread,
    telegram: Telegram,
    chat: Chat,
    decide: Decide,
    *,
    mark_changed: MarkChanged,
) -> list[MessageKey]:
    """Record the new messages of ``chat`` and return the deleted ones (not marked yet). Raises RequestRefused."""
    archive, deleted = context.archive, list[MessageKey]()
    top = (await telegram.history_top(chat.id)).top
    newest = await archive_thread(archive.messages.newest_id, context.account, chat.id)

    async def record(page: Page) -> None:
        deleted.extend(await archive_thread(_record_part, context, page, decide, mark_changed))

    # Several workers fetch pages: a run that was stopped may have left a gap below the newest message.
    known = (await archive_thread(archive.updates.tracked, context.account)).get(chat.id, newest)
    if gaps := await archive_thread(archive.coverage.gaps, context.account, chat.id, known + 1, top):
        await telegram.walk(chat.id, gaps, record, count=top - known)
    if await archive_thread(archive.coverage.gaps, context.account, chat.id, 1, newest):
        logger.info("chat {} is archived in part: deleted messages are found by fetching old ones again", chat.id)
        return deleted
    ids = await archive_thread(archive.messages.live_ids, context.account, chat.id, 1, newest)

    async def probe(index: int) -> tuple[int, int]:
        existing, newer = await telegram.position(chat.id, ids[index])
        stored = await archive_thread(archive.messages.newer, context.account, chat.id, existing)
        return existing, stored - len(deleted) - newer

    for gap in await shrunk_ranges(ids, probe):
        await telegram.walk(chat.id, [gap], record, count=_LEAF)
    return deleted


async def shrunk_ranges(ids: Sequence[int], probe: Callable[[int], Awaitable[tuple[int, int]]]) -> list[Gap]:
    """Return the ranges of ascending ``ids`` in which messages were deleted, most of them no longer than ``_LEAF``.

    ``probe(index)`` asks Telegram about ``ids[index]``. It returns the newest existing id up to that one (0: none) and
    the number of deleted messages among the ``ids`` above it. When probes would cost more requests than fetching, the
    only range is all of ``ids``.
    """
    if not ids:
        return []
    left = max(3, len(ids) // _LEAF)  # probes
    ranges: list[Gap] = []
    pending = [_Part(0, len(ids) - 1, (await probe(0))[1], 0)]
    while pending:
        part = pending.pop()
        if part.deleted <= 0:
            continue
        if part.last - part.first < _LEAF:
            ranges.append((ids[part.first], ids[part.last]))
            continue
        if not left:
            return [(ids[0], ids[-1])]
        left -= 1
        middle = (part.first + part.last) // 2
        existing, newer = await probe(middle)
        at = bisect_right(ids, existing) - 1
        # All messages after this index, up to the middle, were deleted.
        if at < middle:
            ranges.append((ids[max(part.first, at + 1)], ids[middle]))
        above = newer - (middle - at) - part.newer
        pending.append(_Part(middle + 1, part.last, above, part.newer))
        if at >= part.first:
            pending.append(_Part(part.first, at, part.deleted + part.newer - newer, newer))
    return sorted(ranges)


class _Part(NamedTuple):
    """The ids from index ``first`` to index ``last``, both included: ``deleted`` of them, and ``newer`` of the ids
    above, were deleted."""

    first: int
    last: int
    deleted: int
    newer: int


def _record_part(context: RunContext, page: Page, decide: Decide, mark_changed: MarkChanged) -> list[MessageKey]:
    """Record a page. Return the messages that the archive has in its range and Telegram has not."""
    live = context.archive.messages.live_ids(context.account, page.chat_id, page.low, page.high)
    existing = {message.id for message in page.messages} | {message_id for message_id, _ in page.unreadable}
    with context.archive.transaction():
        recorded = record_page(context.archive, context.account, page, decide)
        if recorded.new or recorded.edited:
            mark_changed([page.chat_id])
    report_recorded(context, [recorded])
    return [MessageKey.of(context.account, page.chat_id, id) for id in live if id not in existing]


class RecheckedEdits(Struct):
    """The result of a recheck: ``missing`` messages by chat (not marked yet), and ``next_id``: the newest id of each
    chat that is still to be checked (0: none)."""

    missing: defaultdict[int, list[MessageKey]] = field(default_factory=lambda: defaultdict(list))
    next_id: dict[int, int] = field(default_factory=dict)


async def recheck_edits(refetcher: Refetcher, chats: Mapping[int, Chat], *, whole: bool) -> RecheckedEdits:
    """Continue the recheck of ``chats``, for ``_RECHECK_REQUESTS`` requests or (``whole``) to the end, and record
    edits. A chat that Telegram refuses is reported and skipped."""
    context, archive_thread = refetcher.context, refetcher.archive_thread
    archive, checked, requests = context.archive, RecheckedEdits(), 0
    pending = await archive_thread(archive.updates.to_recheck, context.account)
    turns = deque((chat_id, high) for chat_id, high in pending.items() if chat_id in chats)
    while turns and (whole or requests < _RECHECK_REQUESTS):
        chat_id, high = turns.popleft()
        requests += 1
        ids = await archive_thread(archive.messages.live_ids_upto, context.account, chat_id, high, IDS_PER_REQUEST)
        try:
            missing = await refetcher.refetch(chat_id, ids)
        except FloodWait:
            raise
        except RequestRefused as error:
            context.events.failed(error, chats[chat_id].title)
            continue
        checked.missing[chat_id] += missing
        next_id = ids[-1] - 1 if len(ids) == IDS_PER_REQUEST else 0
        checked.next_id[chat_id] = next_id
        if not checked.missing[chat_id]:  # deletions may have to be accepted first
            await archive_thread(archive.updates.rechecked, context.account, chat_id, next_id)
        if next_id:
            turns.append((chat_id, next_id))
    return checked
