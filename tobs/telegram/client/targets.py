"""Resolution of targets into chats: usernames, links, invitations, ids, titles, and Telegram's folders.

Sources: https://core.telegram.org/api/links https://core.telegram.org/api/folders
"""

from __future__ import annotations

import re
from typing import Any

from telethon.tl import functions, types

from tobs.errors import RequestRefused, TargetNotFound
from tobs.model import Chat, is_channel_id, marked_channel, marked_group
from tobs.telegram.client.peers import Dialog, PeerDirectory
from tobs.telegram.convert import marked
from tobs.telegram.convert.peers import marked_object
from tobs.telegram.net.invoker import Invoker
from tobs.telegram.stores import PeerStore

_LINK = re.compile(r"(?:https?://)?(?:www\.)?(?:t\.me|telegram\.(?:me|dog))/(.+)", re.IGNORECASE)
_NAME_LINK = re.compile(r"(?:https?://)?([a-z]\w{3,31})\.t\.me(?:/.*)?", re.IGNORECASE)
_APP_LINK = re.compile(r"tg:(?://)?(resolve|join|privatepost)\?(.+)", re.IGNORECASE)
_NAME = re.compile(r"@?([A-Za-z]\w{2,31})")
_PHONE = re.compile(r"\+\d{7,15}")
_FOLDER = "folder:"
_ARCHIVES = ("archive", "archived")
_SHOWN = 5
_BY_ID = "Give the id instead."
_SEE = "See `tobs chats`."


def linked_topic(target: str) -> int:
    """Return the topic that a link into a forum names, 0 for none.

    Forms: ``t.me/NAME/5``, ``t.me/NAME/5/123`` (a message of topic 5), ``t.me/c/ID/5``, and ``?thread=5`` or
    ``?topic=5`` behind a message's link.
    """
    link = _LINK.match(target.strip())
    if link is None:
        return 0
    path, _, query = link[1].partition("#")[0].partition("?")
    values = dict(part.partition("=")[::2] for part in query.split("&"))
    for name in ("thread", "topic"):
        if values.get(name, "").isdigit():
            return int(values[name])
    parts = path.rstrip("/").split("/")
    number = parts[2 if parts[0] == "c" else 1 :][:1]
    return int(number[0]) if number and number[0].isdigit() else 0


def is_name(text: str) -> bool:
    """Return whether a target is the name of a person or chat, and no username, link, id, phone number or ``me``."""
    if text.startswith("@") or text.lower() == "me" or text.lstrip("-").isdigit():
        return False
    return not (_APP_LINK.match(text) or _LINK.match(text) or _NAME_LINK.fullmatch(text) or _PHONE.fullmatch(text))


