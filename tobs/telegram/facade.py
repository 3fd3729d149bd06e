"""Facade of ``tobs.telegram``: a ``Telegram`` is one logged-in account with its connections (``opening`` makes it)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct
from telethon.tl import functions

from tobs.errors import LoginError, RequestRefused, TargetNotFound
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
from tobs.telegram.client.counters import counters_request, counts_from_answer, search_request
from tobs.telegram.client.file_references import FileReferences
from tobs.telegram.client.files import FileDownloader, OnProgress
from tobs.telegram.client.history import LIMIT, History, MessageTest
from tobs.telegram.client.members import find_members
from tobs.telegram.client.peers import PeerDirectory
from tobs.telegram.client.prefetch import Prefetch
from tobs.telegram.client.shards import OnPage, Shard, max_spans, plan_shards, plan_spans, walk_shards
from tobs.telegram.client.takeout import SplitRanges, finish_stored, takeout_session
from tobs.telegram.client.targets import Targets
from tobs.telegram.convert.files import emoji_of
from tobs.telegram.net.events import OnEvent
from tobs.telegram.net.invoker import TAKEOUT_BUCKET, Invoker
from tobs.telegram.net.reader import read_history
from tobs.telegram.net.session import Account
from tobs.telegram.net.settings import TelegramSettings
from tobs.telegram.stores import Stores
from tobs.telegram.sync.updates import Differences, PeerDialog, PushedUpdate, read_update

__all__ = ["Account", "HistoryTop", "Telegram"]

_COUNTS_AT_ONCE = 8


class HistoryTop(Struct, frozen=True):
    """Newest message id of a chat (0: none) and Telegram's inexact count of its messages."""

    top: int
    count: int


def _id_filter(ids: Collection[int]) -> MessageTest:
    return lambda message: message.id in ids


