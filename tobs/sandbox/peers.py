"""The marked ids of the InputPeer objects that clients send, with a check of their access hashes."""

from __future__ import annotations

from typing import Any

from telethon.tl import types

from tobs.model import marked_channel, marked_group, marked_user
from tobs.sandbox.worlds import RpcError, World


def marked_id(world: World, given: Any) -> int:
    """Return the marked id of an InputPeer, InputUser or InputChannel; raise PEER_ID_INVALID or CHANNEL_INVALID.

    A wrong access hash is an error, as with Telegram; 0 is right for the account itself only.
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
    raise RpcError(400, "PEER_ID_INVALID")


def _checked(world: World, marked: int, access_hash: int | None, error: str) -> int:
    entity = world.peers.entities.get(marked)
    if entity is None:
        raise RpcError(400, error)
    known = getattr(entity, "access_hash", None)
    if access_hash is not None and known is not None and access_hash != known and marked != world.me.id:
        raise RpcError(400, error)
    return marked


def _check_message(world: World, given: Any) -> None:
    if not world.history(marked_id(world, given.peer)).has(given.msg_id):
        raise RpcError(400, "MSG_ID_INVALID")
