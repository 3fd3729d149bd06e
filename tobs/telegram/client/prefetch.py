"""Prefetch of the first answers of the next chats while one chat is exported.

Many chats are small; requested one after the other, each would wait for its own few answers. So several chats are
requested at once, and an answer is returned when its chat is exported. Nothing is requested twice, and at most
``_DISTANCE`` chats are held in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from msgspec import Struct

from tobs.model import Chat, Page
from tobs.telegram.client.history import History, MessageTest
from tobs.telegram.client.peers import PeerDirectory
from tobs.telegram.client.shards import Span

T = TypeVar("T")

_DISTANCE = 8
_SMALL = 300
"""Largest number of messages of a chat whose first page is prefetched: larger chats are cut into shards."""


class PrefetchItem(Struct, frozen=True):
    """Chat to prefetch. ``full``: its full information will be needed; ``first_page``: its history from id 1."""

    chat_id: int
    full: bool
    first_page: bool


class Prefetch:
    """Answers from prefetched requests, else from a request now.

    A prefetched page is read by a ``History`` of its own (``new_history``), which returns all people of the page: the
    run's own history leaves out people that it returned before, and a prefetched page may be recorded later than those.
    """

    def __init__(
        self, peers: PeerDirectory, history: History, *, new_history: Callable[[], History], workers: int
    ) -> None:
        self._peers = peers
        self._history = history
        self._new_history = new_history
        self._workers = workers
        self._order: Sequence[PrefetchItem] = ()
        self._started = 0
        self._tasks: dict[tuple[str, int], asyncio.Task[Any]] = {}

    @asynccontextmanager
    async def chats(self, order: Sequence[PrefetchItem]) -> AsyncIterator[None]:
        """Prefetch the chats of ``order``, in that order, while the context is open."""
        self._order, self._started = order, 0
        try:
            yield
        finally:
            left, self._tasks, self._order = list(self._tasks.values()), {}, ()
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def full(self, chat_id: int) -> Chat:
        """Return the full chat; see ``PeerDirectory.full``."""
        self._start_following(chat_id)
        return await self._result_of("full", chat_id, lambda: self._peers.full(chat_id))

    async def top(self, chat_id: int, *, thread: int = 0) -> tuple[int, int]:
        """Return the newest id and the count; see ``History.top``."""
        if thread:
            return await self._history.top(chat_id, thread=thread)
        self._start_following(chat_id)
        return await self._result_of("top", chat_id, lambda: self._history.top(chat_id))

    async def page(
        self,
        chat_id: int,
        cursor: int,
        high: Callable[[], int],
        *,
        worker: int = 0,
        keep: MessageTest | None = None,
        span: Span | None = None,
        thread: int = 0,
    ) -> Page:
        """Return a page; see ``History.page``."""
        if cursor == 1 and ("page", chat_id) in self._tasks and not (keep or span or thread):
            found: Page | None = await self._tasks.pop(("page", chat_id))
            if found is not None and found.high <= high():
                return found
        return await self._history.page(chat_id, cursor, high, worker=worker, keep=keep, span=span, thread=thread)

    async def _result_of(self, what: str, chat_id: int, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task: asyncio.Task[T] | None = self._tasks.pop((what, chat_id), None)
        return await (task or ask())

    def _start_following(self, chat_id: int) -> None:
        """Start the requests for the chats behind ``chat_id``, which is exported now."""
        position = next((number for number, item in enumerate(self._order) if item.chat_id == chat_id), None)
        if position is None:
            return
        for number in range(max(self._started, position + 1), min(len(self._order), position + 1 + _DISTANCE)):
            self._start(self._order[number], 1 + number % self._workers)
            self._started = number + 1

    def _start(self, item: PrefetchItem, worker: int) -> None:
        full = asyncio.create_task(self._peers.full(item.chat_id)) if item.full else None
        if full is not None:
            self._tasks["full", item.chat_id] = full
        top = self._tasks["top", item.chat_id] = asyncio.create_task(self._top_after_full(full, item.chat_id))
        if item.first_page:
            self._tasks["page", item.chat_id] = asyncio.create_task(self._first_page(item.chat_id, top, worker))

    async def _top_after_full(self, full: asyncio.Task[Chat] | None, chat_id: int) -> tuple[int, int]:
        """Request the top after the full chat, whose update state must not be newer than the top."""
        if full is not None:
            await asyncio.wait([full])
        return await self._history.top(chat_id)

    async def _first_page(self, chat_id: int, top: asyncio.Task[tuple[int, int]], worker: int) -> Page | None:
        """Return the page at the beginning of a small history; None for others, and where the top was refused.

        The refusal is raised to the caller of ``top``.
        """
        await asyncio.wait([top])
        if top.cancelled() or top.exception() is not None:
            return None
        newest, count = top.result()
        if not 0 < count <= _SMALL:
            return None
        return await self._new_history().page(chat_id, 1, lambda: newest, worker=worker)
