"""Looking through a chat whose changes Telegram does not tell any more, without fetching all of it.

What is new lies above the newest id known. What was deleted is found by counting: Telegram says how many messages are
newer than any other, and where that differs from the archive something is gone; halving finds the place. What was
edited, and what is gone from a chat that is here in part, nothing tells: that is looked for by fetching messages again
(``recheck_edits``).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from loguru import logger

from tobs.archive import Decide, record_page
from tobs.model import Chat, MessageKey, Page
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.sync.counters import Changed
from tobs.pipeline.sync.counting import count_recorded
from tobs.sources import Gap
from tobs.telegram.facade import Telegram

#: A range of this many messages is fetched, not halved.
_LEAF = 100


async def rescan(
    context: RunContext,
    archive_thread: ArchiveThread,
    telegram: Telegram,
    chat: Chat,
    decide: Decide,
    *,
    mark_changed: Changed,
) -> list[MessageKey]:
    """Record what is new, find what was deleted: the messages that are gone (not marked yet). Raises RequestRefused."""
    archive, gone = context.archive, list[MessageKey]()
    top = (await telegram.history_top(chat.id)).top
    newest = await archive_thread(archive.messages.newest_id, context.account, chat.id)

    async def take(page: Page) -> None:
        gone.extend(await archive_thread(_record_part, context, page, decide, mark_changed))

    # Pages come from several workers: a run that was stopped may have left a hole below the newest.
    known = (await archive_thread(archive.updates.tracked, context.account)).get(chat.id, newest)
    if gaps := await archive_thread(archive.coverage.gaps, context.account, chat.id, known + 1, top):
        await telegram.walk(chat.id, gaps, take, count=top - known)
    if await archive_thread(archive.coverage.gaps, context.account, chat.id, 1, newest):
        logger.info("chat {} is not here in full: what was deleted is found by looking back", chat.id)
        return gone
    ids = await archive_thread(archive.messages.live_ids, context.account, chat.id, 1, newest)

    async def probe(index: int) -> tuple[int, int]:
        here, newer = await telegram.position(chat.id, ids[index])
        ours = await archive_thread(archive.messages.newer, context.account, chat.id, here)
        return here, ours - len(gone) - newer

    for gap in await shrunk_ranges(ids, probe):
        await telegram.walk(chat.id, [gap], take, count=_LEAF)
    return gone


async def shrunk_ranges(ids: Sequence[int], probe: Callable[[int], Awaitable[tuple[int, int]]]) -> list[Gap]:
    """The ranges of ascending ``ids`` in which messages are gone, most of them no longer than ``_LEAF``.

    ``probe(index)`` asks Telegram about ``ids[index]``: the newest id up to it that is there (0: none), and how many
    of ``ids`` newer than that are gone. Where asking would cost more than fetching, everything is to be fetched.
    """
    if not ids:
        return []
    left = max(3, len(ids) // _LEAF)  # questions
    ranges: list[Gap] = []
    pending = [_Part(0, len(ids) - 1, (await probe(0))[1], 0)]
    while pending:
        part = pending.pop()
        if part.gone <= 0:
            continue
        if part.last - part.first < _LEAF:
            ranges.append((ids[part.first], ids[part.last]))
            continue
        if not left:
            return [(ids[0], ids[-1])]
        left -= 1
        middle = (part.first + part.last) // 2
        here, newer = await probe(middle)
        there = bisect_right(ids, here) - 1
        # From there to the middle everything is gone.
        if there < middle:
            ranges.append((ids[max(part.first, there + 1)], ids[middle]))
        above = newer - (middle - there) - part.newer
        pending.append(_Part(middle + 1, part.last, above, part.newer))
        if there >= part.first:
            pending.append(_Part(part.first, there, part.gone + part.newer - newer, newer))
    return sorted(ranges)


class _Part(NamedTuple):
    """The ids between two indexes, both included: how many of them are gone, and how many of those newer."""

    first: int
    last: int
    gone: int
    newer: int


def _record_part(context: RunContext, page: Page, decide: Decide, mark_changed: Changed) -> list[MessageKey]:
    """Record a page. What the archive has in its range and Telegram has not is gone."""
    live = context.archive.messages.live_ids(context.account, page.chat_id, page.low, page.high)
    here = {message.id for message in page.messages} | {message_id for message_id, _ in page.unreadable}
    with context.archive.transaction():
        recorded = record_page(context.archive, context.account, page, decide)
        if recorded.new or recorded.edited:
            mark_changed([page.chat_id])
    count_recorded(context, [recorded])
    return [MessageKey.of(context.account, page.chat_id, one) for one in live if one not in here]
