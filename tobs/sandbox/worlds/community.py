"""The world of a community: topics, comments, sub-dialogs and stories, for tests of threads.

A forum with its topics (two of one name, one renamed, one closed), a channel whose posts are commented in a public
group, and one whose discussion group the account has not joined.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from telethon.tl import types

from tobs.model import bare_id, marked_channel
from tobs.sandbox.worlds.history import MemoryBase
from tobs.sandbox.worlds.markup import parse
from tobs.sandbox.worlds.peers import FullInfo
from tobs.sandbox.worlds.phrases import SENTENCES
from tobs.sandbox.worlds.sample_files import JPEG_LEAST, jpeg
from tobs.sandbox.worlds.seeds import access_hash, splitmix64
from tobs.sandbox.worlds.threads import GENERAL, count_comments, topic
from tobs.sandbox.worlds.tl import Tl, peer, reply_header
from tobs.sandbox.worlds.world import World

ME: Final = 880_000_001
ADA: Final = 880_000_002
BEN: Final = 880_000_003
MIRA: Final = 880_000_004
HIDDEN: Final = 2_666_000
"""The account under which Telegram files messages of people who hide their account."""
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
#: Channels with their discussion groups; the account is not in the second one, and does not see its history.
_DISCUSSED: Final = (
    (POST, "The Garden Post", "garden_post", TALK, "Garden Talk", "garden_talk"),
    (ALMANAC, "Garden Almanac", "garden_almanac", CIRCLE, "Inner Circle", ""),
)
_POSTS: Final = 12
_TALK: Final = 260
_SAVED: Final = 40
_RENAMED: Final = {"Seeds & bulbs": "Seeds"}
_IN_GENERAL: Final = 18


def community_world() -> World:
    """Make the world of a community."""
    me = _user(ME, "Lena", "lena_hart", is_self=True, phone="9996628888")
    world = World("community", me, epoch=_START + 5_000_000)
    for user in (_user(ADA, "Ada North", "ada_north_garden"), _user(BEN, "Ben", ""), _user(MIRA, "Mira", "")):
        world.add_user(user, FullInfo(about=f"{user.first_name} of the community."))
    _add_forum(world)
    for channel, title, username, group, name, public in _DISCUSSED:
        _add_channel(world, channel, _channel(channel, title, username, broadcast=True), group)
        _add_discussion(world, channel, _channel(group, name, public, megagroup=True), group)
        for post in range(1, _POSTS + 1):
            count_comments(world, channel, post)
    world.chat_list.comments_only.add(CIRCLE)
    _add_saved(world)
    for number, owner in enumerate((ADA, POST, ME)):
        _add_stories(world, owner, 3 + 70 * number)
    world.targets = ["@garden_guild", "@garden_post", "@garden_almanac"]
    return world


# -- the forum


def _add_forum(world: World) -> None:
    messages = list(_forum())
    guild = _channel(GUILD, "Garden Guild", "garden_guild", megagroup=True, forum=True)
    about = FullInfo("Everything that grows.", PEOPLE, len(PEOPLE), pinned=(9,))
    world.add_chat(GUILD, guild, MemoryBase(messages, world.files.locations), about)
    known = {GENERAL: topic(GENERAL, "General", date=_START, creator=ADA)}
    for message in messages:
        if isinstance(message.action, types.MessageActionTopicCreate):
            title = TOPICS[len(known) - 1][0]
            seconds = message.date.timestamp()
            known[message.id] = topic(message.id, title, date=seconds, creator=ADA, icon=splitmix64(message.id, 3) >> 2)
    by_title = {item.title: item for item in known.values()}
    by_title["Frost warnings"].closed = True
    by_title["Compost: hot/cold?"].pinned = True
    world.topics[GUILD] = known


def _forum() -> Iterator[Tl]:
    """Yield the forum's messages: the topics are created one after the other, then messages come in all of them."""
    yield _service(GUILD, 1, types.MessageActionChannelCreate("Garden Guild"), ADA)
    left: dict[int, int] = {GENERAL: _IN_GENERAL}
    sent: dict[int, list[int]] = {}
    id = 2
    for number, (title, count) in enumerate(TOPICS):
        icon = splitmix64(id, 3) >> 2
        action = types.MessageActionTopicCreate(_RENAMED.get(title, title), 0x6FB9F0, icon_emoji_id=icon)
        yield _service(GUILD, id, action, ADA)
        left[id] = count
        for later in range(id + 1, id + 1 + number % 3):
            yield _thread_message(GUILD, later, GENERAL, sent, forum=True)
            left[GENERAL] -= 1
        id += 1 + number % 3
    renamed = min(topic_id for topic_id, count in left.items() if count == max(left.values()))
    header = reply_header(0, renamed, forum=True)
    yield _service(GUILD, id, types.MessageActionTopicEdit(title="Seeds & bulbs"), ADA, header)
    closed = [topic_id for topic_id in left if topic_id != GENERAL][5]
    while any(left.values()):
        id += 1 + (splitmix64(id, 5) % 9 == 0)
        open_ones = [topic_id for topic_id, count in left.items() for _ in range(count)]
        thread = open_ones[splitmix64(id, 6) % len(open_ones)]
        left[thread] -= 1
        yield _thread_message(GUILD, id, thread, sent, forum=True)
    header = reply_header(0, closed, forum=True)
    yield _service(GUILD, id + 1, types.MessageActionTopicEdit(closed=True), ADA, header)


