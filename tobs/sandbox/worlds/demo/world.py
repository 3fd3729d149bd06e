"""The demo world: its people, chats and their settings."""

from __future__ import annotations

import datetime as dt
import re

from telethon.tl import types

from tobs.model import bare_id, marked_channel, marked_group
from tobs.sandbox.worlds.demo.assets import DATA, Assets
from tobs.sandbox.worlds.demo.build import StoryChat, build
from tobs.sandbox.worlds.demo.story import Entry, read_story
from tobs.sandbox.worlds.history import MemoryBase
from tobs.sandbox.worlds.peers import FullInfo
from tobs.sandbox.worlds.seeds import access_hash
from tobs.sandbox.worlds.tl import Tl
from tobs.sandbox.worlds.world import World

ME = 770_000_001
CHANNEL = marked_channel(1_770_000_001)
GROUP = marked_channel(1_770_000_002)
CLOSED = marked_channel(1_770_000_003)
ROOF = marked_group(770_000_010)
BOT = 770_000_020
GIF = 770_000_021
EPOCH = 1_740_960_000  # 2025-03-03

PEOPLE = {
    "Robin": (ME, "Robin", "Vale", "robin_vale"),
    "Marta": (770_000_002, "Marta", "Brandt", "marta_brandt"),
    "Jonas": (770_000_003, "Jonas", "Adler", ""),
    "Ines": (770_000_004, "Ines", "Kovač 🥖", "ines_bakes"),
    "Tomasz": (770_000_005, "Tomasz", "", ""),
    "Omar": (770_000_006, "عمر", "حداد", "omar_hamra"),
    "Noa": (770_000_007, "נועה", "לוי", ""),
    "Parisa": (770_000_008, "پریسا", "رضایی", ""),
    "Sergei": (770_000_009, "Сергей", "Тихий", ""),
    "Helene": (770_000_011, "Helene", "", ""),
    "Bot": (BOT, "The Operator", "", "exchange_bot"),
    "gif": (GIF, "GIF", "", "gif"),
}
PICTURES = {"Marta": "phone-black", "Ines": "cake", "Robin": "phone-green"}

_CUSTOM = re.compile(r"\{([^\s{}]+) (\d{6,})\}")
_MENTION = re.compile(r"\{#(\w+)\}")
_CREATED = dt.datetime(2024, 3, 1, 17, 2, tzinfo=dt.UTC)


def demo_world() -> World:
    """Make the demo world."""
    assets = Assets()
    people = {name: person[0] for name, person in PEOPLE.items()} | {"exchange_bot": BOT}
    users = {person[0]: _user(name, *person, assets) for name, person in PEOPLE.items()}
    world = World("demo", users.pop(ME), epoch=EPOCH)
    for user in users.values():
        world.add_user(user, FullInfo(about=_ABOUT.get(user.id, "")))
    chats = _chats()
    for chat in chats:
        base = MemoryBase(build(chat, chats, people, assets), world.files.locations)
        entity = world.me if chat.marked == ME else users.get(chat.marked) or _chat(chat.marked, assets)
        world.add_chat(chat.marked, entity, base, _about(chat, people, assets))
    world.add_chat(CLOSED, _chat(CLOSED, assets))
    world.chat_list.closed.add(CLOSED)
    world.chat_list.unlisted.add(CLOSED)
    world.files.add_finder(assets.find)
    stories = "".join(path.read_text(encoding="utf-8") for path in sorted((DATA / "stories").iterdir()))
    world.emoji = {int(id): emoji for emoji, id in _CUSTOM.findall(stories)}
    world.targets = ["@tobs_demo", "@tobs_demo_group"]
    world.unreadable_targets = ["@tobs_demo_closed"]
    return world


def _chats() -> list[StoryChat]:
    """Read the chats with their entries. Private chats and the basic group share one sequence of ids."""
    stories = {name: (DATA / "stories" / f"{name}.txt").read_text(encoding="utf-8") for name in _STORIES}
    channel = read_story(stories["channel-1"] + "\n" + stories["channel-2"])
    group = read_story(stories["group"])
    rest = {chat: read_story(stories[name]) for name, chat in _STORIES.items() if chat not in (CHANNEL, GROUP)}
    shared = sorted((entry for entries in rest.values() for entry in entries), key=lambda entry: entry.date)
    for id, entry in enumerate(shared, 101):
        entry.id = id
    chats = [
        StoryChat(CHANNEL, channel, broadcast=True, me=ME),
        StoryChat(GROUP, group, broadcast=False, me=ME),
        *(StoryChat(chat, entries, broadcast=False, me=ME) for chat, entries in rest.items()),
    ]
    _resolve_labels(chats)
    return chats


