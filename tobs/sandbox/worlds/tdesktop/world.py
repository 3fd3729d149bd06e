"""The world of a whole export."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from telethon.tl import types

from tobs.model import bare_id, is_channel_id, marked_channel, marked_group
from tobs.sandbox.worlds.history import MemoryBase
from tobs.sandbox.worlds.peers import FullInfo
from tobs.sandbox.worlds.seeds import access_hash, splitmix64
from tobs.sandbox.worlds.tdesktop.media import ExportFiles, Media
from tobs.sandbox.worlds.tdesktop.messages import Messages
from tobs.sandbox.worlds.tdesktop.peers import ExportPeers
from tobs.sandbox.worlds.tdesktop.reader import Json, read_chats
from tobs.sandbox.worlds.tl import Tl
from tobs.sandbox.worlds.world import World

_STRANGER = 8_000_000_001
_REPLIES, _CODES = 1_271_266_957, 489_000
_POST_LINK = re.compile(r"(?:https?://)?t\.me/([A-Za-z]\w{3,31})/(\d{1,10})/?")
_MIN_LINKED_POSTS = 5
_OLD_IDS = 1 << 32  # ids of chats before April 2021 carry their kind above these bits


def export_world(path: Path) -> World:
    """Make the world of a ``result.json`` or its folder.

    A public channel can be named as ``export_<id>``, and by its own username if links to its own posts contain it.
    """
    folder, owner, chats = read_chats(path)
    saved = next((chat for chat in chats if chat.get("type") == "saved_messages"), {})
    me = int(owner.get("user_id") or saved.get("id") or _STRANGER)
    peers = ExportPeers(me)
    files = ExportFiles(folder)
    world = World(f"export {path.name}", _owner(me, owner), epoch=_latest(chats) + 86_400)
    world.files.add_finder(files.find)
    for chat in chats:
        _add_chat(world, chat, peers, Media(files, peers))
    for marked, entity in peers.entities.items():
        if marked not in world.peers.entities:
            world.add_chat(marked, entity)
            if marked < 0:
                world.chat_list.closed.add(marked)
    return world


def _owner(id: int, info: Json) -> Tl:
    return types.User(
        id, is_self=True, access_hash=access_hash("user", id), first_name=info.get("first_name") or "Export",
        last_name=info.get("last_name") or "Owner", username=(info.get("username") or "").removeprefix("@") or None,
        phone="9996627000",
    )  # fmt: skip


def _latest(chats: list[Json]) -> int:
    """Return the Unix time of the newest message; this world's clock starts a day later."""
    dates = [int(message.get("date_unixtime") or 0) for chat in chats for message in chat.get("messages") or []]
    return max([1_735_689_600, *dates])


def _add_chat(world: World, chat: Json, peers: ExportPeers, media: Media) -> None:
    kind, id = str(chat.get("type")), int(chat.get("id") or 0) % _OLD_IDS or 1
    if int(chat.get("id") or 0) >= 3 * _OLD_IDS:
        id = int(chat["id"])
    messages = chat.get("messages") or []
    marked = _marked(kind, id, peers.me)
    old_group = 0
    if is_channel_id(marked) and any(int(message["id"]) <= 0 for message in messages):
        old_group = marked_group(splitmix64(id, 41) & 0x7FFFFFFF)
    broadcast = kind.endswith("channel")
    converter = Messages(marked, old_group, peers, media, broadcast=broadcast)
    made: dict[int, dict[int, Any]] = {marked: {}, old_group: {}}
    for message in messages:
        place, tl = converter.make(message)
        made[place][tl.id] = tl
    entity = _entity(kind, id, chat.get("name"), peers.me, bool(old_group), world.me)
    if isinstance(entity, types.Channel) and kind.startswith("public_"):
        world.peers.usernames[f"export_{id}"] = marked
        entity.username = _own_username(messages) or entity.username
    pinned = _pinned(list(made[marked].values()))
    for message_id in pinned:
        if isinstance(made[marked].get(message_id), types.Message):
            made[marked][message_id].pinned = True
    members = () if broadcast else tuple(id for id in peers.entities if id > 0)[:200]
    info = FullInfo(members=members, members_count=len(members), pinned=pinned)
    if old_group:
        group = made[old_group].values()
        info = replace(info, migrated_from=old_group, migrated_from_top=max(message.id for message in group))
        world.add_chat(old_group, _old_group(old_group, chat.get("name"), id), MemoryBase(group, world.files.locations))
        world.chat_list.unlisted.add(old_group)
    world.add_chat(marked, entity, MemoryBase(made[marked].values(), world.files.locations), info)
    username = getattr(entity, "username", None)
    world.targets.append(
        f"@{username}" if username and marked != peers.me else "me" if marked == peers.me else str(marked)
    )


