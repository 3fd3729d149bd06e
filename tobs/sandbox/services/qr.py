"""Login by QR code: a token is shown by who wants in, accepted by who is in already.

Source: core.telegram.org/api/qr-login. Tests and people accept by the control endpoint, ``POST /accept-login``.
"""

from __future__ import annotations

import base64
import binascii
import os
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
from telethon.tl import functions, types

from tobs.sandbox.dates import to_date
from tobs.sandbox.options import API_HASH, API_ID
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.worlds import Refused
from tobs.sandbox.worlds.files import DC_ORDER

if TYPE_CHECKING:
    from tobs.sandbox.server import Server

_GOOD_FOR: Final = 30  # seconds


class LoginToken(msgspec.Struct):
    """A token shown by the holder of an authorization key. ``user_id`` is 0 until someone accepts it."""

    key_id: int
    expires: float
    user_id: int = 0
    told: bool = True
    used: bool = False


@serves(functions.auth.ExportLoginTokenRequest, login=False, any_dc=True)
def export_login_token(call: Call, request: Any) -> Any:
    """A new token, or what became of the one that was accepted: the login, or where it has to be fetched."""
    if (request.api_id, request.api_hash) != (API_ID, API_HASH):
        raise Refused(400, "API_ID_INVALID")
    home = DC_ORDER[0]
    tokens = call.state.login_tokens
    accepted = [(token, it) for token, it in tokens.items() if it.key_id == call.key.key_id and it.user_id]
    for token, it in accepted:
        if not it.used:
            if call.dc != home:
                return types.auth.LoginTokenMigrateTo(home, token)
            return _enter(call, it)
    token = os.urandom(32)
    expires = call.clock() + _GOOD_FOR
    tokens[token] = LoginToken(call.key.key_id, expires, told=call.with_updates)
    return types.auth.LoginToken(to_date(expires), token)


@serves(functions.auth.ImportLoginTokenRequest, login=False)
def import_login_token(call: Call, request: Any) -> Any:
    """The login of an accepted token on the account's own data centre."""
    it = call.state.login_tokens.get(bytes(request.token))
    if it is None or it.used:
        raise Refused(400, "AUTH_TOKEN_INVALID")
    if not it.user_id:
        raise Refused(400, "AUTH_TOKEN_EXPIRED")
    return _enter(call, it)


def _enter(call: Call, it: LoginToken) -> Any:
    it.used = True
    if call.server.options.password:
        call.key.pending = it.user_id
        raise Refused(401, "SESSION_PASSWORD_NEEDED")
    call.key.user_id = it.user_id
    return types.auth.LoginTokenSuccess(types.auth.Authorization(call.world.entity(it.user_id)))


@serves(functions.auth.AcceptLoginTokenRequest)
def accept_login_token(call: Call, request: Any) -> Any:
    """What the app that scans the code asks."""
    accept(call.server, bytes(request.token), call.key.user_id)
    now = to_date(time.time())
    return types.Authorization(
        hash=1,
        device_model="scanned",
        platform="",
        system_version="",
        api_id=API_ID,
        app_name="",
        app_version="",
        date_created=now,
        date_active=now,
        ip="127.0.0.1",
        country="",
        region="",
    )


def accept(server: Server, token: bytes, user_id: int) -> None:
    """Let ``user_id`` in where ``token`` is shown, and say so there. Raises AUTH_TOKEN_INVALID, AUTH_TOKEN_EXPIRED."""
    it = server.state.login_tokens.get(token)
    if it is None:
        raise Refused(400, "AUTH_TOKEN_INVALID")
    if it.user_id:
        raise Refused(400, "AUTH_TOKEN_ALREADY_ACCEPTED")
    if it.expires < server.clock():
        raise Refused(400, "AUTH_TOKEN_EXPIRED")
    it.user_id = user_id
    update = bytes(types.UpdateShort(types.UpdateLoginToken(), to_date(server.clock())))
    for connection in server.connections.values():
        for session in connection.sessions:
            if it.told and session.key.key_id == it.key_id:
                connection.say(session, update)


def read_token(given: str) -> bytes:
    """The token of a ``tg://login?token=`` link, or of its last part alone. Raises ValueError."""
    text = given.rpartition("token=")[2]
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError(f"this is no login token: {error}") from None
