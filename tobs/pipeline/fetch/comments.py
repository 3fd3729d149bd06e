"""Comments of a channel's posts: found in the discussion group, filed under their posts.

New comments come under old posts, so no cursor over the posts finds them. But in the group they are new messages like
all others: its newest id tells whether there is anything, and looking through what is new of it finds every comment.
Where that would cost more than asking post by post (a group that mostly talks about other things), where the group may
not be read, or where a filter wants some posts only, each post's comments are asked for by themselves: those whose
count or newest comment is another one than when they were last asked for.
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
from tobs.pipeline.fetch.history import LOOK_BACK, Recording
from tobs.pipeline.fetch.mass_deletion import is_mass
from tobs.sources import Gap, Source
from tobs.sources.telegram import telegram_source
from tobs.telegram.facade import HistoryTop, Telegram

_PAGE = 100
_HIGHEST = (1 << 31) - 1
OnPage = Callable[[Page], Awaitable[None]]


class Commented(Struct, frozen=True):
    """Where the comments of a channel come from: its discussion group, the ids to be looked through, and how a page
    is put into the archive."""

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
    """How to bring the comments of ``channel`` that are not in the archive; None when there are none. ``within`` are
    the posts wanted (None: all)."""
    if not channel.linked_chat:
        return None
    comments, low, high = context.archive.comments, *(within or (1, _HIGHEST))
    group, top = await _group(telegram, channel.linked_chat)
    if top is not None:  # what is edited from here on, a sync asks for
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
    """Comments that are in the archive, of a run that was stopped before they had their notes; None for none."""
    group = context.archive.chats.get(context.account, channel.linked_chat) if channel.linked_chat else None
    if group is None or group.id not in context.archive.messages.unfinished(context.account):
        return None
    return Commented(group, telegram_source(telegram), (), None)


async def _group(telegram: Telegram, group_id: int) -> tuple[Chat, HistoryTop | None]:
    """The discussion group and its newest id; None where it may not be read, though the comments may."""
    try:
        group = await telegram.full(group_id)
        return group, await telegram.history_top(group_id)
    except FloodWait:
        raise
    except RequestRefused:
        return await telegram.chat_extras.known_chat(group_id), None


# the group looked through


def _through_group(telegram: Telegram, channel: Chat, group: Chat, cursor: int, copies: set[int]) -> Commented:
    """The messages of the group above ``cursor`` that answer a copy of a post. Ascending, one page after the other:
    a copy comes before its comments."""
    found: dict[int, Post] = {}

    def keep(message: Message) -> bool:
        post = copied_post(message)
        if post is not None and post[0] == channel.id:
            found[message.id] = post
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
                group.id, {root: found.pop(root) for root in list(found) if page.low <= root <= page.high}
            )
            done = record_page(archive, account, replace(page, high=page.low - 1), decide)
            archive.comments.set_cursor(channel.id, group.id, page.high)
        return done

    source = replace(telegram_source(telegram), walk=walk)
    return Commented(group, source, [(max(1, cursor + 1 - LOOK_BACK), group.top)], record)


# post by post


async def _due(source: Source, channel: Chat, posts: Sequence[int], threads: Mapping[int, Thread]) -> dict[int, Thread]:
    """The posts that have other comments than when they were last asked for, with what they have now."""
    due: dict[int, Thread] = {}
    if source.comments is None:
        return due
    for start in range(0, len(posts), _PAGE):
        counts = await source.comments(channel.id, posts[start : start + _PAGE])
        for post_id, now in counts.items():
            known = threads.get(post_id, Thread(0, 0))
            if now.number != known.counted or now.newest > known.walked:
                due[post_id] = Thread(now.number, now.newest)
    return due


class _Threads:
    """The comments of single posts as the archive has them."""

    def __init__(
        self, context: RunContext, archive_thread: ArchiveThread, channel_id: int, walked: Mapping[int, Thread]
    ) -> None:
        self._context = context
        self._archive_thread = archive_thread
        self._channel = channel_id
        self._walked = walked

    async def begin(self, post_id: int, now: Thread) -> int:
        """Where to begin at a post: with its first comment where some were deleted, else at the newest ones, which may
        have been edited."""
        known = self._walked.get(post_id, Thread(0, 0))
        if not known.walked or now.counted < known.counted:
            return 1
        here = await self._archive_thread(self._context.archive.comments.live, self._channel, post_id, 1, known.walked)
        return here[-LOOK_BACK:][0].id if here else 1

    async def settle(self, post_id: int, page: Page, low: int) -> None:
        """What a page of a post's comments does not hold of its ids is gone."""
        await self._archive_thread(self._settle, post_id, low, page)

    def _settle(self, post_id: int, low: int, page: Page) -> None:
        archive, events = self._context.archive, self._context.events
        told = {message.id for message in page.messages} | {message_id for message_id, _ in page.unreadable}
        here = archive.comments.live(self._channel, post_id, low, page.high)
        gone = [key for key in here if key.id not in told]
        if is_mass(len(gone), archive.comments.count(self._channel)):
            reason = f"{len(gone)} comments of one post were deleted at once: not taken over"
            return events.problem("deletions", f"comments of post {post_id}", reason, retryable=False)
        events.emit(MessagesCounted(deleted=archive.messages.mark_deleted(gone)))
        archive.comments.mark_posts(gone)

    async def set_fetched(self, post_id: int, thread: Thread) -> None:
        """The comments of a post were asked for."""
        await self._archive_thread(self._context.archive.comments.set_fetched, (self._channel, post_id), thread)


def _by_post(
    threads: _Threads,
    telegram: Telegram,
    channel: Chat,
    group: Chat,
    due: Mapping[int, Thread],
    workers: int,
) -> Commented:
    """What is new, edited or gone of the comments of the posts ``due``, several posts at once."""
    roots: dict[int, int] = {}

    async def bring(post_id: int, worker: int, on_page: OnPage) -> None:
        low = await threads.begin(post_id, due[post_id])
        high = due[post_id].walked or _HIGHEST
        page: Page | None = None
        while low <= high:
            page = await telegram.page(channel.id, low, high, worker=worker, thread=post_id)
            roots.update((thread_root(message), post_id) for message in page.messages)
            await on_page(page)
            await threads.settle(post_id, page, low)
            low = page.high + 1
        if page is None or not page.messages:  # there is no page that would tell it
            await threads.set_fetched(post_id, due[post_id])

    async def walk(chat_id: int, gaps: Sequence[Gap], on_page: OnPage, *, count: int = 0) -> None:
        waiting = iter(sorted(due))

        async def work(worker: int) -> None:
            for post_id in waiting:
                await bring(post_id, worker, on_page)

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