def _marked(kind: str, id: int, me: int) -> int:
    match kind:
        case "saved_messages":
            return me
        case "replies":
            return _REPLIES
        case "verification_codes":
            return _CODES
        case "personal_chat" | "bot_chat":
            return id
        case "private_group":
            return marked_group(id)
    return marked_channel(id)


def _pinned(messages: list[Tl]) -> tuple[int, ...]:
    """Return the ids that service messages pinned, newest first; the exporter does not report unpinned messages."""
    ids = {message.id for message in messages}
    found = [
        message.reply_to.reply_to_msg_id
        for message in sorted(messages, key=lambda message: -message.id)
        if isinstance(message.action, types.MessageActionPinMessage) and message.reply_to is not None
    ]
    return tuple(dict.fromkeys(id for id in found if id in ids))


def _entity(kind: str, id: int, name: str | None, me: int, migrated: bool, owner: Tl) -> Tl:
    date = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    photo = types.ChatPhotoEmpty()
    marked = _marked(kind, id, me)
    if marked == me:
        return owner
    if marked > 0:
        bot = kind == "bot_chat" or None
        return types.User(
            marked, access_hash=access_hash("user", marked), first_name=name or kind.replace("_", " ").title(), bot=bot,
            bot_info_version=1 if bot else None,
        )  # fmt: skip
    if not is_channel_id(marked):
        return types.Chat(id, name or "Group", photo, 1, date, 1)
    broadcast = kind.endswith("channel") or kind == "None"
    return types.Channel(
        bare_id(marked), name or "Export", photo, date, access_hash=access_hash("channel", bare_id(marked)),
        broadcast=broadcast or None, megagroup=None if broadcast else True, username=f"export_{id}",
    )  # fmt: skip


def _old_group(marked: int, name: str | None, channel: int) -> Tl:
    """Make the basic group that a supergroup grew from."""
    return types.Chat(
        bare_id(marked), name or "Group", types.ChatPhotoEmpty(), 0, dt.datetime(2020, 1, 1, tzinfo=dt.UTC), 1,
        deactivated=True, migrated_to=types.InputChannel(channel, access_hash("channel", channel)),
    )  # fmt: skip


def _own_username(messages: list[Json]) -> str:
    """Find the username of an exported channel, which the exporter leaves out, in links to the channel's own posts.

    A username counts if at least ``_MIN_LINKED_POSTS`` posts are linked under it and every linked post exists. Return
    "" if there is not exactly one such username.
    """
    ids_present = {int(message.get("id") or 0) for message in messages}
    linked: dict[str, set[int]] = {}
    spelled: dict[str, str] = {}
    for message in messages:
        for part in message.get("text_entities") or ():
            match = _POST_LINK.fullmatch(str(part.get("href") or part.get("text") or ""))
            if match is not None:
                name = match[1].lower()
                spelled.setdefault(name, match[1])
                linked.setdefault(name, set()).add(int(match[2]))
    found = [name for name, ids in linked.items() if len(ids) >= _MIN_LINKED_POSTS and ids <= ids_present]
    return spelled[found[0]] if len(found) == 1 else ""
