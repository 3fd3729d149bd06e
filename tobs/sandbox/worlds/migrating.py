"""A basic group that becomes a supergroup, as Telegram does it.

Source: https://core.telegram.org/api/channel#migration
"""

from __future__ import annotations

import datetime as dt

from telethon.tl import types

from tobs.model import bare_id, is_channel_id, marked_channel
from tobs.sandbox.worlds.files import RpcError, access_hash
from tobs.sandbox.worlds.world import About, EmptyBase, World


def migrate(world: World, group: int, *, username: str = "") -> int:
    """Make a supergroup of the basic group ``group``, which stays with what was said in it; the new marked id."""
    old = world.entity(group)
    if group > 0 or is_channel_id(group) or old.migrated_to is not None:
        raise RpcError(400, "CHAT_ID_INVALID")
    id = 2_000_000_000 + bare_id(group) % 1_000_000
    new, now = marked_channel(id), dt.datetime.fromtimestamp(int(world.clock()), dt.UTC)
    about = world.about.get(group, About())
    world.post(group, sender=world.me.id, action=types.MessageActionChatMigrateTo(id))
    old.migrated_to, old.deactivated = types.InputChannel(id, access_hash("channel", id)), True
    channel = types.Channel(
        id, old.title, types.ChatPhotoEmpty(), now, access_hash=access_hash("channel", id), megagroup=True,
        username=username or None, participants_count=len(about.members),
    )  # fmt: skip
    told = About(about.about, about.members, len(about.members), migrated_from=group)
    told.migrated_from_top = world.history(group).top_id
    world.add_chat(new, channel, EmptyBase(), told)
    world.post(new, sender=world.me.id, action=types.MessageActionChannelMigrateFrom(old.title, bare_id(group)))
    return new
