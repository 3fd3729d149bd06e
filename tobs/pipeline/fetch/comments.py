"""Find the comments of a channel's posts and fetch them from the discussion group.

New comments also come under old posts, so that no cursor over the posts finds them. In the group they are new
messages: its newest id shows whether there are any, and reading its new messages finds all of them. Each post is
asked for its own comments if that costs less (a group with much other talk), if the group may not be read, or if a
filter selects posts: only posts whose count or newest comment has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import ceil

from msgspec import Struct
from msgspec.structs import replace

from tobs.archive import Archive, Decide, Post, Recorded, Thread, record_page
from tobs.errors import FloodWait, RequestRefused
from tobs.model import Chat, Message, Page, UpdateState, copied_post, thread_root
from tobs.model.events import MessagesCounted
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.fetch.history import RECHECKED_MESSAGES, Recording
from tobs.pipeline.fetch.mass_deletion import is_mass
from tobs.sources import Gap, Source
from tobs.sources.telegram import telegram_source
from tobs.telegram.facade import HistoryTop, Telegram

_PAGE = 100
_HIGHEST = (1 << 31) - 1
OnPage = Callable[[Page], Awaitable[None]]


class Commented(Struct, frozen=True):
    """The source of a channel's comments: its discussion group, the intervals of ids to read, and the function that
    records a page."""

    group: Chat
    source: Source
    gaps: Sequence[Gap]
    recording: Recording | None


async def find_comments(
    context: RunContext,
    archive_thread: ArchiveThread,
    telegram: Telegram,
    channel: Chat,
    *,
    within: Gap | None,
    workers: int,
) -> Commented | None:
    """Return the way to fetch the comments of ``channel`` that are not archived; None if there are none.

    ``within`` is the interval of posts (None: all).
    """
    if not channel.linked_chat:
        return None
    comments, low, high = context.archive.comments, *(within or (1, _HIGHEST))
    group, top = await _group(telegram, channel.linked_chat)
    if top is not None:  # a sync fetches later edits
        await archive_thread(context.archive.updates.begin, context.account, group.id, UpdateState(group.pts))
    cursor = await archive_thread(comments.cursor, channel.id, group.id)
    posts = await archive_thread(comments.posts, channel.id, low, high)
    if within is None and top is not None:
        if top.top <= cursor:
            return None
        ids = top.top - cursor
        pages = ceil(ids * min(1.0, top.count / max(1, top.top)) / _PAGE)
        if pages <= ceil(len(posts) / _PAGE) + sum(1 for count in posts.values() if count):
            copies = await archive_thread(comments.copies, channel.id, group.id)
            return _through_group(telegram, channel, replace(group, top=top.top, count=top.count), cursor, copies)
    threads = await archive_thread(comments.threads, channel.id)
    due = await _due(telegram_source(telegram), channel, list(posts), threads)
    if not due:
        return None

    return _by_post(_Threads(context, archive_thread, channel.id, threads), telegram, channel, group, due, workers)


def left_comments(context: RunContext, telegram: Telegram, channel: Chat) -> Commented | None:
    """Return archived comments without notes, which a stopped run left; None if there are none."""
    group = context.archive.chats.get(context.account, channel.linked_chat) if channel.linked_chat else None
    if group is None or group.id not in context.archive.messages.unfinished(context.account):
        return None
    return Commented(group, telegram_source(telegram), (), None)


async def _group(telegram: Telegram, group_id: int) -> tuple[Chat, HistoryTop | None]:
    """Return the discussion group and its newest id; None as id if the group may not be read, only the comments."""
    try:
        group = await telegram.full(group_id)
        return group, await telegram.history_top(group_id)
    except FloodWait:
        raise
    except RequestRefused:
        return await telegram.chat_extras.known_chat(group_id), None


# The whole group


def _through_group(telegram: Telegram, channel: Chat, group: Chat, cursor: int, copies: set[int]) -> Commented:
    """Read the messages of the group above ``cursor`` and keep those that reply to a copy of a post.

    Pages come in ascending order: a copy comes before its comments.
    """
    new_copies: dict[int, Post] = {}

    def keep(message: Message) -> bool:
        post = copied_post(message)
        if post is not None and post[0] == channel.id:
            new_copies[message.id] = post
            copies.add(message.id)
        return thread_root(message) in copies

    async def walk(chat_id: int, gaps: Sequence[Gap], on_page: OnPage, *, count: int = 0) -> None:
        for low, high in gaps:
            while low <= high:
                page = await telegram.page(chat_id, low, high, keep=keep)
                await on_page(page)
                low = page.high + 1

    def record(archive: Archive, account: int, page: Page, decide: Decide) -> Recorded:
        with archive.transaction():
            archive.comments.add_threads(
                group.id, {root: new_copies.pop(root) for root in list(new_copies) if page.low <= root <= page.high}
            )
            done = record_page(archive, account, replace(page, high=page.low - 1), decide)
            archive.comments.set_cursor(channel.id, group.id, page.high)
        return done

    source = replace(telegram_source(telegram), walk=walk)
    return Commented(group, source, [(max(1, cursor + 1 - RECHECKED_MESSAGES), group.top)], record)


# Post by post


async def _due(source: Source, channel: Chat, posts: Sequence[int], threads: Mapping[int, Thread]) -> dict[int, Thread]:
    """Return the posts whose comments changed since they were last fetched, with their current counts."""
    due: dict[int, Thread] = {}
    if source.comments is None:
        return due
    for start in range(0, len(posts), _PAGE):
        counts = await source.comments(channel.id, posts[start : start + _PAGE])
        for post_id, current in counts.items():
            known = threads.get(post_id, Thread(0, 0))
            if current.number != known.counted or current.newest > known.walked:
                due[post_id] = Thread(current.number, current.newest)
    return due


class _Threads:
    """The comments of single posts in the archive."""

    def __init__(
        self, context: RunContext, archive_thread: ArchiveThread, channel_id: int, walked: Mapping[int, Thread]
    ) -> None:
        self._context = context
        self._archive_thread = archive_thread
        self._channel = channel_id
        self._walked = walked

    async def begin(self, post_id: int, current: Thread) -> int:
        """Return the first id to fetch: 1 if comments were deleted, else that of the newest ones, which may have been
        edited."""
        known = self._walked.get(post_id, Thread(0, 0))
        if not known.walked or current.counted < known.counted:
            return 1
        known_keys = await self._archive_thread(
            self._context.archive.comments.live, self._channel, post_id, 1, known.walked
        )
        return known_keys[-RECHECKED_MESSAGES:][0].id if known_keys else 1

    async def settle(self, post_id: int, page: Page, low: int) -> None:
        """Mark comments deleted whose ids are in the range of a page that does not have them."""
        await self._archive_thread(self._settle, post_id, low, page)

    def _settle(self, post_id: int, low: int, page: Page) -> None:
        archive, events = self._context.archive, self._context.events
        fetched = {message.id for message in page.messages} | {message_id for message_id, _ in page.unreadable}
        known_keys = archive.comments.live(self._channel, post_id, low, page.high)
        deleted = [key for key in known_keys if key.id not in fetched]
        if is_mass(len(deleted), archive.comments.count(self._channel)):
            reason = f"{len(deleted)} comments of one post were deleted at once: not applied"
            return events.problem("deletions", f"comments of post {post_id}", reason, retryable=False)
        events.emit(MessagesCounted(deleted=archive.messages.mark_deleted(deleted)))
        archive.comments.mark_posts(deleted)

    async def set_fetched(self, post_id: int, thread: Thread) -> None:
        """Record that the comments of a post were fetched."""
        await self._archive_thread(self._context.archive.comments.set_fetched, (self._channel, post_id), thread)


def _by_post(
    threads: _Threads,
    telegram: Telegram,
    channel: Chat,
    group: Chat,
    due: Mapping[int, Thread],
    workers: int,
) -> Commented:
    """Fetch new and edited comments of the posts ``due``, several posts at a time, and find deleted ones."""
    roots: dict[int, int] = {}

    async def fetch_comments(post_id: int, worker: int, on_page: OnPage) -> None:
        low = await threads.begin(post_id, due[post_id])
        high = due[post_id].walked or _HIGHEST
        page: Page | None = None
        while low <= high:
            page = await telegram.page(channel.id, low, high, worker=worker, thread=post_id)
            roots.update((thread_root(message), post_id) for message in page.messages)
            await on_page(page)
            await threads.settle(post_id, page, low)
            low = page.high + 1
        if page is None or not page.messages:  # no page has recorded it
            await threads.set_fetched(post_id, due[post_id])

    async def walk(chat_id: int, gaps: Sequence[Gap], on_page: OnPage, *, count: int = 0) -> None:
        waiting = iter(sorted(due))

        async def work(worker: int) -> None:
            for post_id in waiting:
                await fetch_comments(post_id, worker, on_page)

        async with asyncio.TaskGroup() as pool:
            for worker in range(max(1, workers)):
                pool.create_task(work(worker))

    def record(archive: Archive, account: int, page: Page, decide: Decide) -> Recorded:
        copies = {root: (channel.id, roots[root]) for root in {thread_root(message) for message in page.messages}}
        with archive.transaction():
            archive.comments.add_threads(page.chat_id, copies)
            done = record_page(archive, account, replace(page, high=page.low - 1), decide)
            for post in copies.values():
                thread = due[post[1]]
                is_last = page.high >= (thread.walked or _HIGHEST)
                walked = page.messages[-1].id
                archive.comments.set_fetched(post, thread if is_last else Thread(0, walked))
        return done

    top = max((thread.walked for thread in due.values()), default=0) or _HIGHEST
    group = replace(group, top=top, count=sum(thread.counted for thread in due.values()))
    return Commented(group, replace(telegram_source(telegram), walk=walk), [(1, top)], record)