class Targets:
    """Resolver of targets. ``me`` is the account's user id."""

    def __init__(self, invoker: Invoker, directory: PeerDirectory, store: PeerStore, *, me: int) -> None:
        self._invoker = invoker
        self._directory = directory
        self._store = store
        self._me = me

    async def resolve(self, target: str, *, join: bool = False) -> Chat:
        """Return the full chat that a TARGET names. Raises TargetNotFound, RequestRefused (private, restricted ...).

        An invite link is joined only with ``join``. A link to a post or topic names its chat.
        """
        text = target.strip()
        if not text:
            raise TargetNotFound("A target is empty.", "Name a chat, such as @channel: `tobs chats`.")
        if text.lower() == "me":
            return await self._directory.full(self._me)
        if link := _APP_LINK.match(text):
            return await self._resolve_app_link(link[1].lower(), link[2], target, join=join)
        if link := _LINK.match(text):
            return await self._resolve_link(link[1].rstrip("/"), target, join=join)
        if text.startswith("@"):
            return await self._resolve_username(text[1:])
        if _PHONE.fullmatch(text):
            return await self._resolve_phone(text)
        if text.lstrip("-").isdigit():
            return await self._directory.current_chat(int(text))
        if (link := _NAME_LINK.fullmatch(text)) and link[1].lower() != "www":
            return await self._resolve_username(link[1])
        return await self._resolve_title(text)

    async def expand(self, target: str, *, join: bool = False) -> list[Chat]:
        """Return the chats that a TARGET names: those of a folder, as the dialog list has them, or one full chat."""
        text = target.strip()
        if text.lower().startswith(_FOLDER):
            return await self.folder(text[len(_FOLDER) :].strip())
        return [await self.resolve(target, join=join)]

    async def all_chats(self) -> list[Chat]:
        """Return every chat of the account's dialog list, archived ones included."""
        return _without_migrated([dialog.chat async for dialog in self._directory.dialog_entries()])

    async def folder(self, name: str) -> list[Chat]:
        """Return the chats of a Telegram folder. Raises TargetNotFound."""
        answer = await self._invoker(functions.messages.GetDialogFiltersRequest())
        folders = [item for item in answer.filters if not isinstance(item, types.DialogFilterDefault)]
        titles = [_title_of(item) for item in folders]
        found = [item for item, title in zip(folders, titles, strict=True) if title.casefold() == name.casefold()]
        found = found or [
            item for item, title in zip(folders, titles, strict=True) if name and name.casefold() in title.casefold()
        ]
        if not found and name.casefold() in _ARCHIVES:
            return _without_migrated(
                [chat_id.chat async for chat_id in self._directory.dialog_entries() if chat_id.is_archived]
            )
        if len(found) != 1:
            names = ", ".join(titles) or "none"
            how = f"fits {len(found)} folders" if found else "is no folder of this account"
            raise TargetNotFound(f"'{name}' {how}.", f"Its folders: {names}.")
        dialogs = [dialog async for dialog in self._directory.dialog_entries()]
        folder = found[0]
        peers = [self._marked_id_of_input(peer) for peer in (*folder.pinned_peers, *folder.include_peers)]
        known = {dialog.chat.id: dialog.chat for dialog in dialogs}
        chats = {
            chat_id: known.get(chat_id) or await self._directory.current_chat(chat_id)
            for chat_id in dict.fromkeys(peers)
        }
        if isinstance(folder, types.DialogFilter):
            without = {self._marked_id_of_input(peer) for peer in folder.exclude_peers}
            for dialog in dialogs:
                if dialog.chat.id not in without and _folder_includes(folder, dialog):
                    chats.setdefault(dialog.chat.id, dialog.chat)
        return _without_migrated(list(chats.values()))

    # forms of a target

    async def _resolve_app_link(self, kind: str, query: str, target: str, *, join: bool) -> Chat:
        """Resolve ``tg://resolve?domain=NAME``, ``tg://join?invite=CODE`` or ``tg://privatepost?channel=ID``."""
        values = dict(part.partition("=")[::2] for part in query.split("&"))
        if kind == "resolve" and "domain" in values:
            return await self._resolve_username(values["domain"])
        if kind == "resolve" and "phone" in values:
            return await self._resolve_phone("+" + values["phone"].lstrip("+"))
        if kind == "join" and "invite" in values:
            return await self._resolve_invite(values["invite"], join=join)
        if kind == "privatepost" and values.get("channel", "").isdigit():
            return await self._directory.full(marked_channel(int(values["channel"])))
        raise TargetNotFound(f"'{target}' is not a link to a chat.", _SEE)

    async def _resolve_link(self, path: str, target: str, *, join: bool) -> Chat:
        """Resolve a t.me link: a name, a private chat's post (c/ID/...), an invitation (+CODE), or a phone number."""
        parts = path.split("?")[0].split("#")[0].split("/")
        if parts[0] == "c" and len(parts) > 1 and parts[1].isdigit():
            return await self._directory.full(marked_channel(int(parts[1])))
        if parts[0] == "joinchat" and len(parts) > 1:
            return await self._resolve_invite(parts[1], join=join)
        if _PHONE.fullmatch(parts[0]):
            return await self._resolve_phone(parts[0])
        if parts[0].startswith("+"):
            return await self._resolve_invite(parts[0][1:], join=join)
        if parts[0] == "addlist":
            raise TargetNotFound(
                f"'{target}' shares a folder.", "Add it in a Telegram app, then use it as folder:NAME."
            )
        name = parts[1] if parts[0] == "s" and len(parts) > 1 else parts[0]
        if not _NAME.fullmatch(name):
            raise TargetNotFound(f"'{target}' is not a link to a chat.", _SEE)
        return await self._resolve_username(name)

    async def _resolve_invite(self, code: str, *, join: bool) -> Chat:
        invite = await self._invoker(functions.messages.CheckChatInviteRequest(code))
        if isinstance(invite, types.ChatInviteAlready | types.ChatInvitePeek):
            self._directory.remember((), (invite.chat,))
            return await self._directory.current_chat(marked_object(invite.chat))
        if not join:
            raise TargetNotFound(
                f"The account is not a member of '{invite.title}'.", "With --join tobs joins it by this link."
            )
        answer = await self._invoker(functions.messages.ImportChatInviteRequest(code))
        if not isinstance(answer, types.messages.ChatInviteJoinResultOk):
            raise TargetNotFound(f"Joining '{invite.title}' needs a web page.", "Join it in a Telegram app.")
        self._directory.remember(answer.updates.users, answer.updates.chats)
        return await self._directory.full(marked_object(answer.updates.chats[0]))

    async def _resolve_phone(self, phone: str) -> Chat:
        try:
            answer = await self._invoker(functions.contacts.ResolvePhoneRequest(phone.lstrip("+")))
        except RequestRefused as refused:
            if refused.name != "PHONE_NOT_OCCUPIED":
                raise
            raise TargetNotFound(f"No one this account may see has the number {phone}.", _SEE) from refused
        self._directory.remember(answer.users, answer.chats)
        return await self._directory.full(marked(answer.peer))

    async def _resolve_username(self, name: str) -> Chat:
        """Resolve a username. A stored one needs no contacts.resolveUsername, which Telegram limits strictly."""
        if not _NAME.fullmatch(name):
            raise TargetNotFound(f"'@{name}' is not a valid username.", "Check the spelling: `tobs chats`.")
        stored = await self._store.find(self._me, name.lower())
        if stored is not None:
            try:
                chat = await self._directory.full(stored.id)
            except TargetNotFound:
                chat = None
            if chat is not None and chat.username.lower() == name.lower():
                return chat
        try:
            answer = await self._invoker(functions.contacts.ResolveUsernameRequest(name))
        except TargetNotFound as missing:
            raise TargetNotFound(f"No chat or person is called '@{name}'.", missing.remedy) from missing
        self._directory.remember(answer.users, answer.chats)
        return await self._directory.full(marked(answer.peer))

    async def _resolve_title(self, text: str) -> Chat:
        """Resolve a title, or a part of one, that a single dialog has; then a username without its @."""
        wanted = text.casefold()
        exact: list[Chat] = []
        partly: list[Chat] = []
        for chat in await self.all_chats():
            if chat.title.casefold() == wanted:
                exact.append(chat)
            elif wanted in chat.title.casefold():
                partly.append(chat)
        found = exact or partly
        if len(found) == 1:
            return await self._directory.full(found[0].id)
        if found:
            names = ", ".join(f"{chat.title} ({chat.id})" for chat in found[:_SHOWN])
            raise TargetNotFound(f"'{text}' fits {len(found)} chats: {names}.", _BY_ID)
        if _NAME.fullmatch(text):
            return await self._resolve_username(text)
        raise TargetNotFound(f"No chat is called '{text}'.", _SEE)

    def _marked_id_of_input(self, peer: Any) -> int:
        """Return the marked id of a TL ``InputPeer``; 0 for none."""
        match peer:
            case types.InputPeerSelf():
                return self._me
            case types.InputPeerUser():
                return int(peer.user_id)
            case types.InputPeerChat():
                return marked_group(peer.chat_id)
            case types.InputPeerChannel():
                return marked_channel(peer.channel_id)
        return 0


def _without_migrated(chats: list[Chat]) -> list[Chat]:
    """Return ``chats`` without basic groups whose supergroup is among them: its history contains theirs."""
    ids = {chat.id for chat in chats}
    return [chat for chat in chats if not chat.migrated_to or chat.migrated_to not in ids]


def _title_of(folder: Any) -> str:
    return str(getattr(folder.title, "text", folder.title))


def _folder_includes(folder: Any, dialog: Dialog) -> bool:
    """Return whether a folder includes a chat by its kind. Muted and read flags change often and are ignored."""
    if folder.exclude_archived and dialog.is_archived:
        return False
    chat, user = dialog.chat, isinstance(dialog.entity, types.User)
    if chat.kind == "channel":
        return bool(folder.broadcasts)
    if chat.kind == "bot":
        return bool(folder.bots)
    if chat.kind == "group" or is_channel_id(chat.id):
        return bool(folder.groups)
    is_contact = user and (dialog.entity.contact or dialog.entity.is_self)
    return bool(folder.contacts if is_contact else folder.non_contacts)
