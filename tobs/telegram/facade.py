"""The facade of the room: a ``Telegram`` is one logged-in account with its connections (``opening`` makes it)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from itertools import count as counter
from pathlib import Path
from typing import Any

from msgspec import Struct
from telethon.tl import functions

from tobs.errors import LoginError, RequestRefused, TargetNotFound, TransferFailed
from tobs.model import (
    Changes,
    Chat,
    FileItem,
    Message,
    MessageKey,
    Page,
    Person,
    UpdateState,
    is_channel_id,
)
from tobs.telegram.client.chat_extras import ChatExtras
from tobs.telegram.client.counters import counters_request, counts_of, search_request
from tobs.telegram.client.file_hashes import Offer
from tobs.telegram.client.file_references import FileReferences
from tobs.telegram.client.files import OnProgress, Transfer
from tobs.telegram.client.history import LIMIT, History, Keep
from tobs.telegram.client.members import members_called
from tobs.telegram.client.peers import PeerDirectory
from tobs.telegram.client.prefetch import Prefetch
from tobs.telegram.client.ranges import Ranges
from tobs.telegram.client.shards import Shard, plan_shards, plan_spans, spans_worthwhile
from tobs.telegram.client.takeout import finish_stored, takeout_session
from tobs.telegram.client.targets import Targets
from tobs.telegram.client.worker_pool import OnPage, walk_shards
from tobs.telegram.convert.files import emoji_of
from tobs.telegram.net.bandwidth import Bandwidth
from tobs.telegram.net.events import OnEvent
from tobs.telegram.net.invoker import TAKEOUT_LANE, Invoker
from tobs.telegram.net.reader import read_history
from tobs.telegram.net.session import Account
from tobs.telegram.net.settings import TelegramSettings
from tobs.telegram.stores import Stores
from tobs.telegram.sync.updates import Differences, PeerDialog, PushedUpdate, read_update

__all__ = ["Account", "HistoryTop", "Telegram"]

_FILE_WORKERS = 1000
"""Connections for files are numbered from here on: pages never wait behind a part."""


_COUNTS_AT_ONCE = 8


class HistoryTop(Struct, frozen=True):
    """The newest message id of a chat (0: none) and Telegram's (inexact) count of its messages."""

    top: int
    count: int


def _among(ids: Collection[int]) -> Keep:
    return lambda message: message.id in ids


