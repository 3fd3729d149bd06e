"""Parts of answers that several services give: users and chats, an entry of the chat list, the update state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from telethon.tl import types

from tobs.model import is_channel_id
from tobs.sandbox.rpc import Call
from tobs.sandbox.worlds import COMMON, World
from tobs.sandbox.worlds.tl import peer, to_date

ARCHIVE_FOLDER: Final = 1


def entities_of(world: World, ids: Iterable[int]) -> tuple[list[Any], list[Any]]:
    """Return the users and the chats of some marked ids, each once; unknown ids are left out."""
    known = [world.peers.entities[marked] for marked in dict.fromkeys(ids) if marked in world.peers.entities]
    users = [entity for entity in known if isinstance(entity, types.User | types.UserEmpty)]
    return users, [entity for entity in known if not isinstance(entity, types.User | types.UserEmpty)]


def entities_of_pages(world: World, pages: Iterable[tuple[int, Iterable[int]]]) -> tuple[list[Any], list[Any]]:
    """Return the users and chats that messages of several chats name; ``pages``: chat and message ids."""
    users: dict[int, Any] = {}
    chats: dict[tuple[str, int], Any] = {}
    for chat, ids in pages:
        page_users, page_chats = world.page_entities(chat, ids)
        users.update((user.id, user) for user in page_users)
        chats.update(((type(entity).__name__, entity.id), entity) for entity in page_chats)
    return list(users.values()), list(chats.values())


def dialog_entry(world: World, marked: int) -> Any:
    """Return a chat's entry in the list of chats."""
    history = world.history(marked)
    return types.Dialog(
        peer=peer(marked),
        top_message=history.top_id,
        read_inbox_max_id=history.top_id,
        read_outbox_max_id=history.top_id,
        unread_count=0,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        notify_settings=types.PeerNotifySettings(),
        pts=world.pts(marked) if is_channel_id(marked) else None,
        folder_id=ARCHIVE_FOLDER if marked in world.chat_list.archived else None,
    )


def update_state(call: Call, pts: int | None = None) -> Any:
    """Return the updates.state of private chats and basic groups; never 0, or Telethon ignores pushed updates."""
    return types.updates.State(call.world.pts(COMMON) if pts is None else pts, 0, to_date(call.clock()), 1, 0)
