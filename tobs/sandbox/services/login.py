"""Login by code, logout, and taking a login along to another data centre."""

from __future__ import annotations

import secrets
from typing import Any

from telethon.tl import functions, types

from tobs.sandbox.options import API_HASH, API_ID
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.worlds import Refused


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))


@serves(functions.auth.SendCodeRequest, login=False)
def send_code(call: Call, request: Any) -> Any:
    """The code is the one in the ready file; nothing is sent anywhere."""
    if (request.api_id, request.api_hash) != (API_ID, API_HASH):
        raise Refused(400, "API_ID_INVALID")
    if _digits(request.phone_number) != _digits(call.world.phone):
        raise Refused(400, "PHONE_NUMBER_INVALID")
    return _new_code(call)


@serves(functions.auth.ResendCodeRequest, login=False)
def resend_code(call: Call, request: Any) -> Any:
    if call.state.codes.pop(request.phone_code_hash, None) is None:
        raise Refused(400, "PHONE_CODE_EXPIRED")
    return _new_code(call)


def _new_code(call: Call) -> Any:
    code_hash = secrets.token_hex(9)
    call.state.codes[code_hash] = _digits(call.world.phone)
    sent = types.auth.SentCodeTypeApp(len(call.server.options.code))
    return types.auth.SentCode(sent, code_hash, next_type=types.auth.CodeTypeSms(), timeout=60)


@serves(functions.auth.CancelCodeRequest, login=False)
def cancel_code(call: Call, request: Any) -> bool:
    return call.state.codes.pop(request.phone_code_hash, None) is not None


@serves(functions.auth.SignInRequest, login=False)
def sign_in(call: Call, request: Any) -> Any:
    if not request.phone_code:
        raise Refused(400, "PHONE_CODE_EMPTY")
    if call.state.codes.get(request.phone_code_hash) != _digits(request.phone_number):
        raise Refused(400, "PHONE_CODE_EXPIRED")
    if request.phone_code != call.server.options.code:
        raise Refused(400, "PHONE_CODE_INVALID")
    del call.state.codes[request.phone_code_hash]
    call.key.user_id = call.world.me.id
    return types.auth.Authorization(call.world.me)


@serves(functions.auth.LogOutRequest, any_dc=True)
def log_out(call: Call, request: Any) -> Any:
    call.key.user_id = 0
    call.session.wants_updates = False
    return types.auth.LoggedOut()


@serves(functions.auth.ExportAuthorizationRequest)
def export_authorization(call: Call, request: Any) -> Any:
    if request.dc_id not in call.server.ports or request.dc_id == call.dc:
        raise Refused(400, "DC_ID_INVALID")
    user_id = call.key.user_id
    return types.auth.ExportedAuthorization(user_id, call.state.export_authorization(user_id))


@serves(functions.auth.ImportAuthorizationRequest, login=False, any_dc=True)
def import_authorization(call: Call, request: Any) -> Any:
    user_id = call.state.exported.pop(bytes(request.bytes), None)
    if user_id is None or user_id != request.id:
        raise Refused(400, "AUTH_BYTES_INVALID")
    call.key.user_id = user_id
    return types.auth.Authorization(call.world.me)