class Telegram:
    """A logged-in account. Every method may raise the errors of ``tobs.errors`` under TelegramError."""

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
        self.prefetch = Prefetch(self._peers, self._history, new_history=histories, workers=settings.workers)
        self._differences = Differences(invoker, self._peers, me=account.id, on_event=on_event)
        self._ranges = SplitRanges(invoker)
        references = FileReferences(self._history, self.chat_extras, stores.post_of, on_event)
        self._files = FileDownloader(invoker, settings, references)

    @property
    def requests(self) -> Counter[str]:
        """Number of requests that were sent, by method (``messages.getHistory``)."""
        return self._invoker.requests

    async def invoke(self, request: Any, *, worker: int = 0, dc: int = 0) -> Any:
        """Send a TL request to data centre ``dc`` (0: home) and return the TL answer, dates as Unix seconds."""
        return await self._invoker(request, worker=worker, dc=dc)

    # chats

    async def chats(self, pattern: str = "") -> AsyncIterator[Chat]:
        """Yield every dialog whose title or username contains ``pattern``, newest first, archived ones last."""
        self._refuse_bots("a list of chats")
        wanted = pattern.casefold().removeprefix("@")
        for chat in await self._targets.all_chats():
            if wanted in chat.title.casefold() or wanted in chat.username.casefold():
                yield chat

    async def resolve(self, target: str, *, join: bool = False) -> Chat:
        """Return the chat that a TARGET names, with about, members and pinned messages.

        The account joins the chat of an invite link only with ``join``. Raises TargetNotFound, RequestRefused.
        """
        self._refuse_bots("the history of a chat")
        return await self._targets.resolve(target, join=join)

    async def expand(self, target: str, *, join: bool = False) -> list[Chat]:
        """Return the chats that a TARGET names: one, or those of ``folder:NAME``, which may lack the fields of
        ``full``."""
        self._refuse_bots("the history of a chat")
        return await self._targets.expand(target, join=join)

    async def dialogs(self) -> list[Chat]:
        """Return every chat of the account's dialog list, archived ones included, without the fields of ``full``."""
        self._refuse_bots("a list of chats")
        return await self._targets.all_chats()

    async def members(self, chat_id: int, name: str) -> list[Person]:
        """Return the members of a chat whose name contains ``name``, also of a private chat. Raises RequestRefused."""
        return await find_members(self._invoker, self._peers, chat_id, name)

    async def left_channels(self) -> list[Chat]:
        """Return the channels and supergroups that the account has left; only inside a takeout session."""
        return await self._peers.left_channels()

    async def full(self, chat_id: int) -> Chat:
        """Return a chat by its marked id, with about, members, pinned messages and the group it was migrated from."""
        return await self.prefetch.full(chat_id)

    async def custom_emoji(self, ids: Sequence[int]) -> dict[int, str]:
        """Return the emoji of up to 200 custom emoji ids, for those that Telegram knows; one request."""
        answer = await self._invoker(functions.messages.GetCustomEmojiDocumentsRequest(list(ids)))
        return emoji_of(answer)

    async def counters(self, chat_id: int) -> dict[str, int]:
        """Return the number of messages of each kind (photo, video, voice ...) by Telegram's count; one request."""
        return counts_from_answer(await self._invoker(counters_request(await self._peers.input_peer(chat_id))))

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
        """Count the messages of ``kind`` (of ``SEARCHED_KINDS``, "": any) and ``sender``, and return the newest
        ``limit``.

        ``since`` and ``until`` are Unix times in seconds, 0: no bound. One request.
        """
        from_id = await self._peers.input_peer(sender) if sender else None
        peer, bounds = await self._peers.input_peer(chat_id), {"since": since, "until": until}
        request = search_request(peer, kind=kind, sender=from_id, thread=thread, limit=limit, **bounds)
        body = await self._invoker.raw(request)
        return read_history(body).count, self._history.read_messages(body)

    async def sample(self, chat_id: int, high: int, skip: int, *, thread: int = 0) -> list[Message]:
        """Return up to 100 messages behind the ``skip`` newest ones with ``id <= high``, newest first; one request."""
        return await self._history.sample(chat_id, high, skip, thread=thread)

    def interval(self, method: str, *, in_takeout: bool = False) -> float:
        """Return the learned pace of a method: seconds between two calls, 0 before any flood wait."""
        return self._invoker.ledger.interval(method, bucket=TAKEOUT_BUCKET if in_takeout else "")

    # history

    async def history_top(self, chat_id: int, *, thread: int = 0) -> HistoryTop:
        """Return newest id and count of a chat, or of a ``thread`` in it (topic id, channel post id); one request."""
        self._refuse_bots("the history of a chat")
        return HistoryTop(*await self.prefetch.top(chat_id, thread=thread))

    async def counts(self, chat_ids: Iterable[int]) -> dict[int, int]:
        """Return the message counts of chats, one request each, several at once.

        Chats that Telegram refuses are left out, and after a flood wait that is too long, the rest.
        """
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
        self,
        chat_id: int,
        cursor: int,
        high: int,
        *,
        worker: int = 0,
        keep: MessageTest | None = None,
        thread: int = 0,
    ) -> Page:
        """Return the up to 100 messages with ``cursor <= id <= high`` nearest to ``cursor``.

        The page settles [cursor, page.high], unless ``keep`` left a message out or it is of a ``thread``.
        """
        return await self._history.page(chat_id, cursor, lambda: high, worker=worker, keep=keep, thread=thread)

    async def walk(
        self,
        chat_id: int,
        gaps: Iterable[tuple[int, int]],
        on_page: OnPage,
        *,
        count: int = 0,
        workers: int = 0,
        keep: MessageTest | None = None,
        thread: int = 0,
    ) -> None:
        """Fetch every message of the id intervals ``gaps`` (inclusive) with the worker pool, lowest first.

        ``on_page`` is awaited for each page, by several workers at once; a slow one slows the walk (backpressure).
        ``count`` is that of ``history_top`` (for the density); ``workers`` 0 means the number in the settings. Private
        chats and basic groups share their ids with each other: one worker fetches them, or several where a takeout
        session offers ranges. Messages that ``keep`` rejects are left out of the pages. The pages of a ``thread`` hold
        its messages alone.
        """
        number = workers or self._settings.workers
        gaps = list(gaps)
        top = max((high for _, high in gaps), default=0)
        if is_channel_id(chat_id):
            shards = plan_shards(gaps, top=top, count=count, workers=number)
        else:
            use_ranges = number > 1 and max_spans(count) > 1
            shards = plan_spans(gaps, await self._ranges.offered() if use_ranges else (), count=count)
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
        keep: MessageTest,
        limit: int,
        count: int = 0,
        thread: int = 0,
    ) -> None:
        """Fetch the ``limit`` newest messages that ``keep`` accepts, within the ends of ``gaps``, newest page first."""
        gaps = list(gaps)
        low, high = min(gap[0] for gap in gaps), max(gap[1] for gap in gaps)
        while limit > 0 and high >= low:
            begin = max(low, await self._history.id_from_top(chat_id, high, LIMIT, thread=thread))
            pages = await self._pages(chat_id, begin, high, keep, thread)
            for page in reversed(pages):
                if len(page.messages) > limit:
                    newest = {message.id for message in page.messages[-limit:]} if limit else set()
                    [page] = await self._pages(chat_id, page.low, page.high, _id_filter(newest), thread)
                limit = max(0, limit - len(page.messages))
                await on_page(page)
            high = begin - 1

    async def _pages(self, chat_id: int, low: int, high: int, keep: MessageTest, thread: int) -> list[Page]:
        """Return the pages that settle [low, high], lowest first."""
        pages: list[Page] = []
        while low <= high:
            pages.append(await self._history.page(chat_id, low, lambda: high, keep=keep, thread=thread))
            low = pages[-1].high + 1
        return pages

    async def id_before(self, chat_id: int, moment: float, *, thread: int = 0) -> int:
        """Return the newest id of a message older than ``moment`` (Unix seconds), 0 for none; one request."""
        return await self._history.id_before(chat_id, moment, thread=thread)

    async def id_from_top(self, chat_id: int, high: int, number: int, *, thread: int = 0) -> int:
        """Return the id of the ``number``-th newest message up to ``high``, 0 when there are fewer; one request."""
        return await self._history.id_from_top(chat_id, high, number, thread=thread)

    async def message_page(self, chat_id: int, message_id: int, *, keep: MessageTest | None = None) -> Page:
        """Return one message by its id as a page; the page is empty when it is gone, or ``keep`` rejects it."""
        return await self._history.message_page(chat_id, message_id, keep=keep)

    async def position(self, chat_id: int, message_id: int, *, thread: int = 0) -> tuple[int, int]:
        """Return the newest id up to ``message_id`` (0: none) and the number of messages newer than it; one request."""
        return await self._history.position(chat_id, message_id, thread=thread)

    async def messages_by_id(self, chat_id: int, ids: Sequence[int]) -> tuple[Page, list[int]]:
        """Return at most 100 messages by their ids, as a page that settles nothing, and the ids that are gone."""
        return await self._history.messages_by_id(chat_id, ids)

    async def message(self, chat_id: int, message_id: int) -> Message | None:
        """Return one message by its id; None when it is gone."""
        return await self._history.message(chat_id, message_id)

    def takeout(self, scopes: Iterable[str] = ("channels",)) -> AbstractAsyncContextManager[bool]:
        """Send every request inside as part of a takeout session; the value is False when there is none at first.

        ``scopes`` of: contacts, users, chats, megagroups, channels, files. A session that the user has to allow starts
        when it is allowed (``in_takeout``). The session is always finished.
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
        """True while a takeout session is open."""
        return bool(self._invoker.takeout_id)

    async def finish_stored_takeout(self) -> None:
        """Finish the takeout session that an earlier run left behind, if there is one."""
        await finish_stored(self._invoker, self._takeouts, self.account.id)

    # updates

    async def update_state(self) -> UpdateState:
        """Return the present state of private chats and basic groups; a channel's is the ``pts`` of ``full``. One
        request."""
        return await self._differences.current_state()

    async def changes(self, box: int, state: UpdateState) -> Changes:
        """Return one part of the changes of ``box`` (a channel, or ``COMMON``) after ``state``; one request."""
        return await self._differences.difference(box, state)

    async def listen(self, on_update: Callable[[PushedUpdate], None]) -> None:
        """Receive the updates that Telegram pushes, until the connection is lost.

        After that the caller has to fetch the differences of all boxes and listen again. Raises NetworkError when there
        is no connection.
        """
        connections = self._invoker.connections
        if connections.on_update is None:
            await connections.close()  # a connection enables updates only with its first request
        connections.on_update = lambda update: on_update(read_update(update))
        await self.update_state()
        on_update(PushedUpdate(everything=True))
        await connections.wait_closed(0, 0)

    async def peer_dialogs(self, chat_ids: Iterable[int]) -> list[PeerDialog]:
        """Return chats as the dialog list has them now, with the state of each channel; a hundred chats a request."""
        return await self._differences.peer_dialogs(chat_ids)

    # files

    async def fetch_file(
        self, item: FileItem, key: MessageKey, part: Path, *, offset: int = 0, on_progress: OnProgress | None = None
    ) -> int:
        """Write ``item`` to ``part`` from ``offset`` on and return the whole size in bytes.

        Bytes before ``offset`` are in ``part`` already. An expired reference is renewed by fetching message ``key``
        again. ``on_progress`` receives the number of bytes in ``part``. Raises TransferFailed; the bytes written so far
        stay in ``part``.
        """
        return await self._files.fetch(item, key, part, offset=offset, on_progress=on_progress)

    def _refuse_bots(self, what: str) -> None:
        """Raise LoginError for a bot: Telegram gives bots no history (BOT_METHOD_INVALID)."""
        if self.account.is_bot:
            raise LoginError(f"Bots may not read {what}.", "Log in with a phone number: `tobs login`.")
