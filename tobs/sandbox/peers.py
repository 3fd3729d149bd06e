"""From what a client calls a peer to its marked id, and back to the users and chats an answer brings along."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from telethon.tl import types

from tobs.model import marked_channel, marked_group, marked_user
from tobs.sandbox.worlds import Refused, World


def marked_id(world: World, given: Any) -> int:
    """The marked id of an InputPeer, InputUser or InputChannel; raises PEER_ID_INVALID, CHANNEL_INVALID.

    A wrong access hash is refused as Telegram does; 0 is refused for everyone but the account itself.
    """
    match given:
        case types.InputPeerSelf() | types.InputUserSelf():
            return int(world.me.id)
        case types.InputPeerUser() | types.InputUser():
            return _checked(world, marked_user(given.user_id), given.access_hash, "PEER_ID_INVALID")
        case types.InputPeerChat():
            return _checked(world, marked_group(given.chat_id), None, "PEER_ID_INVALID")
        case types.InputPeerChannel() | types.InputChannel():
            return _checked(world, marked_channel(given.channel_id), given.access_hash, "CHANNEL_INVALID")
        case types.InputPeerUserFromMessage() | types.InputUserFromMessage():
            _check_message(world, given)
            return marked_user(given.user_id)
        case types.InputPeerChannelFromMessage() | types.InputChannelFromMessage():
            _check_message(world, given)
            return marked_channel(given.channel_id)
    raise Refused(400, "PEER_ID_INVALID")


def _checked(world: World, marked: int, access_hash: int | None, error: str) -> int:
    entity = world.entities.get(marked)
    if entity is None:
        raise Refused(400, error)
    known = getattr(entity, "access_hash", None)
    if access_hash is not None and known is not None and access_hash != known and marked != world.me.id:
        raise Refused(400, error)
    return marked


def _check_message(world: World, given: Any) -> None:
    if not world.history(marked_id(world, given.peer)).has(given.msg_id):
        raise Refused(400, "MSG_ID_INVALID")


def entities_of(world: World, ids: Iterable[int]) -> tuple[list[Any], list[Any]]:
    """The users and the chats of some marked ids, each once; unknown ones are left out."""
    known = [world.entities[marked] for marked in dict.fromkeys(ids) if marked in world.entities]
    users = [entity for entity in known if isinstance(entity, types.User | types.UserEmpty)]
    return users, [entity for entity in known if not isinstance(entity, types.User | types.UserEmpty)]


def together(world: World, pages: Iterable[tuple[int, Iterable[int]]]) -> tuple[list[Any], list[Any]]:
    """The users and chats that messages of several chats need: pairs of chat and message ids."""
    users: dict[int, Any] = {}
    chats: dict[tuple[str, int], Any] = {}
    for chat, ids in pages:
        page_users, page_chats = world.people(chat, ids)
        users.update((user.id, user) for user in page_users)
        chats.update(((type(entity).__name__, entity.id), entity) for entity in page_chats)
    return list(users.values()), list(chats.values())
