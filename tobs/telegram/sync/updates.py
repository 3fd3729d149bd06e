"""Differences since a stored state, as changes of the model, and pushed updates.

A channel or supergroup has its own pts; private chats and basic groups share the account's. New, edited, deleted
and pinned messages come this way; reactions, views and polls may be missing (they have no pts).
Source: https://core.telegram.org/api/updates
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from loguru import logger
from msgspec import Struct
from telethon.tl import functions, types
from telethon.tl.alltlobjects import LAYER

from tobs.errors import RequestRefused
from tobs.model import (
    COMMON,
    Changes,
    Chat,
    Message,
    Page,
    Person,
    Pins,
    UpdateState,
    marked_channel,
)
from tobs.telegram.client.history import CONVERSION_ERRORS
from tobs.telegram.client.peers import PeerDirectory
from tobs.telegram.convert import chat_of, marked, message_of, person_of
from tobs.telegram.convert.peers import marked_object
from tobs.telegram.net.events import MessageUnreadable, OnEvent
from tobs.telegram.net.invoker import Invoker
from tobs.telegram.net.reader import pack_messages, pack_tail

#: Largest number of changes of a channel in one part, and of dialogs in one request.
_LIMIT = 100
_DIALOGS_PER_REQUEST = 100

# A state that Telegram no longer accepts, or an answer newer than this layer: the chats are rescanned.
_NO_DIFFERENCE = frozenset({"PERSISTENT_TIMESTAMP_EMPTY", "PERSISTENT_TIMESTAMP_INVALID", "LAYER"})
_CHAT_INFO_ACTIONS = (
    types.MessageActionChatEditTitle,
    types.MessageActionChatEditPhoto,
    types.MessageActionChatDeletePhoto,
    types.MessageActionChatMigrateTo,
    types.MessageActionPinMessage,
)


class PushedUpdate(Struct, frozen=True):
    """Contents of a pushed update: boxes to fetch differences of, and messages (chat, id) whose counters changed.

    ``everything``: updates may have been missed, so all boxes have to be fetched.
    """

    boxes: frozenset[int] = frozenset()
    counted: tuple[tuple[int, int], ...] = ()
    everything: bool = False


class PeerDialog(Struct, frozen=True):
    """A chat as the dialog list has it: its newest message id and, for a channel, the pts of its box."""

    chat: Chat
    top: int
    pts: int


class Differences:
    """Requests for differences. ``me`` is the account's user id."""

    def __init__(self, invoker: Invoker, peers: PeerDirectory, *, me: int, on_event: OnEvent) -> None:
        self._invoker = invoker
        self._peers = peers
        self._me = me
        self._on_event = on_event

    async def current_state(self) -> UpdateState:
        """Return the present state of the account's box."""
        return _state(await self._invoker(functions.updates.GetStateRequest()))

    async def difference(self, box: int, state: UpdateState) -> Changes:
        """Return one part of the changes in ``box`` after ``state``; one request. Raises RequestRefused."""
        try:
            return await (self._account_difference(state) if box == COMMON else self._channel_difference(box, state))
        except RequestRefused as refused:
            if refused.name not in _NO_DIFFERENCE:
                raise
            logger.info("no difference of {} ({}): rescan", box or "the account", refused.name)
            return Changes(box=box, state=await self._state_of(box), too_long=True)

    async def peer_dialogs(self, chat_ids: Iterable[int]) -> list[PeerDialog]:
        """Return chats as the dialog list has them now, a hundred a request. Unavailable ones are left out."""
        ids = list(chat_ids)
        found: list[PeerDialog] = []
        for start in range(0, len(ids), _DIALOGS_PER_REQUEST):
            found += await self._peer_dialogs(ids[start : start + _DIALOGS_PER_REQUEST])
        return found

    async def _peer_dialogs(self, chat_ids: Sequence[int]) -> list[PeerDialog]:
        peers = [types.InputDialogPeer(await self._peers.input_peer(chat_id)) for chat_id in chat_ids]
        try:
            answer = await self._invoker(functions.messages.GetPeerDialogsRequest(peers))
        except RequestRefused as refused:
            if refused.code not in (400, 403):
                raise
            if len(chat_ids) == 1:
                return []
            half = len(chat_ids) // 2  # one unavailable chat makes the whole request fail
            return await self._peer_dialogs(chat_ids[:half]) + await self._peer_dialogs(chat_ids[half:])
        self._peers.remember(answer.users, answer.chats)
        objects = {marked_object(item): item for item in (*answer.users, *answer.chats)}
        found: list[PeerDialog] = []
        for dialog in answer.dialogs:
            chat = chat_of(objects.get(marked(dialog.peer)), top=dialog.top_message, pts=dialog.pts or 0)
            if chat is not None:
                found.append(PeerDialog(chat, dialog.top_message, dialog.pts or 0))
        return found

    async def _state_of(self, box: int) -> UpdateState:
        return await self.current_state() if box == COMMON else UpdateState((await self._peers.full(box)).pts)

    async def _account_difference(self, state: UpdateState) -> Changes:
        request = functions.updates.GetDifferenceRequest(pts=state.pts, date=state.date, qts=state.qts)
        answer = await self._invoker(request)
        match answer:
            case types.updates.DifferenceEmpty():
                return Changes(box=COMMON, state=UpdateState(state.pts, answer.date, state.qts, answer.seq))
            case types.updates.DifferenceTooLong():
                return Changes(box=COMMON, state=await self.current_state(), too_long=True)
            case types.updates.DifferenceSlice():
                return self._changes_from(COMMON, answer, _state(answer.intermediate_state), is_last=False)
        return self._changes_from(COMMON, answer, _state(answer.state), is_last=True)

    async def _channel_difference(self, chat_id: int, state: UpdateState) -> Changes:
        channel = await self._peers.input_channel(chat_id)
        request = functions.updates.GetChannelDifferenceRequest(
            channel=channel, filter=types.ChannelMessagesFilterEmpty(), pts=state.pts, limit=_LIMIT
        )
        answer = await self._invoker(request)
        timeout = answer.timeout or 0
        match answer:
            case types.updates.ChannelDifferenceEmpty():
                return Changes(box=chat_id, state=UpdateState(answer.pts), is_last=bool(answer.final), timeout=timeout)
            case types.updates.ChannelDifferenceTooLong():
                self._peers.remember(answer.users, answer.chats)
                pts = answer.dialog.pts or (await self._peers.full(chat_id)).pts
                return Changes(box=chat_id, state=UpdateState(pts), too_long=True, timeout=timeout)
        return self._changes_from(chat_id, answer, UpdateState(answer.pts), is_last=bool(answer.final), timeout=timeout)

    def _changes_from(self, box: int, answer: Any, state: UpdateState, *, is_last: bool, timeout: int = 0) -> Changes:
        """Convert a difference that is not empty."""
        self._peers.remember(answer.users, answer.chats)
        messages = list(answer.new_messages)
        deleted: list[int] = []
        pins: list[Pins] = []
        counted: list[tuple[int, int]] = []
        about: set[int] = set()
        for update in answer.other_updates:
            match update:
                case types.UpdateNewMessage() | types.UpdateNewChannelMessage():
                    messages.append(update.message)
                case types.UpdateEditMessage() | types.UpdateEditChannelMessage():
                    messages.append(update.message)
                case types.UpdateDeleteMessages() | types.UpdateDeleteChannelMessages():
                    deleted += update.messages
                case types.UpdatePinnedMessages():
                    pins.append(Pins(marked(update.peer), tuple(update.messages), bool(update.pinned)))
                case types.UpdatePinnedChannelMessages():
                    chat_id = marked_channel(update.channel_id)
                    pins.append(Pins(chat_id, tuple(update.messages), bool(update.pinned)))
                case types.UpdateMessageReactions():
                    counted.append((marked(update.peer), update.msg_id))
                case types.UpdateChannelMessageViews() | types.UpdateChannelMessageForwards():
                    counted.append((marked_channel(update.channel_id), update.id))
                case types.UpdateChannel():
                    about.add(marked_channel(update.channel_id))
        about.update(pin.chat_id for pin in pins)
        about.update(marked(message.peer_id) for message in messages if _changes_chat_info(message))
        people = [person for item in (*answer.users, *answer.chats) if (person := person_of(item)) is not None]
        chats = [chat for item in answer.chats if (chat := chat_of(item)) is not None]
        chats += [chat for item in answer.users if (chat := chat_of(item)) is not None]
        return Changes(
            box=box,
            state=state,
            pages=self._pages(messages, pack_tail(answer.chats, answer.users), tuple(people)),
            deleted=tuple(deleted),
            pins=tuple(pins),
            counter_changes=tuple(counted),
            chats=tuple(chats),
            changed_chats=frozenset(about),
            people=tuple(people),
            is_last=is_last,
            timeout=timeout,
        )

    def _pages(self, messages: Iterable[Any], tail: bytes, people: tuple[Person, ...]) -> tuple[Page, ...]:
        """Return the messages of each chat as a page, by id; of a repeated message the later version."""
        chats: defaultdict[int, dict[int, Any]] = defaultdict(dict)
        for message in messages:
            if isinstance(message, types.Message | types.MessageService):
                chats[marked(message.peer_id)][message.id] = message
        return tuple(self._page(chat_id, chats[chat_id], tail, people) for chat_id in sorted(chats))

    def _page(self, chat_id: int, by_id: dict[int, Any], tail: bytes, people: tuple[Person, ...]) -> Page:
        converted: list[Message] = []
        raws: list[bytes] = []
        unreadable: list[tuple[int, str]] = []
        for message_id, item in sorted(by_id.items()):
            try:
                message = message_of(item, self._me)
            except CONVERSION_ERRORS as error:
                reason = f"a field that tobs did not expect ({type(error).__name__})"
                unreadable.append((message_id, reason))
                self._on_event(MessageUnreadable(chat_id, message_id, reason))
                continue
            if message is not None:
                converted.append(message)
                raws.append(bytes(item))
        return Page(
            chat_id=chat_id,
            low=1,
            high=0,
            messages=tuple(converted),
            people=people,
            raw=pack_messages(raws, tail) if raws else b"",
            layer=LAYER,
            unreadable=tuple(unreadable),
        )


