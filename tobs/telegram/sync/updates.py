"""What happened since: Telegram's differences from a stored state, as changes of the model.

A channel or supergroup counts its own pts; private chats and basic groups share the account's. New, edited, deleted
and pinned messages come this way; reactions, views and polls need not (they carry no pts).
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
from tobs.telegram.client.history import BROKEN
from tobs.telegram.client.peers import PeerDirectory
from tobs.telegram.convert import chat_of, marked, message_of, person_of
from tobs.telegram.convert.peers import marked_object
from tobs.telegram.net.events import MessageUnreadable, OnEvent
from tobs.telegram.net.invoker import Invoker
from tobs.telegram.net.reader import pack_messages, pack_tail

#: Most changes of a channel in one part, and most chats asked about together.
_LIMIT = 100
_TOGETHER = 100

# A state that Telegram does not take any more, or an answer newer than this layer: the chats are looked through.
_NO_DIFFERENCE = frozenset({"PERSISTENT_TIMESTAMP_EMPTY", "PERSISTENT_TIMESTAMP_INVALID", "LAYER"})
_ABOUT = (
    types.MessageActionChatEditTitle,
    types.MessageActionChatEditPhoto,
    types.MessageActionChatDeletePhoto,
    types.MessageActionChatMigrateTo,
    types.MessageActionPinMessage,
)


class PushedUpdate(Struct, frozen=True):
    """What a push says has changed: boxes to ask about, messages (chat, id) whose counters moved. ``everything``:
    nobody listened for a while."""

    boxes: frozenset[int] = frozenset()
    counted: tuple[tuple[int, int], ...] = ()
    everything: bool = False


class PeerDialog(Struct, frozen=True):
    """A chat as the list of chats tells it: its newest message and, of a channel, the state of its box."""

    chat: Chat
    top: int
    pts: int


class Differences:
    """Asks what happened. ``me`` is the account's user id."""

    def __init__(self, invoker: Invoker, peers: PeerDirectory, *, me: int, on_event: OnEvent) -> None:
        self._invoker = invoker
        self._peers = peers
        self._me = me
        self._on_event = on_event

    async def now(self) -> UpdateState:
        """The state of the account's box at present."""
        return _state(await self._invoker(functions.updates.GetStateRequest()))

    async def since(self, box: int, state: UpdateState) -> Changes:
        """One part of what happened in ``box`` after ``state``; one request. Raises RequestRefused."""
        try:
            return await (self._of_account(state) if box == COMMON else self._of_channel(box, state))
        except RequestRefused as refused:
            if refused.name not in _NO_DIFFERENCE:
                raise
            logger.info("no difference of {} ({}): it is looked through", box or "the account", refused.name)
            return Changes(box=box, state=await self._state_of(box), too_long=True)

    async def peer_dialogs(self, chat_ids: Iterable[int]) -> list[PeerDialog]:
        """Chats as the list of chats has them now, a hundred a request. One that cannot be had is left out."""
        ids = list(chat_ids)
        found: list[PeerDialog] = []
        for start in range(0, len(ids), _TOGETHER):
            found += await self._listed(ids[start : start + _TOGETHER])
        return found

    async def _listed(self, chat_ids: Sequence[int]) -> list[PeerDialog]:
        peers = [types.InputDialogPeer(await self._peers.input_peer(chat_id)) for chat_id in chat_ids]
        try:
            answer = await self._invoker(functions.messages.GetPeerDialogsRequest(peers))
        except RequestRefused as refused:
            if refused.code not in (400, 403):
                raise
            if len(chat_ids) == 1:
                return []
            half = len(chat_ids) // 2  # one chat that cannot be had spoils the answer for all
            return await self._listed(chat_ids[:half]) + await self._listed(chat_ids[half:])
        self._peers.remember(answer.users, answer.chats)
        objects = {marked_object(item): item for item in (*answer.users, *answer.chats)}
        found: list[PeerDialog] = []
        for dialog in answer.dialogs:
            chat = chat_of(objects.get(marked(dialog.peer)), top=dialog.top_message, pts=dialog.pts or 0)
            if chat is not None:
                found.append(PeerDialog(chat, dialog.top_message, dialog.pts or 0))
        return found

    async def _state_of(self, box: int) -> UpdateState:
        return await self.now() if box == COMMON else UpdateState((await self._peers.full(box)).pts)

    async def _of_account(self, state: UpdateState) -> Changes:
        request = functions.updates.GetDifferenceRequest(pts=state.pts, date=state.date, qts=state.qts)
        answer = await self._invoker(request)
        match answer:
            case types.updates.DifferenceEmpty():
                return Changes(box=COMMON, state=UpdateState(state.pts, answer.date, state.qts, answer.seq))
            case types.updates.DifferenceTooLong():
                return Changes(box=COMMON, state=await self.now(), too_long=True)
            case types.updates.DifferenceSlice():
                return self._read(COMMON, answer, _state(answer.intermediate_state), is_last=False)
        return self._read(COMMON, answer, _state(answer.state), is_last=True)

    async def _of_channel(self, chat_id: int, state: UpdateState) -> Changes:
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
        return self._read(chat_id, answer, UpdateState(answer.pts), is_last=bool(answer.final), timeout=timeout)

    def _read(self, box: int, answer: Any, state: UpdateState, *, is_last: bool, timeout: int = 0) -> Changes:
        """A difference with something in it."""
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
        about.update(marked(message.peer_id) for message in messages if _tells_about_its_chat(message))
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
        """The messages of each chat as a page, by id; of one that is there twice, the later."""
        chats: defaultdict[int, dict[int, Any]] = defaultdict(dict)
        for message in messages:
            if isinstance(message, types.Message | types.MessageService):
                chats[marked(message.peer_id)][message.id] = message
        return tuple(self._page(chat_id, chats[chat_id], tail, people) for chat_id in sorted(chats))

    def _page(self, chat_id: int, by_id: dict[int, Any], tail: bytes, people: tuple[Person, ...]) -> Page:
        kept: list[Message] = []
        raws: list[bytes] = []
        unreadable: list[tuple[int, str]] = []
        for message_id, item in sorted(by_id.items()):
            try:
                message = message_of(item, self._me)
            except BROKEN as error:
                reason = f"a field that tobs did not expect ({type(error).__name__})"
                unreadable.append((message_id, reason))
                self._on_event(MessageUnreadable(chat_id, message_id, reason))
                continue
            if message is not None:
                kept.append(message)
                raws.append(bytes(item))
        return Page(
            chat_id=chat_id,
            low=1,
            high=0,
            messages=tuple(kept),
            people=people,
            raw=pack_messages(raws, tail) if raws else b"",
            layer=LAYER,
            unreadable=tuple(unreadable),
        )


def _state(state: Any) -> UpdateState:
    return UpdateState(state.pts, state.date, state.qts, state.seq)


def _tells_about_its_chat(message: Any) -> bool:
    return isinstance(message, types.MessageService) and isinstance(message.action, _ABOUT)


def read_update(update: Any) -> PushedUpdate:
    """What an update that Telegram pushed is about. What it says is not used: the difference says it again, in order
    and without holes."""
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
    counted = tuple(found for part in parts if (found := _counted(part)) is not None)
    return PushedUpdate(frozenset(box for part in parts if (box := _box_of(part)) is not None), counted)


def _counted(update: Any) -> tuple[int, int] | None:
    """The message whose counters an update tells."""
    match update:
        case types.UpdateMessageReactions():
            return marked(update.peer), int(update.msg_id)
        case types.UpdateChannelMessageViews() | types.UpdateChannelMessageForwards():
            return marked_channel(update.channel_id), int(update.id)
    return None


def _box_of(update: Any) -> int | None:
    """The box that an update is about; None for what is no message's."""
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
