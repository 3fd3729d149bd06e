"""The world of a community: what gathers around a chat, with little in it, for tests of threads.

A forum with its topics (two of one name, one renamed, one closed), a channel whose posts are commented in a public
group, and one whose discussion group the account has not joined.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from telethon.tl import types

from tobs.model import bare_id, marked_channel
from tobs.sandbox.worlds.files import access_hash, mix
from tobs.sandbox.worlds.history import MemoryBase
from tobs.sandbox.worlds.markup import parse
from tobs.sandbox.worlds.phrases import SENTENCES
from tobs.sandbox.worlds.threads import GENERAL, topic
from tobs.sandbox.worlds.tl import Tl, peer, reply_header
from tobs.sandbox.worlds.world import About, World

ME: Final = 880_000_001
ADA: Final = 880_000_002
BEN: Final = 880_000_003
MIRA: Final = 880_000_004
GUILD: Final = marked_channel(1_880_000_001)
"""The forum."""
POST: Final = marked_channel(1_880_000_002)
TALK: Final = marked_channel(1_880_000_003)
"""The discussion group of POST."""
ALMANAC: Final = marked_channel(1_880_000_004)
CIRCLE: Final = marked_channel(1_880_000_005)
"""The discussion group of ALMANAC; the account is not in it."""

PEOPLE: Final = (ADA, BEN, MIRA, ME)
_START: Final = 1_710_000_000
_STEP: Final = 5_400

#: The topics of the forum as they are now, with how many messages each has beside its first.
TOPICS: Final = (
    ("Seeds & bulbs", 230),
    ("Tools", 21),
    ("Compost: hot/cold?", 34),
    ("Tools", 6),
    ("🌻", 12),
    ("Frost warnings", 3),
    ("Nothing yet", 0),
)
_RENAMED: Final = {"Seeds & bulbs": "Seeds"}
_IN_GENERAL: Final = 18


def community_world() -> World:
    """A fresh world of a community."""
    me = _user(ME, "Lena", "lena_hart", is_self=True, phone="9996628888")
    world = World("community", me, epoch=_START + 5_000_000)
    for user in (_user(ADA, "Ada North", "ada_north_garden"), _user(BEN, "Ben", ""), _user(MIRA, "Mira", "")):
        world.add_user(user, About(about=f"{user.first_name} of the community."))
    _add_forum(world)
    world.targets = ["@garden_guild"]
    return world


# -- the forum


def _add_forum(world: World) -> None:
    messages = list(_forum())
    guild = _channel(GUILD, "Garden Guild", "garden_guild", megagroup=True, forum=True)
    about = About("Everything that grows.", PEOPLE, len(PEOPLE), pinned=(9,))
    world.add_chat(GUILD, guild, MemoryBase(messages, world.stamps), about)
    known = {GENERAL: topic(GENERAL, "General", date=_START, creator=ADA)}
    for message in messages:
        if isinstance(message.action, types.MessageActionTopicCreate):
            title = TOPICS[len(known) - 1][0]
            seconds = message.date.timestamp()
            known[message.id] = topic(message.id, title, date=seconds, creator=ADA, icon=mix(message.id, 3) >> 2)
    by_title = {item.title: item for item in known.values()}
    by_title["Frost warnings"].closed = True
    by_title["Compost: hot/cold?"].pinned = True
    world.topics[GUILD] = known


def _forum() -> Iterator[Tl]:
    """The forum's messages: topics are made one after the other, then all go on side by side."""
    yield _service(GUILD, 1, types.MessageActionChannelCreate("Garden Guild"), ADA)
    left: dict[int, int] = {GENERAL: _IN_GENERAL}
    said: dict[int, list[int]] = {}
    id = 2
    for number, (title, count) in enumerate(TOPICS):
        action = types.MessageActionTopicCreate(_RENAMED.get(title, title), 0x6FB9F0, icon_emoji_id=mix(id, 3) >> 2)
        yield _service(GUILD, id, action, ADA)
        left[id] = count
        for later in range(id + 1, id + 1 + number % 3):
            yield _say(GUILD, later, GENERAL, said, forum=True)
            left[GENERAL] -= 1
        id += 1 + number % 3
    renamed = min(topic_id for topic_id, count in left.items() if count == max(left.values()))
    header = reply_header(0, renamed, forum=True)
    yield _service(GUILD, id, types.MessageActionTopicEdit(title="Seeds & bulbs"), ADA, header)
    closed = [topic_id for topic_id in left if topic_id != GENERAL][5]
    while any(left.values()):
        id += 1 + (mix(id, 5) % 9 == 0)
        open_ones = [topic_id for topic_id, count in left.items() for _ in range(count)]
        thread = open_ones[mix(id, 6) % len(open_ones)]
        left[thread] -= 1
        yield _say(GUILD, id, thread, said, forum=True)
    header = reply_header(0, closed, forum=True)
    yield _service(GUILD, id + 1, types.MessageActionTopicEdit(closed=True), ADA, header)


# -- messages


def _say(chat: int, id: int, thread: int, said: dict[int, list[int]], *, forum: bool) -> Tl:
    """A message of a thread; one in four answers an earlier one of it."""
    earlier = said.setdefault(thread, [])
    answered = earlier[mix(id, 7) % len(earlier)] if earlier and mix(id, 8) % 4 == 0 else 0
    earlier.append(id)
    sender = PEOPLE[mix(id, 9) % len(PEOPLE)]
    return _message(chat, id, sender, reply_to=reply_header(answered, thread, forum=forum))


def _message(chat: int, id: int, sender: int, **more: Any) -> Tl:
    text, entities = parse(SENTENCES[(id * 7 + abs(chat)) % len(SENTENCES)])
    return types.Message(
        id=id, peer_id=peer(chat), date=_date(id), message=text, entities=entities or None, from_id=peer(sender),
        out=sender == ME or None, **more,
    )  # fmt: skip


def _service(chat: int, id: int, action: Tl, sender: int, reply_to: Tl = None) -> Tl:
    return types.MessageService(
        id=id, peer_id=peer(chat), date=_date(id), action=action, from_id=peer(sender), reply_to=reply_to
    )


def _date(id: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(_START + id * _STEP, dt.UTC)


def _user(id: int, name: str, username: str, **more: Any) -> Tl:
    return types.User(id, access_hash=access_hash("user", id), first_name=name, username=username or None, **more)


def _channel(marked: int, title: str, username: str, **more: Any) -> Tl:
    id = bare_id(marked)
    return types.Channel(
        id, title, types.ChatPhotoEmpty(), _date(0), access_hash=access_hash("channel", id), username=username or None,
        **more,
    )  # fmt: skip