def _state(state: Any) -> UpdateState:
    return UpdateState(state.pts, state.date, state.qts, state.seq)


def _changes_chat_info(message: Any) -> bool:
    return isinstance(message, types.MessageService) and isinstance(message.action, _CHAT_INFO_ACTIONS)


def read_update(update: Any) -> PushedUpdate:
    """Read a pushed update. Its messages are not used: the difference returns them again, in order and without gaps."""
    match update:
        case types.Updates() | types.UpdatesCombined():
            parts = update.updates
        case types.UpdateShort():
            parts = [update.update]
        case types.UpdateShortMessage() | types.UpdateShortChatMessage() | types.UpdateShortSentMessage():
            return PushedUpdate(frozenset((COMMON,)))
        case types.UpdatesTooLong():
            return PushedUpdate(everything=True)
        case _:
            return PushedUpdate()
    counted = tuple(found for part in parts if (found := _message_with_new_counters(part)) is not None)
    return PushedUpdate(frozenset(box for part in parts if (box := _box_of(part)) is not None), counted)


def _message_with_new_counters(update: Any) -> tuple[int, int] | None:
    """Return the (chat, id) of the message whose counters an update changes; None for other updates."""
    match update:
        case types.UpdateMessageReactions():
            return marked(update.peer), int(update.msg_id)
        case types.UpdateChannelMessageViews() | types.UpdateChannelMessageForwards():
            return marked_channel(update.channel_id), int(update.id)
    return None


def _box_of(update: Any) -> int | None:
    """Return the box that an update is about; None for an update without messages."""
    match update:
        case types.UpdateNewMessage() | types.UpdateEditMessage():
            return COMMON
        case types.UpdateDeleteMessages() | types.UpdatePinnedMessages():
            return COMMON
        case types.UpdateNewChannelMessage() | types.UpdateEditChannelMessage():
            return marked(update.message.peer_id)
        case types.UpdateDeleteChannelMessages() | types.UpdatePinnedChannelMessages():
            return marked_channel(update.channel_id)
        case types.UpdateChannelTooLong() | types.UpdateChannel():
            return marked_channel(update.channel_id)
    return None
