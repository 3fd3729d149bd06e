"""Who is who: targets into chats, marked ids into input peers, and the list of dialogs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from typing import Any

from msgspec.structs import replace
from telethon.tl import functions, types

from tobs.errors import RequestRefused, TargetNotFound
from tobs.model import Chat, bare_id, is_channel_id, marked_channel, marked_group
from tobs.telegram.convert import chat_of, marked, record_of
from tobs.telegram.convert.peers import marked_object
from tobs.telegram.invoke import Door
from tobs.telegram.stores import PeerRecord, PeerStore

_DIALOGS = 100
_MAIN, _ARCHIVED = 0, 1
_LINK = re.compile(r"(?:https?://)?(?:www\.)?(?:t\.me|telegram\.(?:me|dog))/(.+)", re.IGNORECASE)
_RESOLVE_LINK = re.compile(r"tg://resolve\?(?:.*&)?domain=(\w+)", re.IGNORECASE)
_NAME = re.compile(r"@?([A-Za-z]\w{2,31})")
_SHOWN = 5


class Directory:
    """Peers as one account knows them. ``me`` is its user id; access hashes live in ``store``."""

    def __init__(self, door: Door, store: PeerStore, *, me: int) -> None:
        self._door = door
        self._store = store
        self._me = me
        self._kept: dict[int, PeerRecord] = {}

    # what is known

    def remember(self, *objects: Iterable[Any]) -> None:
        """Keep the access hashes of users and chats that an answer brought along."""
        news: list[PeerRecord] = []
        for group in objects:
            for item in group:
                record = record_of(item)
                if record is not None and self._kept.get(record.id) != record:
                    self._kept[record.id] = record
                    news.append(record)
        if news:
            self._store.put(self._me, news)

    async def record(self, chat_id: int) -> PeerRecord:
        """The record of a marked id; the dialogs are listed when it is not known. Raises TargetNotFound."""
        if chat_id < 0 and not is_channel_id(chat_id):
            return PeerRecord(chat_id)  # basic groups need no access hash
        found = self._kept.get(chat_id) or self._store.get(self._me, chat_id)
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
        seen: set[int] = set()
        for folder in (_MAIN, _ARCHIVED):
            async for chat in self._folder(folder):
                if chat.id not in seen:
                    seen.add(chat.id)
                    yield chat

    async def _folder(self, folder: int) -> AsyncIterator[Chat]:
        offset_date, offset_id, offset_peer = None, 0, types.InputPeerEmpty()
        while True:
            answer = await self._door(
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
                chat = chat_of(objects.get(chat_id), top=dialog.top_message, pts=dialog.pts or 0)
                if chat is not None:
                    yield chat
                if (chat_id, dialog.top_message) in dates:
                    last = dialog
            if isinstance(answer, types.messages.Dialogs) or last is None:
                return
            chat_id = marked(last.peer)
            if last.top_message == offset_id and dates[chat_id, last.top_message] == offset_date:
                return  # the server repeats its last page
            offset_date, offset_id = dates[chat_id, last.top_message], last.top_message
            offset_peer = await self.input_peer(chat_id)

    # targets

    async def resolve(self, target: str) -> Chat:
        """The chat a TARGET names, in full. Raises TargetNotFound, RequestRefused (private, restricted ...)."""
        text = target.strip()
        if text.lower() == "me":
            return await self.full(self._me)
        if link := _RESOLVE_LINK.match(text):
            return await self._named(link[1])
        if link := _LINK.match(text):
            return await self._linked(link[1].rstrip("/"), target)
        if text.startswith("@"):
            return await self._named(text[1:])
        if text.lstrip("-").isdigit():
            return await self.full(int(text))
        return await self._titled(text)

    async def _linked(self, path: str, target: str) -> Chat:
        """A t.me link: a name, a private chat's post (c/ID/...), or an invitation (+HASH)."""
        parts = path.split("?")[0].split("/")
        if parts[0] == "c" and len(parts) > 1 and parts[1].isdigit():
            return await self.full(marked_channel(int(parts[1])))
        if parts[0] == "joinchat" and len(parts) > 1:
            return await self._invited(parts[1])
        if parts[0].startswith("+"):
            return await self._invited(parts[0][1:])
        name = parts[1] if parts[0] == "s" and len(parts) > 1 else parts[0]
        if not _NAME.fullmatch(name):
            raise TargetNotFound(f"'{target}' is no link to a chat.", "See `tobs chats`.")
        return await self._named(name)

    async def _invited(self, code: str) -> Chat:
        invite = await self._door(functions.messages.CheckChatInviteRequest(code))
        if isinstance(invite, types.ChatInviteAlready | types.ChatInvitePeek):
            self.remember((), (invite.chat,))
            return await self.full(marked_object(invite.chat))
        raise TargetNotFound(
            f"The account is not a member of '{invite.title}'.", "Join it in a Telegram app first: tobs never joins."
        )

    async def _named(self, name: str) -> Chat:
        """A username. A kept one costs no contacts.resolveUsername, which Telegram limits hard."""
        if not _NAME.fullmatch(name):
            raise TargetNotFound(f"'@{name}' is no possible username.", "Check the spelling: `tobs chats`.")
        kept = self._store.find(self._me, name.lower())
        if kept is not None:
            try:
                chat = await self.full(kept.id)
            except TargetNotFound:
                chat = None
            if chat is not None and chat.username.lower() == name.lower():
                return chat
        try:
            answer = await self._door(functions.contacts.ResolveUsernameRequest(name))
        except TargetNotFound as missing:
            raise TargetNotFound(f"No chat or person is called '@{name}'.", missing.remedy) from missing
        self.remember(answer.users, answer.chats)
        return await self.full(marked(answer.peer))

    async def _titled(self, text: str) -> Chat:
        """A title or a part of one that only one dialog has; a username without its @ is tried last."""
        wanted = text.casefold()
        exact: list[Chat] = []
        partly: list[Chat] = []
        async for chat in self.dialogs():
            if chat.title.casefold() == wanted:
                exact.append(chat)
            elif wanted in chat.title.casefold():
                partly.append(chat)
        found = exact or partly
        if len(found) == 1:
            return await self.full(found[0].id)
        if found:
            names = ", ".join(f"{chat.title} ({chat.id})" for chat in found[:_SHOWN])
            raise TargetNotFound(f"'{text}' fits {len(found)} chats: {names}.", "Give the id instead.")
        if _NAME.fullmatch(text):
            return await self._named(text)
        raise TargetNotFound(f"No chat is called '{text}'.", "See `tobs chats`.")

    async def full(self, chat_id: int) -> Chat:
        """Everything a chat's own note tells: about, members, pinned messages, linked chats."""
        peer = await self.input_peer(chat_id)
        if is_channel_id(chat_id):
            channel = types.InputChannel(peer.channel_id, peer.access_hash)
            answer = await self._door(functions.channels.GetFullChannelRequest(channel))
            return self._full_channel(chat_id, answer)
        if chat_id < 0:
            answer = await self._door(functions.messages.GetFullChatRequest(bare_id(chat_id)))
            chat = self._own(chat_id, answer)
            return replace(chat, about=answer.full_chat.about or "", pinned=_pinned(answer.full_chat))
        user = types.InputUserSelf() if chat_id == self._me else types.InputUser(peer.user_id, peer.access_hash)
        answer = await self._door(functions.users.GetFullUserRequest(user))
        chat = self._own(chat_id, answer)
        return replace(chat, about=answer.full_user.about or "", pinned=_pinned(answer.full_user))

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
