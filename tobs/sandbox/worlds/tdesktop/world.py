"""A whole export as a world."""

from __future__ import annotations

import datetime as dt
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
from tobs.sandbox.worlds.tdesktop.people import People
from tobs.sandbox.worlds.tdesktop.reading import Json, read_chats
from tobs.sandbox.worlds.tdesktop.username import own_username
from tobs.sandbox.worlds.tl import Tl
from tobs.sandbox.worlds.world import World

_STRANGER = 8_000_000_001
_REPLIES, _CODES = 1_271_266_957, 489_000
_OLD_IDS = 1 << 32  # ids of chats before April 2021 carry their kind above these bits


def export_world(path: Path) -> World:
    """The world of a ``result.json`` or its folder. A channel has the username its links to its own posts tell, and
    every one is found as ``export_<id>``."""
    folder, owner, chats = read_chats(path)
    saved = next((chat for chat in chats if chat.get("type") == "saved_messages"), {})
    me = int(owner.get("user_id") or saved.get("id") or _STRANGER)
    people = People(me)
    files = ExportFiles(folder)
    world = World(f"export {path.name}", _owner(me, owner), epoch=_latest(chats) + 86_400)
    world.files.add_finder(files.find)
    for chat in chats:
        _add_chat(world, chat, people, Media(files, people))
    for marked, entity in people.entities.items():
        if marked not in world.peers.entities:
            world.add_chat(marked, entity)
            if marked < 0:
                world.chat_list.closed.add(marked)
    return world


def _owner(id: int, told: Json) -> Tl:
    return types.User(
        id, is_self=True, access_hash=access_hash("user", id), first_name=told.get("first_name") or "Export",
        last_name=told.get("last_name") or "Owner", username=(told.get("username") or "").removeprefix("@") or None,
        phone="9996627000",
    )  # fmt: skip


def _latest(chats: list[Json]) -> int:
    """The Unix time of the newest message, which is when this world's clock starts."""
    dates = [int(message.get("date_unixtime") or 0) for chat in chats for message in chat.get("messages") or []]
    return max([1_735_689_600, *dates])


def _add_chat(world: World, chat: Json, people: People, media: Media) -> None:
    kind, id = str(chat.get("type")), int(chat.get("id") or 0) % _OLD_IDS or 1
    if int(chat.get("id") or 0) >= 3 * _OLD_IDS:
        id = int(chat["id"])
    told = chat.get("messages") or []
    marked = _marked(kind, id, people.me)
    old_group = 0
    if is_channel_id(marked) and any(int(message["id"]) <= 0 for message in told):
        old_group = marked_group(splitmix64(id, 41) & 0x7FFFFFFF)
    broadcast = kind.endswith("channel")
    make = Messages(marked, old_group, people, media, broadcast=broadcast)
    made: dict[int, dict[int, Any]] = {marked: {}, old_group: {}}
    for message in told:
        place, tl = make.of(message)
        made[place][tl.id] = tl
    entity = _entity(kind, id, chat.get("name"), people.me, bool(old_group), world.me)
    if isinstance(entity, types.Channel) and kind.startswith("public_"):
        world.peers.usernames[f"export_{id}"] = marked
        entity.username = own_username(told) or entity.username
    pinned = _pinned(list(made[marked].values()))
    for message_id in pinned:
        if isinstance(made[marked].get(message_id), types.Message):
            made[marked][message_id].pinned = True
    members = () if broadcast else tuple(id for id in people.entities if id > 0)[:200]
    info = FullInfo(members=members, members_count=len(members), pinned=pinned)
    if old_group:
        group = made[old_group].values()
        info = replace(info, migrated_from=old_group, migrated_from_top=max(message.id for message in group))
        world.add_chat(old_group, _old_group(old_group, chat.get("name"), id), MemoryBase(group, world.files.locations))
        world.chat_list.unlisted.add(old_group)
    world.add_chat(marked, entity, MemoryBase(made[marked].values(), world.files.locations), info)
    username = getattr(entity, "username", None)
    world.targets.append(
        f"@{username}" if username and marked != people.me else "me" if marked == people.me else str(marked)
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
    """Ids that service messages pinned, the newest first; the exporter does not say what is pinned still."""
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
    """The basic group a supergroup grew from."""
    return types.Chat(
        bare_id(marked), name or "Group", types.ChatPhotoEmpty(), 0, dt.datetime(2020, 1, 1, tzinfo=dt.UTC), 1,
        deactivated=True, migrated_to=types.InputChannel(channel, access_hash("channel", channel)),
    )  # fmt: skip
