"""Reading ahead: while one chat is exported, the next ones are asked for what every export begins with.

Many chats are small. One after the other, each would wait for its own few answers; so several are asked at once, and
what came is handed out when its turn comes. Nothing is asked twice, and at most ``_DISTANCE`` chats are held.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from msgspec import Struct

from tobs.model import Chat, Page
from tobs.telegram.client.history import History, Keep
from tobs.telegram.client.peers import PeerDirectory
from tobs.telegram.client.shards import Span

T = TypeVar("T")

_DISTANCE = 8
_SMALL = 300
"""Messages up to which a chat's first page is fetched ahead: larger ones are cut into shards."""


class PrefetchItem(Struct, frozen=True):
    """A chat whose turn will come: whether it will be asked for in full, and whether for its history from the begin."""

    chat_id: int
    full: bool
    first_page: bool


class Prefetch:
    """Answers from what was asked ahead, else by asking now.

    A page that is asked for ahead is read by a ``History`` of its own (``apart``), which tells everybody it names: the
    run's own one leaves out whom it told before, and what comes ahead is recorded later than what it told meanwhile.
    """

    def __init__(self, peers: PeerDirectory, history: History, *, apart: Callable[[], History], workers: int) -> None:
        self._peers = peers
        self._history = history
        self._apart = apart
        self._workers = workers
        self._order: Sequence[PrefetchItem] = ()
        self._begun = 0
        self._tasks: dict[tuple[str, int], asyncio.Task[Any]] = {}

    @asynccontextmanager
    async def chats(self, order: Sequence[PrefetchItem]) -> AsyncIterator[None]:
        """Inside, the chats of ``order`` are asked for in that order."""
        self._order, self._begun = order, 0
        try:
            yield
        finally:
            left, self._tasks, self._order = list(self._tasks.values()), {}, ()
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def full(self, chat_id: int) -> Chat:
        """See ``PeerDirectory.full``."""
        self._go_on(chat_id)
        return await self._taken("full", chat_id, lambda: self._peers.full(chat_id))

    async def top(self, chat_id: int, *, thread: int = 0) -> tuple[int, int]:
        """See ``History.top``."""
        if thread:
            return await self._history.top(chat_id, thread=thread)
        self._go_on(chat_id)
        return await self._taken("top", chat_id, lambda: self._history.top(chat_id))

    async def page(
        self,
        chat_id: int,
        cursor: int,
        high: Callable[[], int],
        *,
        worker: int = 0,
        keep: Keep | None = None,
        span: Span | None = None,
        thread: int = 0,
    ) -> Page:
        """See ``History.page``."""
        if cursor == 1 and ("page", chat_id) in self._tasks and not (keep or span or thread):
            found: Page | None = await self._tasks.pop(("page", chat_id))
            if found is not None and found.high <= high():
                return found
        return await self._history.page(chat_id, cursor, high, worker=worker, keep=keep, span=span, thread=thread)

    async def _taken(self, what: str, chat_id: int, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task: asyncio.Task[T] | None = self._tasks.pop((what, chat_id), None)
        return await (task or ask())

    def _go_on(self, chat_id: int) -> None:
        """The turn of ``chat_id`` has come: ask for those behind it."""
        place = next((number for number, one in enumerate(self._order) if one.chat_id == chat_id), None)
        if place is None:
            return
        for number in range(max(self._begun, place + 1), min(len(self._order), place + 1 + _DISTANCE)):
            self._begin(self._order[number], 1 + number % self._workers)
            self._begun = number + 1

    def _begin(self, one: PrefetchItem, worker: int) -> None:
        full = asyncio.create_task(self._peers.full(one.chat_id)) if one.full else None
        if full is not None:
            self._tasks["full", one.chat_id] = full
        top = self._tasks["top", one.chat_id] = asyncio.create_task(self._top_after(full, one.chat_id))
        if one.first_page:
            self._tasks["page", one.chat_id] = asyncio.create_task(self._first_page(one.chat_id, top, worker))

    async def _top_after(self, full: asyncio.Task[Chat] | None, chat_id: int) -> tuple[int, int]:
        """A chat in full tells the state that its changes are asked for from: what comes after it must not be older."""
        if full is not None:
            await asyncio.wait([full])
        return await self._history.top(chat_id)

    async def _first_page(self, chat_id: int, top: asyncio.Task[tuple[int, int]], worker: int) -> Page | None:
        """The page at the begin of a small history; None for others, and where the top was refused: that is told to
        who asks for it."""
        await asyncio.wait([top])
        if top.cancelled() or top.exception() is not None:
            return None
        newest, count = top.result()
        if not 0 < count <= _SMALL:
            return None
        return await self._apart().page(chat_id, 1, lambda: newest, worker=worker)