_STORIES = {
    "channel-1": CHANNEL,
    "channel-2": CHANNEL,
    "group": GROUP,
    "saved": ME,
    "ines": PEOPLE["Ines"][0],
    "roof": ROOF,
    "bot": BOT,
}


def _resolve_labels(chats: list[StoryChat]) -> None:
    """Replace ``{#label}`` by the id of that post, and give a forward without text the text of its post."""
    labels: dict[str, Entry] = {label: entry for chat in reversed(chats) for label, entry in chat.labels.items()}
    for chat in chats:
        for entry in chat.entries:
            entry.text = _MENTION.sub(lambda found: str(labels[found[1]].id), entry.text)
            entry.keys = {
                key: _MENTION.sub(lambda found: str(labels[found[1]].id), value) for key, value in entry.keys.items()
            }
    for chat in chats:
        for entry in chat.entries:
            if entry.keys.get("do", "").startswith("pin "):
                chat.labels[entry.keys["do"].split()[1].removeprefix("#")].keys["pin"] = ""
    for chat in chats[1:]:
        for entry in chat.entries:
            target = labels.get(entry.keys.get("fwd", "").removeprefix("#"))
            if target is not None and not entry.text:
                entry.text = target.text
                entry.keys |= {key: target.keys[key] for key in _FORWARDED_KEYS if key in target.keys}


_FORWARDED_KEYS = ("photo", "voice", "file", "poll", "music", "sticker", "video")

_ABOUT = {
    ME: "Two streets away.",
    PEOPLE["Marta"][0]: "Keeper of the key.",
    BOT: "Counts the calls of Mill Lane 7.",
}


def _user(name: str, id: int, first: str, last: str, username: str, assets: Assets) -> Tl:
    picture = assets.photo(PICTURES[name], _CREATED) if name in PICTURES else None
    bot = id in (BOT, GIF)
    return types.User(
        id,
        is_self=id == ME or None,
        contact=name in ("Ines", "Marta") or None,
        bot=bot or None,
        bot_info_version=1 if bot else None,
        access_hash=access_hash("user", id),
        first_name=first,
        last_name=last or None,
        username=username or None,
        phone="9996627777" if id == ME else "431171931" + str(id % 100) if name == "Ines" else None,
        photo=types.UserProfilePhoto(picture.id, 2) if picture else None,
    )


def _chat(marked: int, assets: Assets) -> Tl:
    """Return the TL chat or channel of a marked id, as Robin sees it."""
    id = bare_id(marked)
    if marked == ROOF:
        return types.Chat(id, "Roof crew", types.ChatPhotoEmpty(), 4, _CREATED, 1)
    common = {"id": id, "date": _CREATED, "access_hash": access_hash("channel", id)}
    if marked == GROUP:
        photo = types.ChatPhoto(assets.photo("phone-red", _CREATED).id, 2)
        return types.Channel(
            title="Party Line ☎️", photo=photo, username="tobs_demo_group", megagroup=True, has_link=True,
            participants_count=11, **common,
        )  # fmt: skip
    if marked == CLOSED:
        return types.Channel(
            title="Keyholders",
            photo=types.ChatPhotoEmpty(),
            username="tobs_demo_closed",
            broadcast=True,
            left=True,
            **common,
        )
    photo = types.ChatPhoto(assets.photo("phone-green", _CREATED).id, 2)
    return types.Channel(
        title="The Old Exchange · Mill Lane 7", photo=photo, username="tobs_demo", broadcast=True, signatures=True,
        has_link=True, participants_count=1931, **common,
    )  # fmt: skip


def _about(chat: StoryChat, people: dict[str, int], assets: Assets) -> FullInfo | None:
    everybody = tuple(id for name, id in people.items() if name not in ("gif", "Bot"))
    pinned = tuple(entry.id for entry in reversed(chat.entries) if "pin" in entry.keys)
    if chat.marked == CHANNEL:
        words = (
            "A telephone exchange of 1931, rung again since 2024. Mill Lane 7, ring twice. Readers: @tobs_demo_group"
        )
        photo = assets.photo("phone-green", _CREATED)
        return FullInfo(words, members_count=1931, pinned=pinned, linked_chat=GROUP, photo=photo)
    if chat.marked == GROUP:
        photo = assets.photo("phone-red", _CREATED)
        about = "Readers of @tobs_demo. No politics before soup."
        return FullInfo(about, everybody, 11, pinned, CHANNEL, photo, (BOT,))
    if chat.marked == ROOF:
        return FullInfo("", tuple(people[name] for name in ("Jonas", "Robin", "Tomasz", "Ines")), 4)
    return None
