"""Login by QR code: a token is shown by who wants in, accepted by who is in already.

Source: core.telegram.org/api/qr-login. Tests and people accept by the control endpoint, ``POST /accept-login``.
"""

from __future__ import annotations

import base64
import binascii
import os
import time
from typing import Any, Final

from telethon.tl import functions, types

from tobs.sandbox.context import ServiceContext
from tobs.sandbox.options import API_HASH, API_ID, HOME_DC
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.state import LoginToken
from tobs.sandbox.worlds import RpcError
from tobs.sandbox.worlds.tl import to_date

_GOOD_FOR: Final = 30  # seconds


@serves(functions.auth.ExportLoginTokenRequest, login=False, any_dc=True)
def export_login_token(call: Call, request: Any) -> Any:
    """A new token, or what became of the one that was accepted: the login, or where it has to be fetched."""
    if (request.api_id, request.api_hash) != (API_ID, API_HASH):
        raise RpcError(400, "API_ID_INVALID")
    tokens = call.state.login_tokens
    accepted = [(token, it) for token, it in tokens.items() if it.key_id == call.key.key_id and it.user_id]
    for token, it in accepted:
        if not it.used:
            if call.dc != HOME_DC:
                return types.auth.LoginTokenMigrateTo(HOME_DC, token)
            return _enter(call, it)
    token = os.urandom(32)
    expires = call.clock() + _GOOD_FOR
    tokens[token] = LoginToken(call.key.key_id, expires, wants_update=call.with_updates)
    return types.auth.LoginToken(to_date(expires), token)


@serves(functions.auth.ImportLoginTokenRequest, login=False)
def import_login_token(call: Call, request: Any) -> Any:
    """The login of an accepted token on the account's own data centre."""
    it = call.state.login_tokens.get(bytes(request.token))
    if it is None or it.used:
        raise RpcError(400, "AUTH_TOKEN_INVALID")
    if not it.user_id:
        raise RpcError(400, "AUTH_TOKEN_EXPIRED")
    return _enter(call, it)


def _enter(call: Call, it: LoginToken) -> Any:
    it.used = True
    if call.options.password:
        call.key.pending = it.user_id
        raise RpcError(401, "SESSION_PASSWORD_NEEDED")
    call.key.user_id = it.user_id
    return types.auth.LoginTokenSuccess(types.auth.Authorization(call.world.entity(it.user_id)))


@serves(functions.auth.AcceptLoginTokenRequest)
def accept_login_token(call: Call, request: Any) -> Any:
    """What the app that scans the code asks."""
    accept(call.context, bytes(request.token), call.key.user_id)
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


def accept(context: ServiceContext, token: bytes, user_id: int) -> None:
    """Log ``user_id`` in on the device that shows ``token``, and push an update to it.

    Raise AUTH_TOKEN_INVALID, AUTH_TOKEN_ALREADY_ACCEPTED or AUTH_TOKEN_EXPIRED.
    """
    it = context.state.login_tokens.get(token)
    if it is None:
        raise RpcError(400, "AUTH_TOKEN_INVALID")
    if it.user_id:
        raise RpcError(400, "AUTH_TOKEN_ALREADY_ACCEPTED")
    if it.expires < context.clock():
        raise RpcError(400, "AUTH_TOKEN_EXPIRED")
    it.user_id = user_id
    update = bytes(types.UpdateShort(types.UpdateLoginToken(), to_date(context.clock())))
    for session in context.sessions:
        if it.wants_update and session.key.key_id == it.key_id:
            session.connection.send(session, update)


def read_token(given: str) -> bytes:
    """The token of a ``tg://login?token=`` link, or of its last part alone. Raises ValueError."""
    text = given.rpartition("token=")[2]
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError(f"this is no login token: {error}") from None
