"""Login by QR code: a new device shows a token, a logged-in device accepts login.

Source: core.telegram.org/api/qr-login. A token can also be accepted by the control endpoint, ``POST /accept-login``.
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

_LIFETIME: Final = 30  # seconds


@serves(functions.auth.ExportLoginTokenRequest, login=False, any_dc=True)
def export_login_token(call: Call, request: Any) -> Any:
    """Return a new token; for an accepted token the login, or the data centre that has login."""
    if (request.api_id, request.api_hash) != (API_ID, API_HASH):
        raise RpcError(400, "API_ID_INVALID")
    tokens = call.state.login_tokens
    accepted = [(token, login) for token, login in tokens.items() if login.key_id == call.key.key_id and login.user_id]
    for token, login in accepted:
        if not login.used:
            if call.dc != HOME_DC:
                return types.auth.LoginTokenMigrateTo(HOME_DC, token)
            return _log_in(call, login)
    token = os.urandom(32)
    expires = call.clock() + _LIFETIME
    tokens[token] = LoginToken(call.key.key_id, expires, wants_update=call.with_updates)
    return types.auth.LoginToken(to_date(expires), token)


@serves(functions.auth.ImportLoginTokenRequest, login=False)
def import_login_token(call: Call, request: Any) -> Any:
    """Log in with an accepted token on the account's home data centre."""
    login = call.state.login_tokens.get(bytes(request.token))
    if login is None or login.used:
        raise RpcError(400, "AUTH_TOKEN_INVALID")
    if not login.user_id:
        raise RpcError(400, "AUTH_TOKEN_EXPIRED")
    return _log_in(call, login)


def _log_in(call: Call, login: LoginToken) -> Any:
    login.used = True
    if call.options.password:
        call.key.pending = login.user_id
        raise RpcError(401, "SESSION_PASSWORD_NEEDED")
    call.key.user_id = login.user_id
    return types.auth.LoginTokenSuccess(types.auth.Authorization(call.world.entity(login.user_id)))


@serves(functions.auth.AcceptLoginTokenRequest)
def accept_login_token(call: Call, request: Any) -> Any:
    """Accept a token from the app that has scanned the QR code."""
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
    """Log ``user_id`` in on the device that shows ``token``, and push an update to login.

    Raise AUTH_TOKEN_INVALID, AUTH_TOKEN_ALREADY_ACCEPTED or AUTH_TOKEN_EXPIRED.
    """
    login = context.state.login_tokens.get(token)
    if login is None:
        raise RpcError(400, "AUTH_TOKEN_INVALID")
    if login.user_id:
        raise RpcError(400, "AUTH_TOKEN_ALREADY_ACCEPTED")
    if login.expires < context.clock():
        raise RpcError(400, "AUTH_TOKEN_EXPIRED")
    login.user_id = user_id
    update = bytes(types.UpdateShort(types.UpdateLoginToken(), to_date(context.clock())))
    for session in context.sessions:
        if login.wants_update and session.key.key_id == login.key_id:
            session.connection.send(session, update)


def read_token(given: str) -> bytes:
    """Return the token of a ``tg://login?token=`` link, or of its last part alone; raise ValueError."""
    text = given.rpartition("token=")[2]
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError(f"This is not a login token: {error}.") from None