class Telegram:
    """One logged-in account. Every method may raise the errors of ``tobs.errors`` under TelegramError."""

    def __init__(
        self,
        settings: TelegramSettings,
        invoker: Invoker,
        account: Account,
        stores: Stores,
        on_event: OnEvent,
    ) -> None:
        self.account = account
        self._settings = settings
        self._invoker = invoker
        self._takeouts = stores.takeouts
        self._on_event = on_event
        self._peers = PeerDirectory(invoker, stores.peers, me=account.id)
        self.chat_extras = ChatExtras(invoker, self._peers, me=account.id)
        self._targets = Targets(invoker, self._peers, stores.peers, me=account.id)
        histories = partial(History, invoker, self._peers, me=account.id, on_event=on_event)
        self._history = histories()
        self.prefetch = Prefetch(self._peers, self._history, apart=histories, workers=settings.workers)
        self._differences = Differences(invoker, self._peers, me=account.id, on_event=on_event)
        self._file_turn = counter()
        self._hash_offer = Offer()
        self._bandwidth = Bandwidth(settings.bandwidth)
        self._ranges = Ranges(invoker)
        self._renewed = FileReferences(self._history, self.chat_extras, stores.post_of, on_event)

    @property
    def requests(self) -> Counter[str]:
        """How many requests were really sent, by method (``messages.getHistory``)."""
        return self._invoker.requests

    async def invoke(self, request: Any, *, worker: int = 0, dc: int = 0) -> Any:
        """Send a TL request (``dc`` 0: home) and give the parsed TL answer, dates as Unix seconds: the one door."""
        return await self._invoker(request, worker=worker, dc=dc)

    # chats

    async def chats(self, pattern: str = "") -> AsyncIterator[Chat]:
        """Every dialog whose title or username contains ``pattern``, newest first, archived ones last."""
        self._for_people_only("a list of chats")
        wanted = pattern.casefold().removeprefix("@")
        for chat in await self._targets.every():
            if wanted in chat.title.casefold() or wanted in chat.username.casefold():
                yield chat

    async def resolve(self, target: str, *, join: bool = False) -> Chat:
        """The chat a TARGET names, with about, members and pinned messages. Raises TargetNotFound, RequestRefused.

        Only with ``join`` does the account join the chat of an invite link.
        """
        self._for_people_only("the history of a chat")
        return await self._targets.resolve(target, join=join)

    async def expand(self, target: str, *, join: bool = False) -> list[Chat]:
        """The chats a TARGET names: one, or those of ``folder:NAME``; what only ``full`` tells may be missing."""
        self._for_people_only("the history of a chat")
        return await self._targets.expand(target, join=join)

    async def dialogs(self) -> list[Chat]:
        """Every chat of the account's list, archived ones too; what only ``full`` tells is missing."""
        self._for_people_only("a list of chats")
        return await self._targets.every()

    async def members(self, chat_id: int, name: str) -> list[Person]:
        """The members of a chat whose name contains ``name``, those of a private chat too. Raises RequestRefused."""
        return await members_called(self._invoker, self._peers, chat_id, name)

    async def left_channels(self) -> list[Chat]:
        """The channels and supergroups the account has left; only inside a takeout session."""
        return await self._peers.left()

    async def full(self, chat_id: int) -> Chat:
        """A chat by its marked id, with about, members, pinned messages and the group it grew from."""
        return await self.prefetch.full(chat_id)

    async def custom_emoji(self, ids: Sequence[int]) -> dict[int, str]:
        """The emoji that stand for up to 200 custom ones, those that Telegram knows; one request."""
        answer = await self._invoker(functions.messages.GetCustomEmojiDocumentsRequest(list(ids)))
        return emoji_of(answer)

    async def counters(self, chat_id: int) -> dict[str, int]:
        """How many messages of each kind (photo, video, voice ...) a chat has, by Telegram's count; one request."""
        return counts_of(await self._invoker(counters_request(await self._peers.input_peer(chat_id))))

    async def search(
        self,
        chat_id: int,
        *,
        kind: str = "",
        sender: int = 0,
        since: float = 0,
        until: float = 0,
        thread: int = 0,
        limit: int = 1,
    ) -> tuple[int, list[Message]]:
        """How many messages a chat has of ``kind`` (of ``SEARCHED_KINDS``, "": any) and ``sender`` between two
        Unix times (0: no bound), by Telegram's count, and the newest ``limit`` of them; one request."""
        from_id = await self._peers.input_peer(sender) if sender else None
        peer, bounds = await self._peers.input_peer(chat_id), {"since": since, "until": until}
        request = search_request(peer, kind=kind, sender=from_id, thread=thread, limit=limit, **bounds)
        body = await self._invoker.raw(request)
        return read_history(body).count, self._history.told(body)

    async def sample(self, chat_id: int, high: int, skip: int, *, thread: int = 0) -> list[Message]:
        """The up to 100 messages behind the ``skip`` newest ones with ``id <= high``, newest first; one request."""
        return await self._history.sample(chat_id, high, skip, thread=thread)

    def interval(self, method: str, *, in_takeout: bool = False) -> float:
        """The learned pace of a method: seconds between two calls, 0 while no flood wait taught one."""
        return self._invoker.ledger.interval(method, lane=TAKEOUT_LANE if in_takeout else "")

    # history

    async def history_top(self, chat_id: int, *, thread: int = 0) -> HistoryTop:
        """Newest id and count of a chat, or of a ``thread`` in it (a topic's id, a channel post's); one request."""
        self._for_people_only("the history of a chat")
        return HistoryTop(*await self.prefetch.top(chat_id, thread=thread))

    async def counts(self, chat_ids: Iterable[int]) -> dict[int, int]:
        """How many messages chats have, one request each, several at once. Those that Telegram refuses are left out,
        and after a flood wait that is too long, the rest."""
        found: dict[int, int] = {}
        slots = asyncio.Semaphore(_COUNTS_AT_ONCE)

        async def count(chat_id: int) -> None:
            async with slots:
                with suppress(RequestRefused, TargetNotFound):
                    found[chat_id] = (await self._history.top(chat_id))[1]

        async with asyncio.TaskGroup() as group:
            for chat_id in chat_ids:
                group.create_task(count(chat_id))
        return found

    async def page(
        self, chat_id: int, cursor: int, high: int, *, worker: int = 0, keep: Keep | None = None, thread: int = 0
    ) -> Page:
        """The up to 100 messages with ``cursor <= id <= high`` nearest to ``cursor``; settles [cursor, page.high],
        unless ``keep`` left something out of it or it is of a ``thread``."""
        return await self._history.page(chat_id, cursor, lambda: high, worker=worker, keep=keep, thread=thread)

    async def walk(
        self,
        chat_id: int,
        gaps: Iterable[tuple[int, int]],
        on_page: OnPage,
        *,
        count: int = 0,
        workers: int = 0,
        keep: Keep | None = None,
        thread: int = 0,
    ) -> None:
        """Fetch every message of the id intervals ``gaps`` (inclusive) with the pool, lowest first.

        ``on_page`` is awaited for each page, by several workers at once; a slow one slows the walk (backpressure).
        ``count`` is that of ``history_top`` (for the density); ``workers`` 0 means the settings'
        number. Private chats and basic groups share their ids with all others: one worker walks them, several where
        a takeout session offers ranges. What ``keep`` does not want is left out of the pages. Of a ``thread`` the
        pages hold its messages alone.
        """
        number = workers or self._settings.workers
        gaps = list(gaps)
        top = max((high for _, high in gaps), default=0)
        if is_channel_id(chat_id):
            shards = plan_shards(gaps, top=top, count=count, workers=number)
        else:
            asked = number > 1 and spans_worthwhile(count) > 1
            shards = plan_spans(gaps, await self._ranges.offered() if asked else (), count=count)
            number = number if any(shard.span for shard in shards) else 1

        async def fetch(shard: Shard, worker: int) -> Page:
            return await self.prefetch.page(
                chat_id, shard.cursor, lambda: shard.high, worker=worker, keep=keep, span=shard.span, thread=thread
            )

        await walk_shards(shards, number, fetch, on_page)

    async def walk_newest(
        self,
        chat_id: int,
        gaps: Iterable[tuple[int, int]],
        on_page: OnPage,
        *,
        keep: Keep,
        limit: int,
        count: int = 0,
        thread: int = 0,
    ) -> None:
        """Fetch the ``limit`` newest messages that ``keep`` wants, between the ends of ``gaps``; newest page first."""
        gaps = list(gaps)
        low, high = min(gap[0] for gap in gaps), max(gap[1] for gap in gaps)
        while limit > 0 and high >= low:
            begin = max(low, await self._history.id_from_top(chat_id, high, LIMIT, thread=thread))
            pages = await self._pages(chat_id, begin, high, keep, thread)
            for page in reversed(pages):
                if len(page.messages) > limit:
                    newest = {message.id for message in page.messages[-limit:]} if limit else set()
                    [page] = await self._pages(chat_id, page.low, page.high, _among(newest), thread)
                limit = max(0, limit - len(page.messages))
                await on_page(page)
            high = begin - 1

    async def _pages(self, chat_id: int, low: int, high: int, keep: Keep, thread: int) -> list[Page]:
        """The pages that settle [low, high], lowest first."""
        pages: list[Page] = []
        while low <= high:
            pages.append(await self._history.page(chat_id, low, lambda: high, keep=keep, thread=thread))
            low = pages[-1].high + 1
        return pages

    async def id_before(self, chat_id: int, moment: float, *, thread: int = 0) -> int:
        """The newest id of a message older than ``moment`` (Unix seconds), 0 for none; one request."""
        return await self._history.id_before(chat_id, moment, thread=thread)

    async def id_from_top(self, chat_id: int, high: int, number: int, *, thread: int = 0) -> int:
        """The id of the ``number``-th newest message up to ``high``, 0 where there are fewer; one request."""
        return await self._history.id_from_top(chat_id, high, number, thread=thread)

    async def message_page(self, chat_id: int, message_id: int, *, keep: Keep | None = None) -> Page:
        """One message by its id, as a page; without messages when it is gone, or is not what ``keep`` wants."""
        return await self._history.message_page(chat_id, message_id, keep=keep)

    async def position(self, chat_id: int, message_id: int, *, thread: int = 0) -> tuple[int, int]:
        """The newest id up to ``message_id`` (0: none), and how many messages are newer than it; one request."""
        return await self._history.position(chat_id, message_id, thread=thread)

    async def messages_by_id(self, chat_id: int, ids: Sequence[int]) -> tuple[Page, list[int]]:
        """Messages by their ids, at most 100, as a page that settles nothing; and the ids that are gone."""
        return await self._history.messages_by_id(chat_id, ids)

    async def message(self, chat_id: int, message_id: int) -> Message | None:
        """One message by its id; None when it is gone."""
        return await self._history.message(chat_id, message_id)

    def takeout(self, scopes: Iterable[str] = ("channels",)) -> AbstractAsyncContextManager[bool]:
        """Inside, every request belongs to a takeout session; the value is False when there is none at first.

        ``scopes`` of: contacts, users, chats, megagroups, channels, files. One that has to be allowed begins when it
        is (``in_takeout``). Its finish is always sent, wrapped.
        """
        return takeout_session(
            self._invoker,
            self._takeouts,
            self.account.id,
            scopes,
            patience=self._settings.takeout_patience,
            on_event=self._on_event,
        )

    @property
    def in_takeout(self) -> bool:
        """Whether a takeout session is open now."""
        return bool(self._invoker.takeout_id)

    async def finish_stored_takeout(self) -> None:
        """Finish the takeout session that an earlier run left behind, where there is one."""
        await finish_stored(self._invoker, self._takeouts, self.account.id)

    # what happened since

    async def update_state(self) -> UpdateState:
        """The present state of private chats and basic groups; a channel's is the ``pts`` of ``full``. One request."""
        return await self._differences.now()

    async def changes(self, box: int, state: UpdateState) -> Changes:
        """One part of what happened in ``box`` (a channel, or ``COMMON``) after ``state``; one request."""
        return await self._differences.since(box, state)

    async def listen(self, heard: Callable[[PushedUpdate], None]) -> None:
        """Have Telegram push what happens, until the connection is lost: then whoever listens has to ask for all that
        happened meanwhile and listen again. Raises NetworkError when there is no connection."""
        links = self._invoker.links
        if links.on_update is None:
            await links.close()  # a connection says once, at its beginning, that it wants to be told
        links.on_update = lambda update: heard(read_update(update))
        await self.update_state()
        heard(PushedUpdate(everything=True))
        await links.lost(0, 0)

    async def peer_dialogs(self, chat_ids: Iterable[int]) -> list[PeerDialog]:
        """Chats as the list of chats tells them now, with the state of each channel; a hundred chats a request."""
        return await self._differences.peer_dialogs(chat_ids)

    # files

    async def fetch_file(
        self, item: FileItem, key: MessageKey, part: Path, *, offset: int = 0, on_progress: OnProgress | None = None
    ) -> int:
        """Write ``item`` to ``part`` from ``offset`` on (what is there already) and give the whole size in bytes.

        An expired reference is renewed by fetching message ``key`` again. Raises TransferFailed; what was written
        so far stays in ``part``. ``on_progress`` hears the number of bytes in place.
        """
        remote = item.remote
        if remote is None:
            raise TransferFailed("Telegram does not have this file.", retryable=False)

        turn, connections = next(self._file_turn), self._settings.file_connections
        workers = [_FILE_WORKERS + (turn + number) % connections for number in range(connections)]
        transfer = Transfer(
            self._invoker,
            remote,
            item.size,
            workers=workers,
            refresh=partial(self._renewed, key, remote),
            offer=self._hash_offer,
            bandwidth=self._bandwidth,
        )
        return await transfer.run(part, offset, on_progress)

    def _for_people_only(self, what: str) -> None:
        """Telegram gives bots no history (BOT_METHOD_INVALID): say so before asking."""
        if self.account.is_bot:
            raise LoginError(f"Bots may not read {what}.", "Log in with a phone number: `tobs login`.")
