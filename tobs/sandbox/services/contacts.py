"""People and chats by username or phone number, and the contacts."""

from __future__ import annotations

import re
from typing import Any, Final

from telethon.tl import functions, types

from tobs.sandbox.answers import entities_of
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.worlds import RpcError
from tobs.sandbox.worlds.tl import peer

_USERNAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,31}")


@serves(functions.contacts.ResolveUsernameRequest)
def resolve_username(call: Call, request: Any) -> Any:
    if not _USERNAME.fullmatch(request.username):
        raise RpcError(400, "USERNAME_INVALID")
    return _resolved(call, call.world.resolve(request.username))


@serves(functions.contacts.ResolvePhoneRequest)
def resolve_phone(call: Call, request: Any) -> Any:
    for marked, entity in call.world.peers.entities.items():
        if isinstance(entity, types.User) and entity.phone and entity.phone == request.phone.lstrip("+"):
            return _resolved(call, marked)
    raise RpcError(400, "PHONE_NOT_OCCUPIED")


def _resolved(call: Call, marked: int) -> Any:
    users, chats = entities_of(call.world, [marked])
    return types.contacts.ResolvedPeer(peer(marked), chats, users)


@serves(functions.contacts.GetContactsRequest)
def get_contacts(call: Call, request: Any) -> Any:
    """Return the users that the world marks as contacts."""
    users = [user for user in call.world.peers.entities.values() if isinstance(user, types.User) and user.contact]
    found = [types.Contact(user.id, bool(user.mutual_contact)) for user in users]
    return types.contacts.Contacts(found, 0, users)
