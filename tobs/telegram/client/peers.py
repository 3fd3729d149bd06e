"""Who is who: marked ids into input peers, the list of dialogs, and what only a full request tells of a chat."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from msgspec.structs import replace
from telethon.tl import functions, types

from tobs.errors import RequestRefused, TargetNotFound
from tobs.model import Chat, FileItem, bare_id, is_channel_id, marked_channel, marked_group
from tobs.model.peers import PeerRecord
from tobs.telegram.convert import chat_of, marked, record_of
from tobs.telegram.convert.files import photo_of
from tobs.telegram.convert.peers import marked_object
from tobs.telegram.net.invoker import Invoker
from tobs.telegram.stores import PeerStore

_DIALOGS = 100
_MAIN, _ARCHIVED = 0, 1


class Dialog(NamedTuple):
    """An entry of the list of chats, with the TL user, group or channel it is about."""

    chat: Chat
    entity: Any
    is_archived: bool


class PeerDirectory:
    """Peers as one account knows them. ``me`` is its user id; access hashes live in ``store``."""

    def __init__(self, invoker: Invoker, store: PeerStore, *, me: int) -> None:
        self._invoker = invoker
        self._store = store
        self._me = me
        self._kept: dict[int, PeerRecord] = {}
        self._met: dict[int, tuple[int, int]] = {}

    # what is known

    def remember(self, *objects: Iterable[Any]) -> None:
        """Keep the access hashes of users and chats that an answer brought along."""
        news: list[PeerRecord] = []
        for group in objects:
            for item in group:
                moved = getattr(item, "migrated_to", None)
                if isinstance(moved, types.InputChannel) and marked_channel(moved.channel_id) not in self._kept:
                    news.append(PeerRecord(marked_channel(moved.channel_id), moved.access_hash, "", item.title))
                record = record_of(item)
                if record is not None and self._kept.get(record.id) != record:
                    self._kept[record.id] = record
                    news.append(record)
        if news:
            self._store.put(self._me, news)

    def known_chat(self, chat_id: int) -> Chat:
        """A channel or supergroup that an answer named. Raises TargetNotFound."""
        record = self._kept.get(chat_id) or self._store.get(self._me, chat_id)
        if record is None:
            raise TargetNotFound(f"This account does not know chat {chat_id}.", "See `tobs chats`.")
        return Chat(chat_id, "supergroup", record.title, record.username, is_public=bool(record.username))

    def seen_in(self, chat_id: int, messages: Iterable[Any], people: Iterable[Any]) -> None:
        """Remember in which message of a chat people were met whose access hash an answer does not hold (``min``): by
        that message they can be asked for."""
        unknown = {marked_object(item) for item in people if getattr(item, "min", False)} - self._kept.keys()
        if unknown:
            for message in messages:
                if (sender := marked(getattr(message, "from_id", None))) in unknown:
                    self._met.setdefault(sender, (chat_id, message.id))

    async def _resolve_met(self, chat_id: int) -> None:
        """Ask for somebody by the message in which they were met."""
        home, message_id = self._met[chat_id]
        peer = await self.input_peer(home)
        if is_channel_id(chat_id):
            channel = types.InputChannelFromMessage(peer, message_id, bare_id(chat_id))
            self.remember((await self._invoker(functions.channels.GetChannelsRequest([channel]))).chats)
        else:
            user = types.InputUserFromMessage(peer, message_id, chat_id)
            self.remember(await self._invoker(functions.users.GetUsersRequest([user])))

    async def record(self, chat_id: int) -> PeerRecord:
        """The record of a marked id; the dialogs are listed when it is not known. Raises TargetNotFound."""
        if chat_id < 0 and not is_channel_id(chat_id):
            return PeerRecord(chat_id)  # basic groups need no access hash
        found = self._kept.get(chat_id) or self._store.get(self._me, chat_id)
        if found is None and chat_id in self._met:
            with suppress(RequestRefused):  # the message may be gone
                await self._resolve_met(chat_id)
            found = self._kept.get(chat_id)
        if found is None:
            async for _ in self.dialogs():
                if (found := self._kept.get(chat_id)) is not None:
                    break
        if found is None:
            raise TargetNotFound(f"This account does not know chat {chat_id}.", "See `tobs chats`.")
        self._kept[chat_id] = found
        return found

    async def input_peer(self, chat_id: int) -> Any:
        """The TL ``InputPeer`` of a marked id. Raises TargetNotFound."""
        if chat_id == self._me:
            return types.InputPeerSelf()
        record = await self.record(chat_id)
        if is_channel_id(chat_id):
            return types.InputPeerChannel(bare_id(chat_id), record.access_hash)
        if chat_id < 0:
            return types.InputPeerChat(bare_id(chat_id))
        return types.InputPeerUser(chat_id, record.access_hash)

    async def input_channel(self, chat_id: int) -> Any:
        """The TL ``InputChannel`` of a marked channel id."""
        return types.InputChannel(bare_id(chat_id), (await self.record(chat_id)).access_hash)

    # dialogs

    async def dialogs(self) -> AsyncIterator[Chat]:
        """Every dialog, newest first, the archived ones after the others; each once."""
        async for dialog in self.listing():
            yield dialog.chat

    async def listing(self) -> AsyncIterator[Dialog]:
        """Every dialog with what Telegram tells of it, in the order of ``dialogs``."""
        seen: set[int] = set()
        for folder in (_MAIN, _ARCHIVED):
            async for dialog in self._folder(folder):
                if dialog.chat.id not in seen:
                    seen.add(dialog.chat.id)
                    yield dialog

    async def left(self) -> list[Chat]:
        """Channels and supergroups the account has left; Telegram lists them only in a takeout session."""
        found: list[Chat] = []
        while True:
            answer = await self._invoker(functions.channels.GetLeftChannelsRequest(offset=len(found)))
            self.remember((), answer.chats)
            found += [chat for item in answer.chats if (chat := chat_of(item)) is not None]
            if isinstance(answer, types.messages.Chats) or not answer.chats or len(found) >= answer.count:
                return found

    async def _folder(self, folder: int) -> AsyncIterator[Dialog]:
        offset_date, offset_id, offset_peer = None, 0, types.InputPeerEmpty()
        while True:
            answer = await self._invoker(
                functions.messages.GetDialogsRequest(
                    offset_date=offset_date,
                    offset_id=offset_id,
                    offset_peer=offset_peer,
                    limit=_DIALOGS,
                    hash=0,
                    exclude_pinned=offset_id != 0,
                    folder_id=folder,
                )
            )
            if isinstance(answer, types.messages.DialogsNotModified) or not answer.dialogs:
                return
            self.remember(answer.users, answer.chats)
            objects = {marked_object(item): item for item in (*answer.users, *answer.chats)}
            dates = {(marked(item.peer_id), item.id): item.date for item in answer.messages}
            last: Any = None
            for dialog in answer.dialogs:
                if not isinstance(dialog, types.Dialog):
                    continue
                chat_id = marked(dialog.peer)
                entity = objects.get(chat_id)
                chat = chat_of(entity, top=dialog.top_message, pts=dialog.pts or 0)
                if chat is not None:
                    yield Dialog(chat, entity, folder == _ARCHIVED)
                if (chat_id, dialog.top_message) in dates:
                    last = dialog
            if isinstance(answer, types.messages.Dialogs) or last is None:
                return
            chat_id = marked(last.peer)
            if last.top_message == offset_id and dates[chat_id, last.top_message] == offset_date:
                return  # the server repeats its last page
            offset_date, offset_id = dates[chat_id, last.top_message], last.top_message
            offset_peer = await self.input_peer(chat_id)

    # a chat in full

    async def current(self, chat_id: int) -> Chat:
        """The chat in full; for a basic group that became a supergroup, the supergroup where it can be read."""
        chat = await self.full(chat_id)
        if not chat.migrated_to:
            return chat
        try:
            return await self.full(chat.migrated_to)
        except (RequestRefused, TargetNotFound):
            return chat

    async def full(self, chat_id: int) -> Chat:
        """Everything a chat's own note tells: about, members, pinned messages, linked chats."""
        peer = await self.input_peer(chat_id)
        if is_channel_id(chat_id):
            channel = types.InputChannel(peer.channel_id, peer.access_hash)
            answer = await self._invoker(functions.channels.GetFullChannelRequest(channel))
            return self._full_channel(chat_id, answer)
        if chat_id < 0:
            answer = await self._invoker(functions.messages.GetFullChatRequest(bare_id(chat_id)))
            chat = self._own(chat_id, answer)
            full = answer.full_chat
            return replace(chat, about=full.about or "", pinned=_pinned(full), photo=_photo(full.chat_photo))
        user = types.InputUserSelf() if chat_id == self._me else types.InputUser(peer.user_id, peer.access_hash)
        answer = await self._invoker(functions.users.GetFullUserRequest(user))
        chat = self._own(chat_id, answer)
        told = answer.full_user
        return replace(chat, about=told.about or "", pinned=_pinned(told), photo=_photo(told.profile_photo))

    def _full_channel(self, chat_id: int, answer: Any) -> Chat:
        full = answer.full_chat
        chat = self._own(chat_id, answer)
        return replace(
            chat,
            about=full.about or "",
            members=full.participants_count if full.participants_count is not None else chat.members,
            pts=full.pts,
            linked_chat=marked_channel(full.linked_chat_id) if full.linked_chat_id else 0,
            migrated_from=marked_group(full.migrated_from_chat_id) if full.migrated_from_chat_id else 0,
            pinned=_pinned(full),
            photo=_photo(full.chat_photo),
        )

    def _own(self, chat_id: int, answer: Any) -> Chat:
        """The chat itself out of an answer about it."""
        self.remember(answer.users, answer.chats)
        for item in (*answer.chats, *answer.users):
            if marked_object(item) == chat_id and (chat := chat_of(item)) is not None:
                return chat
        raise RequestRefused("Telegram's answer does not tell about the chat asked for.", name="PEER_ID_INVALID")


def _pinned(full: Any) -> tuple[int, ...]:
    return (full.pinned_msg_id,) if full.pinned_msg_id else ()


def _photo(photo: Any) -> FileItem | None:
    item = photo_of(photo)
    return item if item.remote is not None else None
