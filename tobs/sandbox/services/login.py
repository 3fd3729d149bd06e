"""Login by code or bot token, logout, and export of a login to another data centre."""

from __future__ import annotations

import secrets
from typing import Any, Final

from telethon.tl import functions, types

from tobs.sandbox.options import API_HASH, API_ID, BOT_TOKEN
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.state import KeyState, SentCode
from tobs.sandbox.worlds import RpcError

_CODE_LIFETIME: Final = 300  # seconds
_MAX_WRONG_CODES: Final = 5  # codes for one hash


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))


def _check_app(request: Any) -> None:
    if (request.api_id, request.api_hash) != (API_ID, API_HASH):
        raise RpcError(400, "API_ID_INVALID")


@serves(functions.auth.SendCodeRequest, login=False)
def send_code(call: Call, request: Any) -> Any:
    """Begin a login; the code is that of the ready file, and nothing is sent."""
    _check_app(request)
    if _digits(request.phone_number) != _digits(call.world.phone):
        raise RpcError(400, "PHONE_NUMBER_INVALID")
    return _new_code(call, 0)


@serves(functions.auth.ResendCodeRequest, login=False)
def resend_code(call: Call, request: Any) -> Any:
    """Send the code again: by app first, then by SMS, then by a call; raise SEND_CODE_UNAVAILABLE after that."""
    sent = call.state.codes.get(request.phone_code_hash)
    if sent is None or sent.phone != _digits(request.phone_number):
        raise RpcError(400, "PHONE_CODE_EXPIRED")
    if sent.delivery + 1 >= len(_CODE_TYPES):
        raise RpcError(406, "SEND_CODE_UNAVAILABLE")
    del call.state.codes[request.phone_code_hash]
    return _new_code(call, sent.delivery + 1)


_CODE_TYPES: Final = (types.auth.SentCodeTypeApp, types.auth.SentCodeTypeSms, types.auth.SentCodeTypeCall)
_NEXT_CODE_TYPES: Final = (types.auth.CodeTypeSms, types.auth.CodeTypeCall, None)


def _new_code(call: Call, delivery: int) -> Any:
    code_hash = secrets.token_hex(9)
    call.state.codes[code_hash] = SentCode(_digits(call.world.phone), delivery, call.clock() + _CODE_LIFETIME)
    after = _NEXT_CODE_TYPES[delivery]
    return types.auth.SentCode(
        _CODE_TYPES[delivery](len(call.options.code)), code_hash, next_type=after() if after else None, timeout=60
    )


@serves(functions.auth.CancelCodeRequest, login=False)
def cancel_code(call: Call, request: Any) -> bool:
    return call.state.codes.pop(request.phone_code_hash, None) is not None


@serves(functions.auth.SignInRequest, login=False)
def sign_in(call: Call, request: Any) -> Any:
    if not request.phone_code:
        raise RpcError(400, "PHONE_CODE_EMPTY")
    sent = call.state.codes.get(request.phone_code_hash)
    if sent is None or sent.phone != _digits(request.phone_number) or sent.until < call.clock():
        raise RpcError(400, "PHONE_CODE_EXPIRED")
    if request.phone_code != call.options.code:
        sent.wrong += 1
        if sent.wrong >= _MAX_WRONG_CODES:
            del call.state.codes[request.phone_code_hash]
        raise RpcError(400, "PHONE_CODE_INVALID")
    del call.state.codes[request.phone_code_hash]
    me = call.world.me
    if call.options.password:
        call.key.pending = me.id
        raise RpcError(401, "SESSION_PASSWORD_NEEDED")
    call.key.user_id = me.id
    return types.auth.Authorization(me)


# -- bots

_BOT_ID: Final = int(BOT_TOKEN.partition(":")[0])

# Methods that Telegram refuses to bots (core.telegram.org/methods): lists of chats and their histories.
NOT_FOR_BOTS: Final = frozenset(
    {
        "account.initTakeoutSession",
        "channels.getLeftChannels",
        "contacts.getContacts",
        "messages.getDialogFilters",
        "messages.getDialogs",
        "messages.getHistory",
        "messages.getPeerDialogs",
        "messages.getPinnedDialogs",
        "messages.getReplies",
        "messages.getSavedDialogs",
        "messages.getSavedHistory",
        "messages.getSplitRanges",
        "messages.search",
    }
)


def check_key(key: KeyState, method: str, *, needs_login: bool) -> None:
    """Check that ``key`` may call ``method``; raise RpcError."""
    if key.ended:
        raise RpcError(406 if key.ended == "AUTH_KEY_DUPLICATED" else 401, key.ended)
    if needs_login and not key.user_id:
        raise RpcError(401, "AUTH_KEY_UNREGISTERED")
    if key.is_bot and method in NOT_FOR_BOTS:
        raise RpcError(400, "BOT_METHOD_INVALID")


@serves(functions.auth.ImportBotAuthorizationRequest, login=False)
def import_bot_authorization(call: Call, request: Any) -> Any:
    """Log a bot in, an account of its own; its token is that of the ready file."""
    _check_app(request)
    if request.bot_auth_token != BOT_TOKEN:
        raise RpcError(400, "ACCESS_TOKEN_INVALID")
    bot = types.User(
        id=_BOT_ID,
        is_self=True,
        bot=True,
        bot_info_version=1,
        access_hash=_BOT_ID,
        first_name="Sandbox Bot",
        username="tobs_sandbox_bot",
    )
    call.world.add_user(bot)
    call.key.user_id, call.key.is_bot = bot.id, True
    return types.auth.Authorization(bot)


# -- the end, and other data centres


@serves(functions.auth.LogOutRequest, any_dc=True)
def log_out(call: Call, request: Any) -> Any:
    call.key.user_id = 0
    call.session.wants_updates = False
    return types.auth.LoggedOut()


@serves(functions.auth.ExportAuthorizationRequest)
def export_authorization(call: Call, request: Any) -> Any:
    if request.dc_id not in call.context.ports or request.dc_id == call.dc:
        raise RpcError(400, "DC_ID_INVALID")
    user_id = call.key.user_id
    return types.auth.ExportedAuthorization(user_id, call.state.export_authorization(user_id))


@serves(functions.auth.ImportAuthorizationRequest, login=False, any_dc=True)
def import_authorization(call: Call, request: Any) -> Any:
    user_id = call.state.exported.pop(bytes(request.bytes), None)
    if user_id is None or user_id != request.id:
        raise RpcError(400, "AUTH_BYTES_INVALID")
    call.key.user_id = user_id
    call.key.is_bot = user_id == _BOT_ID
    return types.auth.Authorization(call.world.entity(user_id))
