"""Peers of one account: marked ids to input peers, the list of dialogs, and full information about a chat."""

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
    """Entry of the dialog list, with its TL user, group or channel."""

    chat: Chat
    entity: Any
    is_archived: bool


class PeerDirectory:
    """Peers as one account knows them. ``me`` is its user id; ``store`` keeps the access hashes."""

    def __init__(self, invoker: Invoker, store: PeerStore, *, me: int) -> None:
        self._invoker = invoker
        self._store = store
        self._me = me
        self._records: dict[int, PeerRecord] = {}
        self._min_messages: dict[int, tuple[int, int]] = {}

    # access hashes

    def remember(self, *objects: Iterable[Any]) -> None:
        """Store the access hashes of the users and chats of an answer."""
        new_records: list[PeerRecord] = []
        for group in objects:
            for item in group:
                migrated = getattr(item, "migrated_to", None)
                if (
                    isinstance(migrated, types.InputChannel)
                    and marked_channel(migrated.channel_id) not in self._records
                ):
                    new_records.append(
                        PeerRecord(marked_channel(migrated.channel_id), migrated.access_hash, "", item.title)
                    )
                record = record_of(item)
                if record is not None and self._records.get(record.id) != record:
                    self._records[record.id] = record
                    new_records.append(record)
        if new_records:
            self._store.put(self._me, new_records)

    async def known_chat(self, chat_id: int) -> Chat:
        """Return a channel or supergroup that an earlier answer named. Raises TargetNotFound."""
        record = self._records.get(chat_id) or await self._store.get(self._me, chat_id)
        if record is None:
            raise TargetNotFound(f"This account does not know chat {chat_id}.", "See `tobs chats`.")
        return Chat(chat_id, "supergroup", record.title, record.username, is_public=bool(record.username))

    def remember_min_peers(self, chat_id: int, messages: Iterable[Any], people: Iterable[Any]) -> None:
        """Remember a message for each ``min`` peer, whose access hash is not in the answer.

        The message is needed to resolve the peer later. Source: https://core.telegram.org/api/min
        """
        unknown = {marked_object(item) for item in people if getattr(item, "min", False)} - self._records.keys()
        if unknown:
            for message in messages:
                if (sender := marked(getattr(message, "from_id", None))) in unknown:
                    self._min_messages.setdefault(sender, (chat_id, message.id))

    async def _resolve_min_peer(self, chat_id: int) -> None:
        """Request a ``min`` peer by the message in which it was seen."""
        chat_with_message, message_id = self._min_messages[chat_id]
        peer = await self.input_peer(chat_with_message)
        if is_channel_id(chat_id):
            channel = types.InputChannelFromMessage(peer, message_id, bare_id(chat_id))
            self.remember((await self._invoker(functions.channels.GetChannelsRequest([channel]))).chats)
        else:
            user = types.InputUserFromMessage(peer, message_id, chat_id)
            self.remember(await self._invoker(functions.users.GetUsersRequest([user])))

    async def record(self, chat_id: int) -> PeerRecord:
        """Return the record of a marked id; lists the dialogs when it is unknown. Raises TargetNotFound."""
        if chat_id < 0 and not is_channel_id(chat_id):
            return PeerRecord(chat_id)  # basic groups need no access hash
        found = self._records.get(chat_id) or await self._store.get(self._me, chat_id)
        if found is None and chat_id in self._min_messages:
            with suppress(RequestRefused):  # the message may be gone
                await self._resolve_min_peer(chat_id)
            found = self._records.get(chat_id)
        if found is None:
            async for _ in self.dialogs():
                if (found := self._records.get(chat_id)) is not None:
                    break
        if found is None:
            raise TargetNotFound(f"This account does not know chat {chat_id}.", "See `tobs chats`.")
        # A record that an answer brought while the store was asked is newer.
        return self._records.setdefault(chat_id, found)

    async def input_peer(self, chat_id: int) -> Any:
        """Return the TL ``InputPeer`` of a marked id. Raises TargetNotFound."""
        if chat_id == self._me:
            return types.InputPeerSelf()
        record = await self.record(chat_id)
        if is_channel_id(chat_id):
            return types.InputPeerChannel(bare_id(chat_id), record.access_hash)
        if chat_id < 0:
            return types.InputPeerChat(bare_id(chat_id))
        return types.InputPeerUser(chat_id, record.access_hash)

    async def input_channel(self, chat_id: int) -> Any:
        """Return the TL ``InputChannel`` of a marked channel id. Raises TargetNotFound."""
        return types.InputChannel(bare_id(chat_id), (await self.record(chat_id)).access_hash)

    # dialogs

    async def dialogs(self) -> AsyncIterator[Chat]:
        """Yield every dialog once, newest first, the archived ones after the others."""
        async for dialog in self.dialog_entries():
            yield dialog.chat

    async def dialog_entries(self) -> AsyncIterator[Dialog]:
        """Yield every dialog with its TL object, in the order of ``dialogs``."""
        seen: set[int] = set()
        for folder in (_MAIN, _ARCHIVED):
            async for dialog in self._dialogs_in_folder(folder):
                if dialog.chat.id not in seen:
                    seen.add(dialog.chat.id)
                    yield dialog

    async def left_channels(self) -> list[Chat]:
        """Return the channels and supergroups that the account has left; needs a takeout session."""
        found: list[Chat] = []
        while True:
            answer = await self._invoker(functions.channels.GetLeftChannelsRequest(offset=len(found)))
            self.remember((), answer.chats)
            found += [chat for item in answer.chats if (chat := chat_of(item)) is not None]
            if isinstance(answer, types.messages.Chats) or not answer.chats or len(found) >= answer.count:
                return found

    async def _dialogs_in_folder(self, folder: int) -> AsyncIterator[Dialog]:
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

    # full chats

    async def current_chat(self, chat_id: int) -> Chat:
        """Return the full chat; for a basic group that became a supergroup, the supergroup where it can be read."""
        chat = await self.full(chat_id)
        if not chat.migrated_to:
            return chat
        try:
            return await self.full(chat.migrated_to)
        except (RequestRefused, TargetNotFound):
            return chat

    async def full(self, chat_id: int) -> Chat:
        """Return a chat with about, members, pinned messages, linked chats. Raises TargetNotFound, RequestRefused."""
        peer = await self.input_peer(chat_id)
        if is_channel_id(chat_id):
            channel = types.InputChannel(peer.channel_id, peer.access_hash)
            answer = await self._invoker(functions.channels.GetFullChannelRequest(channel))
            return self._full_channel(chat_id, answer)
        if chat_id < 0:
            answer = await self._invoker(functions.messages.GetFullChatRequest(bare_id(chat_id)))
            chat = self._chat_in_answer(chat_id, answer)
            full = answer.full_chat
            return replace(chat, about=full.about or "", pinned=_pinned(full), photo=_photo(full.chat_photo))
        user = types.InputUserSelf() if chat_id == self._me else types.InputUser(peer.user_id, peer.access_hash)
        answer = await self._invoker(functions.users.GetFullUserRequest(user))
        chat = self._chat_in_answer(chat_id, answer)
        full_user = answer.full_user
        return replace(
            chat, about=full_user.about or "", pinned=_pinned(full_user), photo=_photo(full_user.profile_photo)
        )

    def _full_channel(self, chat_id: int, answer: Any) -> Chat:
        full = answer.full_chat
        chat = self._chat_in_answer(chat_id, answer)
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

    def _chat_in_answer(self, chat_id: int, answer: Any) -> Chat:
        """Return the chat out of an answer about it. Raises RequestRefused when it is missing."""
        self.remember(answer.users, answer.chats)
        for item in (*answer.chats, *answer.users):
            if marked_object(item) == chat_id and (chat := chat_of(item)) is not None:
                return chat
        raise RequestRefused("Telegram's answer does not contain the requested chat.", name="PEER_ID_INVALID")


def _pinned(full: Any) -> tuple[int, ...]:
    return (full.pinned_msg_id,) if full.pinned_msg_id else ()


def _photo(photo: Any) -> FileItem | None:
    item = photo_of(photo)
    return item if item.remote is not None else None
