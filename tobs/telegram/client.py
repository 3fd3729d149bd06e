"""The facade of the room: ``open_telegram`` gives a ``Telegram``, one logged-in account with its connections."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from tobs.model import Chat, FileItem, MessageKey, Page
from tobs.telegram.events import OnEvent, ignore
from tobs.telegram.settings import TelegramSettings
from tobs.telegram.stores import PeerStore, TakeoutStore

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]
OnPage = Callable[[Page], Awaitable[None]]
OnProgress = Callable[[int], None]


class Account(Struct, frozen=True):
    """Who is logged in. ``id`` is the user id, ``title`` the name to show, ``phone`` may be empty."""

    id: int
    title: str
    username: str = ""
    phone: str = ""
    is_bot: bool = False
    name: str = "default"


class HistoryTop(Struct, frozen=True):
    """The newest message id of a chat (0: none) and Telegram's (inexact) count of its messages."""

    top: int
    count: int


@asynccontextmanager
async def open_telegram(
    settings: TelegramSettings,
    *,
    peers: PeerStore | None = None,
    takeouts: TakeoutStore | None = None,
    on_event: OnEvent = ignore,
    clock: Clock = time.time,
    sleep: Sleep = asyncio.sleep,
    rng: random.Random | None = None,
) -> AsyncIterator[Telegram]:
    """A connected, logged-in account; closes every connection at the end.

    Raises LoginError (nobody logged in, or the session was revoked), NetworkError (no server), ConfigError.
    """
    raise NotImplementedError
    yield


class Telegram:
    """One logged-in account. Every method may raise the errors of ``tobs.errors`` under TelegramError."""

    account: Account
    requests: Counter[str]
    """How many requests were really sent, by method (``messages.getHistory``)."""

    async def invoke(self, request: Any, *, worker: int = 0, dc: int = 0) -> Any:
        """Send a TL request (``dc`` 0: home) and give the parsed TL answer: the one door."""
        raise NotImplementedError

    def chats(self, pattern: str = "") -> AsyncIterator[Chat]:
        """Every dialog whose title or username contains ``pattern``, newest first, archived ones last."""
        raise NotImplementedError

    async def resolve(self, target: str) -> Chat:
        """The chat a TARGET names, with about, members and pinned messages. Raises TargetNotFound, RequestRefused."""
        raise NotImplementedError

    async def history_top(self, chat_id: int) -> HistoryTop:
        """Newest id and count, one request."""
        raise NotImplementedError

    async def page(self, chat_id: int, cursor: int, high: int, *, worker: int = 0) -> Page:
        """The up to 100 messages with ``cursor <= id <= high`` nearest to ``cursor``; settles [cursor, page.high]."""
        raise NotImplementedError

    async def walk(
        self, chat_id: int, gaps: Iterable[tuple[int, int]], on_page: OnPage, *, count: int = 0, workers: int = 0
    ) -> None:
        """Fetch every message of the id intervals ``gaps`` (inclusive) with the pool, lowest first.

        ``on_page`` is awaited for each page, by several workers at once; a slow one slows the walk (backpressure).
        ``count`` is Telegram's message count (for the density), ``workers`` 0 means the settings' number.
        """
        raise NotImplementedError

    def takeout(self, scopes: Iterable[str] = ("channels",)) -> AbstractAsyncContextManager[bool]:
        """Inside, every request belongs to a takeout session; the value is False when Telegram refused one.

        ``scopes`` of: contacts, users, chats, megagroups, channels, files. Its finish is always sent, wrapped.
        """
        raise NotImplementedError

    async def fetch_file(
        self, item: FileItem, key: MessageKey, part: Path, *, offset: int = 0, on_progress: OnProgress | None = None
    ) -> int:
        """Write ``item`` to ``part`` from ``offset`` on (what is there already) and give the whole size in bytes.

        An expired reference is renewed by fetching message ``key`` again. Raises TransferFailed; what was written
        so far stays in ``part``. ``on_progress`` hears the number of bytes in place.
        """
        raise NotImplementedError
