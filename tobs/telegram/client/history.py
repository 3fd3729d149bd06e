"""Requests for the history of a chat in ascending order; each answer becomes a page with the ids that it settles.

messages.getHistory with ``offset_id=cursor, add_offset=-100, limit=100`` returns the up to 100 messages with ``id >=
cursor`` nearest to it. Source: https://core.telegram.org/api/offsets
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from loguru import logger
from msgspec import Struct
from msgspec.structs import asdict, replace
from telethon.tl import functions, types
from telethon.tl.alltlobjects import LAYER

from tobs.model import Message, Page, Person, is_channel_id
from tobs.telegram.client.peers import PeerDirectory
from tobs.telegram.client.shards import Span
from tobs.telegram.convert import message_of, person_of
from tobs.telegram.convert.basics import unix_time
from tobs.telegram.net.events import MessageUnreadable, OnEvent
from tobs.telegram.net.invoker import Invoker
from tobs.telegram.net.reader import HistoryAnswer, pack_messages, read_history

LIMIT = 100
MessageTest = Callable[[Message], bool]
"""Predicate for the messages to keep."""
_ABOVE_TOP = 10 * LIMIT
_PEOPLE_KEPT = 50_000
CONVERSION_ERRORS = (AttributeError, TypeError, ValueError, KeyError, OverflowError)
"""Errors of the conversion of a message with unexpected fields."""


def settled_range(cursor: int, high: int, ids: Iterable[int]) -> tuple[int, list[int]]:
    """Return the last id that an answer for ``cursor`` settles, and those of ``ids`` that belong to the page.

    ``ids`` are the ids of the answer, the nearest ones with ``id >= cursor``. An answer with fewer messages than
    requested is not the end: only an empty answer, or one that reaches ``high``, is. Ids beyond ``high`` belong to
    another shard.
    """
    inside = sorted({number for number in ids if number >= cursor})
    if not inside:
        return high, []
    return min(high, inside[-1]), [number for number in inside if number <= high]


def matching_indexes(messages: list[Message], keep: MessageTest) -> list[int]:
    """Return the indexes of the messages that ``keep`` accepts; an accepted message brings the rest of its album."""
    fits = [keep(message) for message in messages]
    albums = {message.album_id for message, fit in zip(messages, fits, strict=True) if fit and message.album_id}
    return [index for index, message in enumerate(messages) if fits[index] or message.album_id in albums]


def _as_thread_page(page: Page) -> Page:
    """Mark a page as a part of its chat. Comments belong to the discussion group, but are requested at the channel."""
    chat_id = page.messages[0].chat_id if page.messages else page.chat_id
    return replace(page, chat_id=chat_id, is_part=True)


class _Window(Struct, frozen=True):
    """The offset fields of messages.getHistory. Source: https://core.telegram.org/api/offsets"""

    offset_id: int
    add_offset: int
    limit: int
    offset_date: datetime | None = None


