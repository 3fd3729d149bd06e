"""The world of chats: one chat of each kind, with few messages, for tests of targets.

A supergroup and the basic group it grew from, private chats, a bot, Saved Messages, an archived channel, a channel
the account has left, channels behind invite links, and Telegram folders. Private chats, the bot, Saved Messages and
basic groups share one sequence of ids, alternately.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import cycle, islice
from typing import Any, Final

from telethon.tl import types

from tobs.model import bare_id, is_channel_id, marked_channel, marked_group
from tobs.sandbox.worlds.history import MemoryBase
from tobs.sandbox.worlds.peers import FullInfo, Invite
from tobs.sandbox.worlds.phrases import SENTENCES
from tobs.sandbox.worlds.seeds import access_hash
from tobs.sandbox.worlds.tl import Tl, peer
from tobs.sandbox.worlds.world import World

ME: Final = 660_000_001
ADA: Final = 660_000_002
BEN: Final = 660_000_003
WEATHER: Final = 660_000_004
CIRCLE: Final = marked_group(660_000_010)
"""The basic group that became CLUB."""
CLUB: Final = marked_channel(1_660_000_001)
QUIET: Final = marked_channel(1_660_000_002)
LEFT: Final = marked_channel(1_660_000_003)
MEMBERS: Final = marked_channel(1_660_000_004)
INVITED: Final = marked_channel(1_660_000_005)

MEMBERS_CODE: Final = "MembersOnly12345"
INVITED_CODE: Final = "PleaseJoin123456"
EXPIRED_CODE: Final = "Expired123456789"

_START: Final = 1_700_000_000
_STEP: Final = 3_600
_SHARED: Final = {ME: 130, ADA: 260, BEN: 40, WEATHER: 25, CIRCLE: 230}
_OWN: Final = {CLUB: 150, QUIET: 12, LEFT: 15, MEMBERS: 9, INVITED: 7}


def chats_world() -> World:
    """Make the world of chats."""
    world = World("chats", _user(ME, "Kim", "kim_sandbox", is_self=True, phone="9996626666"), epoch=_START + 9_000_000)
    for user in (
        _user(ADA, "Ada North", "ada_north", contact=True),
        _user(BEN, "Ben Okafor", ""),
        _user(WEATHER, "Weather", "sandbox_weather_bot", bot=True, bot_info_version=1),
    ):
        world.add_user(user, FullInfo(about=f"{user.first_name} of the sandbox."))
    shared = _shared_ids()
    for chat in (ME, ADA, BEN, WEATHER):
        base = MemoryBase(_messages(chat, shared[chat]), world.files.locations)
        world.add_chat(chat, world.entity(chat), base)
    _add_club(world, shared[CIRCLE])
    for chat, title, username in (
        (QUIET, "Quiet Channel", ""),
        (LEFT, "Left Behind", ""),
        (MEMBERS, "Members Only", ""),
        (INVITED, "By Invitation", ""),
    ):
        base = MemoryBase(_messages(chat, range(1, _OWN[chat] + 1)), world.files.locations)
        world.add_chat(chat, _channel(chat, title, username, left=chat in (LEFT, INVITED)), base, FullInfo(title))
    chat_list = world.chat_list
    chat_list.archived.add(QUIET)
    chat_list.unlisted.update((LEFT, INVITED))
    chat_list.closed.add(INVITED)
    chat_list.invites = {MEMBERS_CODE: Invite(MEMBERS), INVITED_CODE: Invite(INVITED), EXPIRED_CODE: Invite(0)}
    chat_list.folders = _folders(world)
    world.targets = ["@chess_club", "@ada_north", "me"]
    return world


def _shared_ids() -> dict[int, list[int]]:
    """Return the ids of each chat in the account's sequence; the chats alternate until each has its messages."""
    left, ids = dict(_SHARED), {chat: list[int]() for chat in _SHARED}
    turns, number = cycle(_SHARED), 1
    while any(left.values()):
        chat = next(turns)
        said = min(left[chat], 1 + number % 3)
        ids[chat] += range(number, number + said)
        left[chat] -= said
        number += said + (number % 7 == 0)
    return ids