# -- Saved Messages


def _add_saved(world: World) -> None:
    """Add Saved Messages: own notes, forwards from Ada, the channel and a hidden author; some have tags."""
    hidden = types.User(HIDDEN, access_hash=access_hash("user", HIDDEN), first_name="Author Hidden")
    world.add_user(hidden)
    messages = []
    for number in range(_SAVED):
        id, source = 1000 + number, (ME, ADA, POST, HIDDEN)[number % 4]
        date = _date(id)
        forward = None
        if source == HIDDEN:
            forward = types.MessageFwdHeader(date, from_name="Somebody")
        elif source != ME:
            forward = types.MessageFwdHeader(
                date, from_id=peer(source), saved_from_peer=peer(source), saved_from_msg_id=id
            )
        tags = [emoji for emoji, every in (("📌", 5), ("❤", 7)) if number % every == 0]
        message = _message(ME, id, ME, saved_peer_id=peer(source), fwd_from=forward)
        if tags:
            counts = [types.ReactionCount(types.ReactionEmoji(tag), 1, chosen_order=at) for at, tag in enumerate(tags)]
            message.reactions = types.MessageReactions(counts, reactions_as_tags=True)
        messages.append(message)
    world.add_chat(ME, world.me, MemoryBase(messages, world.files.locations))
    world.saved_tags = {"📌": "to do: soon"}


# -- stories


def _add_stories(world: World, owner: int, count: int) -> None:
    """Add expired stories of a peer, from id 1 on; every second one is on the profile."""
    now = int(world.clock())
    for id in range(1, count + 1):
        data = jpeg(splitmix64(id, owner), JPEG_LEAST + id)
        date = now - (40 + count - id) * 86_400
        world.add_story(owner, f"Story {id}" if id % 3 else "", data, date=date, pinned=id % 2 == 1)


# -- channels and their discussion groups


def _add_channel(world: World, channel: int, entity: Tl, group: int) -> None:
    """Add a channel with some posts; the third and fourth are an album."""
    posts = [
        types.Message(
            id=id, peer_id=peer(channel), date=_date(id * 10), post=True, views=id * 11, forwards=id % 4,
            message="" if id == 4 else f"{entity.title}, number {id}", grouped_id=77 if id in (3, 4) else None,
        )
        for id in range(1, _POSTS + 1)
    ]  # fmt: skip
    info = FullInfo("Posts to talk about.", linked_chat=group)
    world.add_chat(channel, entity, MemoryBase(posts, world.files.locations), info)


def _add_discussion(world: World, channel: int, entity: Tl, group: int) -> None:
    """Add a discussion group: copies of the posts, comments on them, and other messages in between."""
    messages = [_service(group, 1, types.MessageActionChannelCreate(entity.title), ADA)]
    roots: dict[int, int] = {}
    sent: dict[int, list[int]] = {}
    for id in range(2, 2 + _TALK):
        post = len(roots) + 1
        if post <= _POSTS and id > post * 10:
            roots[post] = id
            header = types.MessageFwdHeader(
                _date(post * 10), from_id=peer(channel), channel_post=post, saved_from_peer=peer(channel),
                saved_from_msg_id=post,
            )  # fmt: skip
            text = world.history(channel).get(post).message  # type: ignore[union-attr]
            messages.append(
                types.Message(
                    id=id, peer_id=peer(group), date=_date(id), message=text, from_id=peer(channel), fwd_from=header
                )
            )
        elif roots and splitmix64(id, group, 11) % 3:
            thread = list(roots.values())[splitmix64(id, 12) % len(roots)]
            messages.append(_thread_message(group, id, thread, sent, forum=False))
        else:
            messages.append(_message(group, id, PEOPLE[splitmix64(id, 13) % len(PEOPLE)]))
    about = FullInfo("Talk.", PEOPLE, len(PEOPLE), linked_chat=channel)
    world.add_chat(group, entity, MemoryBase(messages, world.files.locations), about)


# -- messages


def _thread_message(chat: int, id: int, thread: int, sent: dict[int, list[int]], *, forum: bool) -> Tl:
    """Make a message of a thread; one in four answers an earlier message of the thread."""
    earlier = sent.setdefault(thread, [])
    answered = earlier[splitmix64(id, 7) % len(earlier)] if earlier and splitmix64(id, 8) % 4 == 0 else 0
    earlier.append(id)
    sender = PEOPLE[splitmix64(id, 9) % len(PEOPLE)]
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
