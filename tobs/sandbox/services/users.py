"""Users: short and full."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions, types

from tobs.sandbox.answers import entities_of
from tobs.sandbox.peers import marked_id
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.worlds import RpcError


@serves(functions.users.GetUsersRequest, any_dc=True)
def get_users(call: Call, request: Any) -> Any:
    """Return users in the order of the request, with userEmpty for missing ones."""
    return [_user(call, given) for given in request.id]


def _user(call: Call, given: Any) -> Any:
    if isinstance(given, types.InputUserSelf):
        return call.world.entity(call.key.user_id)
    try:
        return call.world.entity(marked_id(call.world, given))
    except RpcError:
        return types.UserEmpty(getattr(given, "user_id", 0))


@serves(functions.users.GetFullUserRequest)
def get_full_user(call: Call, request: Any) -> Any:
    marked = marked_id(call.world, request.id)
    user = call.world.entity(marked)
    if not isinstance(user, types.User):
        raise RpcError(400, "USER_ID_INVALID")
    about = call.world.peers.info(marked)
    full = types.UserFull(
        id=user.id,
        settings=types.PeerSettings(),
        notify_settings=types.PeerNotifySettings(),
        common_chats_count=0,
        about=about.about or None,
        profile_photo=about.photo,
        pinned_msg_id=about.pinned[0] if about.pinned else None,
    )
    users, chats = entities_of(call.world, [marked])
    return types.users.UserFull(full, chats, users)