class History:
    """Reader of pages of any chat. ``me`` is the account's user id."""

    def __init__(self, invoker: Invoker, peers: PeerDirectory, *, me: int, on_event: OnEvent) -> None:
        self._invoker = invoker
        self._peers = peers
        self._me = me
        self._on_event = on_event
        self._people: dict[int, Person] = {}

    async def top(self, chat_id: int, *, thread: int = 0) -> tuple[int, int]:
        """Return the newest message id (0: none) and Telegram's count of messages; one request."""
        body = await self._request_history(chat_id, _Window(0, 0, 1), thread=thread)
        answer = read_history(body)
        self._peers.remember(answer.users, answer.chats)
        if answer.total and not answer.messages:
            return await self._unreadable_top(chat_id, thread), answer.count
        return (answer.messages[0][0].id if answer.messages else 0), answer.count

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
        """Return the page at ``cursor``. ``high()`` is read after the answer arrived, because it may have shrunk
        meanwhile.

        Messages that ``keep`` rejects are left out; an album is kept or left out as a whole. ``span`` is a range of ids
        that a takeout session offered: only messages in it are requested. The pages of a ``thread`` (a topic, or the
        comments of a post) hold its messages alone.
        """
        limit = LIMIT
        while True:
            body = await self._request_history(
                chat_id, _Window(cursor, -limit, limit), worker=worker, span=span, thread=thread
            )
            answer = read_history(body)
            self._peers.remember(answer.users, answer.chats)
            self._peers.remember_min_peers(chat_id, (message for message, _ in answer.messages), answer.users)
            if answer.complete:
                page = self._page(chat_id, cursor, high(), answer, keep)
                return _as_thread_page(page) if thread else page
            limit = answer.total - len(answer.messages) - 1
            if limit == 0:
                ids = [message.id for message, _ in answer.messages]
                page = await self._unreadable(chat_id, cursor, high(), min(ids, default=0), answer.reason, worker)
                return _as_thread_page(page) if thread else page

    async def id_before(self, chat_id: int, moment: float, *, thread: int = 0) -> int:
        """Return the newest id of a message older than ``moment`` (Unix seconds), 0 for none; one request."""
        when = datetime.fromtimestamp(moment, UTC)
        answer = read_history(await self._request_history(chat_id, _Window(0, 0, LIMIT, when), thread=thread))
        self._peers.remember(answer.users, answer.chats)
        ids = [message.id for message, _ in answer.messages if unix_time(message.date) < moment]
        return max(ids, default=0)

    async def id_from_top(self, chat_id: int, high: int, number: int, *, thread: int = 0) -> int:
        """Return the id of the ``number``-th newest message with ``id <= high``, 0 if there are fewer; one request."""
        answer = read_history(await self._request_history(chat_id, _Window(high + 1, number - 1, 1), thread=thread))
        self._peers.remember(answer.users, answer.chats)
        return answer.messages[0][0].id if answer.messages else 0

    async def sample(self, chat_id: int, high: int, skip: int, *, thread: int = 0) -> list[Message]:
        """Return up to 100 readable messages behind the ``skip`` newest ones with ``id <= high``, newest first; one
        request."""
        return self.read_messages(await self._request_history(chat_id, _Window(high + 1, skip, LIMIT), thread=thread))

    def read_messages(self, body: bytes) -> list[Message]:
        """Return the readable messages of an answer that settles no ids."""
        answer = read_history(body)
        self._peers.remember(answer.users, answer.chats)
        found = []
        for raw, _ in answer.messages:
            with suppress(*CONVERSION_ERRORS):
                found.append(message_of(raw, self._me))
        return [message for message in found if message is not None]

    async def position(self, chat_id: int, message_id: int, *, thread: int = 0) -> tuple[int, int]:
        """Return the newest id up to ``message_id`` (0: none) and the number of messages newer than it; one request."""
        answer = read_history(await self._request_history(chat_id, _Window(message_id + 1, 0, 1), thread=thread))
        return (answer.messages[0][0].id, answer.newer) if answer.messages else (0, answer.count)

    async def messages_by_id(self, chat_id: int, ids: Sequence[int]) -> tuple[Page, list[int]]:
        """Return at most ``LIMIT`` messages by their ids, as a page that settles nothing, and the ids that are gone.

        An unreadable message is in neither.
        """
        answer = await self.messages(chat_id, list(ids))
        if not answer.complete and len(ids) > 1:
            half = len(ids) // 2
            (first, gone), (second, more) = (
                await self.messages_by_id(chat_id, ids[:half]),
                await self.messages_by_id(chat_id, ids[half:]),
            )
            people = (*first.people, *second.people)
            # The raw bytes are two answers. These messages are refreshed, not recorded as new, and need none.
            joined = replace(first, messages=(*first.messages, *second.messages), people=people, raw=b"")
            return joined, gone + more
        page = replace(self._page(chat_id, min(ids), max(ids), answer, None), low=1, high=0)
        page = replace(page, messages=tuple(message for message in page.messages if message.chat_id == chat_id))
        returned = {message.id for message in page.messages} | {message_id for message_id, _ in page.unreadable}
        return page, [message_id for message_id in ids if message_id not in returned] if answer.complete else []

    async def messages(self, chat_id: int, ids: list[int], *, worker: int = 0) -> HistoryAnswer:
        """Request messages by their ids and return the answer with the readable ones."""
        wanted: list[Any] = [types.InputMessageID(number) for number in ids]
        if is_channel_id(chat_id):
            channel = await self._peers.input_channel(chat_id)
            request: Any = functions.channels.GetMessagesRequest(channel, wanted)
        else:
            request = functions.messages.GetMessagesRequest(wanted)
        answer = read_history(await self._invoker.raw(request, worker=worker))
        self._peers.remember(answer.users, answer.chats)
        return answer

    async def message(self, chat_id: int, message_id: int) -> Message | None:
        """Return one message; None when it is gone."""
        answer = await self.messages(chat_id, [message_id])
        return next((found for raw, _ in answer.messages if (found := message_of(raw, self._me)) is not None), None)

    async def message_in_thread(self, chat_id: int, thread: int, message_id: int) -> Message | None:
        """Return a message of a thread; None when it is gone. Works where the message's own chat may not be read."""
        answer = read_history(await self._request_history(chat_id, _Window(message_id + 1, 0, 1), thread=thread))
        self._peers.remember(answer.users, answer.chats)
        found = next((message_of(raw, self._me) for raw, _ in answer.messages), None)
        return found if found is not None and found.id == message_id else None

    async def message_page(self, chat_id: int, message_id: int, *, keep: MessageTest | None = None) -> Page:
        """Return one message by its id as a page that settles it; the page is empty when the message is gone."""
        answer = await self.messages(chat_id, [message_id])
        if not answer.complete:
            return await self._unreadable(chat_id, message_id, message_id, 0, answer.reason, 0)
        return self._page(chat_id, message_id, message_id, answer, keep)

    async def _unreadable_top(self, chat_id: int, thread: int) -> int:
        """Return the newest id when that message is unreadable: search above the newest readable message."""
        below = read_history(await self._request_history(chat_id, _Window(0, 1, LIMIT), thread=thread))
        known = below.messages[0][0].id if below.messages else 0
        return await self._find_unreadable(chat_id, known + 1, known + _ABOVE_TOP, 0) or known

    async def _request_history(
        self, chat_id: int, window: _Window, *, worker: int = 0, span: Span | None = None, thread: int = 0
    ) -> bytes:
        """Send messages.getHistory, or messages.getReplies for a thread; both count offsets in the same way."""
        offsets = {**asdict(window), "max_id": 0, "min_id": 0, "hash": 0}
        peer = await self._peers.input_peer(chat_id)
        if thread:
            return await self._invoker.raw(functions.messages.GetRepliesRequest(peer, thread, **offsets), worker=worker)
        request = functions.messages.GetHistoryRequest(peer, **offsets)
        if span is not None:
            request = functions.InvokeWithMessagesRangeRequest(types.MessageRange(*span), request)
        return await self._invoker.raw(request, worker=worker)

    def _page(self, chat_id: int, cursor: int, high: int, answer: HistoryAnswer, keep: MessageTest | None) -> Page:
        by_id = {message.id: (message, raw) for message, raw in answer.messages}
        settled, page_ids = settled_range(cursor, high, by_id)
        messages: list[Message] = []
        raws: list[bytes] = []
        unreadable: list[tuple[int, str]] = []
        for number in page_ids:
            tl, raw = by_id[number]
            try:
                message = message_of(tl, self._me)
            except CONVERSION_ERRORS as error:
                reason = f"a field that tobs did not expect ({type(error).__name__})"
                unreadable.append((number, reason))
                self._on_event(MessageUnreadable(chat_id, number, reason))
                continue
            if message is not None:
                messages.append(message)
                raws.append(raw)
        found = len(messages)
        if keep is not None:
            wanted = matching_indexes(messages, keep)
            raws = [raws[index] for index in wanted]
            messages = [messages[index] for index in wanted]
        if answer.reason:
            logger.warning("people of a page of chat {} cannot be read: {}", chat_id, answer.reason)
        return Page(
            chat_id=chat_id,
            low=cursor,
            high=settled,
            messages=tuple(messages),
            people=self._new_people(answer),
            raw=pack_messages(raws, answer.tail) if raws else b"",
            layer=LAYER,
            unreadable=tuple(unreadable),
            left_out=found - len(messages),
        )

    def _new_people(self, answer: HistoryAnswer) -> tuple[Person, ...]:
        """Return the senders and forward origins of an answer that this run has not returned yet, or not with these
        fields."""
        if len(self._people) > _PEOPLE_KEPT:
            self._people.clear()
        new_people: list[Person] = []
        for item in (*answer.users, *answer.chats):
            person = person_of(item)
            if person is not None and self._people.get(person.id) != person:
                self._people[person.id] = person
                new_people.append(person)
        return tuple(new_people)

    async def _unreadable(self, chat_id: int, cursor: int, high: int, newer: int, reason: str, worker: int) -> Page:
        """Settle the one message at or above ``cursor`` that is unreadable, by finding its id.

        ``newer`` is the id of the readable message after it, 0 for none.
        """
        limit = min(high, newer - 1) if newer else high
        found = await self._find_unreadable(chat_id, cursor, limit, worker)
        if not found:  # it is beyond this shard
            return Page(chat_id=chat_id, low=cursor, high=limit, messages=())
        self._on_event(MessageUnreadable(chat_id, found, reason))
        return Page(chat_id=chat_id, low=cursor, high=found, messages=(), unreadable=((found, reason),))

    async def _find_unreadable(self, chat_id: int, low: int, high: int, worker: int) -> int:
        """Return the id in [low, high] of the unreadable message, 0 for none: request growing ranges, then halve."""
        size = 1
        while low <= high:
            last = min(high, low + size - 1)
            answer = await self.messages(chat_id, list(range(low, last + 1)), worker=worker)
            if answer.complete:
                low, size = last + 1, min(LIMIT, size * 4)
            elif low == last:
                return low
            else:
                high, size = last, max(1, (last - low + 1) // 2)
        return 0