def _add_club(world: World, old_ids: Sequence[int]) -> None:
    old = _messages(CIRCLE, old_ids[:-1])
    moved = {"id": old_ids[-1], "peer_id": peer(CIRCLE), "from_id": peer(ME), "out": True, "date": _date(old_ids[-1])}
    old.append(types.MessageService(action=types.MessageActionChatMigrateTo(bare_id(CLUB)), **moved))
    moved |= {"id": 1, "peer_id": peer(CLUB)}
    began = types.MessageService(action=types.MessageActionChannelMigrateFrom("Chess Circle", bare_id(CIRCLE)), **moved)
    new = [began, *_messages(CLUB, range(2, _OWN[CLUB] + 1), after=old_ids[-1])]
    club = _channel(CLUB, "Chess Club", "chess_club", broadcast=None, megagroup=True)
    world.add_chat(CIRCLE, _circle(club), MemoryBase(old, world.files.locations), FullInfo(members=(ME, ADA, BEN)))
    about = FullInfo("Chess, since the circle.", (ME, ADA, BEN), 3, migrated_from=CIRCLE, migrated_from_top=old_ids[-1])
    world.add_chat(CLUB, club, MemoryBase(new, world.files.locations), about)


def _messages(chat: int, ids: Iterable[int], *, after: int = 0) -> list[Tl]:
    """Make messages of alternating senders; dates rise with the ids."""
    speakers = {ADA: (ADA, ME), BEN: (BEN, ME), WEATHER: (ME, WEATHER), CIRCLE: (ADA, BEN, ME), CLUB: (BEN, ADA, ME)}
    turns = islice(cycle(speakers.get(chat, (0,))), 10**9)
    found = []
    for id, sender in zip(ids, turns, strict=False):
        common: dict[str, Any] = {"id": id, "peer_id": peer(chat), "date": _date(after + id)}
        if chat == ME:
            common |= {"from_id": peer(ME), "saved_peer_id": peer(ME)}
        elif sender and sender != chat:
            common |= {"from_id": peer(sender)}
        if sender == ME:
            common |= {"out": True}
        if is_channel_id(chat) and not sender:
            common |= {"post": True, "views": id * 10, "forwards": id % 3}
        if id % 5 == 0:
            common |= {"reply_to": types.MessageReplyHeader(reply_to_msg_id=id - 1)} if chat == CLUB and id > 2 else {}
        found.append(types.Message(message=SENTENCES[(id * 7 + abs(chat)) % len(SENTENCES)], **common))
    return found


def _date(id: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(_START + id * _STEP, dt.UTC)


def _user(id: int, name: str, username: str, **more: Any) -> Tl:
    return types.User(id, access_hash=access_hash("user", id), first_name=name, username=username or None, **more)


def _channel(marked: int, title: str, username: str, **more: Any) -> Tl:
    id = bare_id(marked)
    common = {"broadcast": True, "access_hash": access_hash("channel", id), "username": username or None} | more
    return types.Channel(id, title, types.ChatPhotoEmpty(), _date(0), **{key: v or None for key, v in common.items()})


def _circle(club: Tl) -> Tl:
    return types.Chat(
        bare_id(CIRCLE), "Chess Circle", types.ChatPhotoEmpty(), 0, _date(0), 1,
        deactivated=True, migrated_to=types.InputChannel(club.id, club.access_hash),
    )  # fmt: skip


def _folders(world: World) -> list[Tl]:
    def given(chat: int) -> Tl:
        entity = world.peers.entities[chat]
        if chat == ME:
            return types.InputPeerSelf()
        if is_channel_id(chat):
            return types.InputPeerChannel(entity.id, entity.access_hash)
        return types.InputPeerUser(entity.id, entity.access_hash)

    def named(text: str) -> Tl:
        return types.TextWithEntities(text, [])

    return [
        types.DialogFilterDefault(),
        types.DialogFilter(2, named("Games"), [], [given(CLUB), given(ADA)], []),
        types.DialogFilter(
            3, named("People"), [given(ME)], [], [given(BEN)], contacts=True, non_contacts=True, bots=True
        ),
        types.DialogFilter(4, named("Channels"), [], [], [], broadcasts=True, exclude_archived=True),
        types.DialogFilterChatlist(5, named("Shared ♟"), [], [given(CLUB), given(MEMBERS)]),
    ]
