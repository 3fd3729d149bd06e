"""Fetch the ids of a chat that are not settled, page by page, into the archive; complete imported messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tobs.archive import Archive, Decide, Recorded, record_page
from tobs.model import Chat, Page
from tobs.model.events import MediaCounted, MessagesCounted
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.sources import Gap, Source
from tobs.sources.registry import SOURCES
from tobs.telegram.facade import Telegram

Recording = Callable[[Archive, int, Page, Decide], Recorded]
"""Puts a page, as an account saw it, into the archive in one transaction."""

#: The newest messages that are fetched again, because they may have been edited: less than a page.
RECHECKED_MESSAGES = 50

#: Messages in one request: the most that Telegram returns.
_BATCH = 100


def missing_ids(context: RunContext, chat_id: int, top: int, within: Gap | None = None, topic: int = 0) -> list[Gap]:
    """Return the intervals of ids of a chat (or a ``topic``) up to ``top`` that have to be fetched.

    These are the ids that are not settled; if only the newest are missing, also the last few known ones, which may
    have been edited. ``within`` limits the interval (None: all).
    """
    archive = context.archive
    gaps = archive.coverage.gaps(context.account, chat_id, 1, top, topic=topic)
    seen = archive.messages.newest_ids(context.account, chat_id, RECHECKED_MESSAGES, topic=topic)
    caught_up = not gaps or (len(gaps) == 1 and bool(seen) and gaps[0][0] > seen[0])
    gaps = [(seen[-1], top)] if caught_up and seen else gaps
    if within is None:
        return gaps
    cut = [(max(low, within[0]), min(high, within[1])) for low, high in gaps]
    return [(low, high) for low, high in cut if low <= high]


class FetchTask(Struct, frozen=True):
    """The ids ``gaps`` of a chat to fetch from ``source``; ``recording`` writes a page, if not as every page is."""

    source: Source
    gaps: Sequence[Gap]
    recording: Recording | None = None


async def fetch_and_record(
    context: RunContext,
    chat_folder: ChatFolder,
    archive_thread: ArchiveThread,
    task: FetchTask,
    decide: Decide,
    *,
    queue_pages: int,
    recorded: Callable[[Recorded], None],
) -> None:
    """Fetch the ids of ``task`` and record every page, in one transaction each.

    At most ``queue_pages`` pages wait between the workers and the archive; ``recorded`` is called after each commit.
    """
    source, recording = task.source, task.recording
    pages: asyncio.Queue[Page | None] = asyncio.Queue(maxsize=queue_pages)

    async def record() -> None:
        while (page := await pages.get()) is not None:
            if recording is not None:
                done = await archive_thread(recording, context.archive, context.account, page, decide)
            else:
                done = await archive_thread(
                    record_page, context.archive, context.account, settling(page), decide, source=source.name
                )
            _count(context, chat_folder, page, done)
            recorded(done)

    async with asyncio.TaskGroup() as group:
        group.create_task(record())
        await source.walk(chat_folder.chat.id, task.gaps, pages.put, count=chat_folder.chat.count or 0)
        await pages.put(None)


def settling(page: Page) -> Page:
    """Return ``page``; if it lacks messages of its ids, return it with an empty interval, so that it settles
    nothing."""
    is_whole = not page.left_out and (bool(page.topic) or not page.is_part)
    return page if is_whole else replace(page, high=page.low - 1)


def _count(context: RunContext, chat_folder: ChatFolder, page: Page, done: Recorded) -> None:
    messages = MessagesCounted(len(page.messages), done.new, done.edited, skipped=len(page.unreadable))
    context.events.emit(messages)
    context.events.emit(MediaCounted(wanted=done.wanted))
    for message_id, reason in page.unreadable:
        context.events.problem("message", f"message {message_id} of {chat_folder.chat.title}", reason, retryable=False)


def record_old_group(context: RunContext, chat: Chat) -> None:
    """Record the basic group that ``chat`` grew from, if an import could not tell its id."""
    for kind in SOURCES.values() if chat.migrated_from else ():
        if kind.unknown_group is not None:
            context.archive.rename_chat(kind.unknown_group(chat.id), chat.migrated_from)


async def complete_imported(
    context: RunContext, archive_thread: ArchiveThread, telegram: Telegram, chat: Chat, decide: Decide
) -> None:
    """Fetch the messages whose files an import left out, so that these files are wanted like any others.

    Without imported messages there is no request.
    """
    after = 0
    while ids := await archive_thread(
        context.archive.media.left_out, context.account, chat.id, after=after, limit=_BATCH
    ):
        page, deleted = await telegram.messages_by_id(chat.id, ids)
        await archive_thread(record_page, context.archive, context.account, page, decide)
        if deleted:
            await archive_thread(
                context.archive.media.lost, context.account, chat.id, deleted, "the message is gone from Telegram"
            )
        after = ids[-1]
