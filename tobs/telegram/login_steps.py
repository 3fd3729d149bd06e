"""Steps of a login: the code and its delivery, the password, the QR code.

Sources: https://core.telegram.org/api/auth https://core.telegram.org/api/srp https://core.telegram.org/api/qr-login
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct
from telethon.password import compute_check
from telethon.tl import functions, types

from tobs.errors import LoginError, MigrateNeeded, TobsError
from tobs.model.clock import Clock, Sleep
from tobs.telegram.net.invoker import Invoker
from tobs.telegram.net.push_listener import wait_until_set
from tobs.telegram.net.rpc_errors import RpcError
from tobs.telegram.net.settings import TelegramSettings

_TRIES, _MOVES = 3, 2
_PLACES = {
    "SentCodeTypeApp": "in the Telegram app",
    "SentCodeTypeSms": "by SMS",
    "SentCodeTypeSmsWord": "by SMS, a word",
    "SentCodeTypeSmsPhrase": "by SMS, a phrase",
    "SentCodeTypeFirebaseSms": "by SMS",
    "SentCodeTypeFragmentSms": "on fragment.com",
    "SentCodeTypeCall": "by a phone call",
    "SentCodeTypeFlashCall": "by a phone call: its number",
    "SentCodeTypeMissedCall": "by a missed call: the last digits of its number",
    "SentCodeTypeEmailCode": "by e-mail",
    "CodeTypeSms": "by SMS",
    "CodeTypeCall": "by a phone call",
    "CodeTypeFlashCall": "by a phone call",
    "CodeTypeMissedCall": "by a missed call",
    "CodeTypeFragmentSms": "on fragment.com",
}
_QR_LEAST, _QR_MOST = 5.0, 60.0  # bounds of the seconds a QR code is shown: the clocks may differ


class CodePrompt(Struct, frozen=True):
    """Prompt for a code that was sent to ``place``; ``problem`` is the error of the answer before, empty at first.

    An empty answer sends the code again to ``next_place`` ("": not possible), which Telegram allows after ``timeout``
    seconds.
    """

    place: str
    next_place: str = ""
    timeout: int = 0
    problem: str = ""


class PasswordPrompt(Struct, frozen=True):
    """Prompt for the two-step verification password, with its hint; ``problem`` is the error of the last answer."""

    hint: str = ""
    problem: str = ""


AskCode = Callable[[CodePrompt], Awaitable[str]]
AskPassword = Callable[[PasswordPrompt], Awaitable[str]]
ShowQr = Callable[[str], None]


async def invoke_with_migration(invoker: Invoker, request: Any) -> Any:
    """Send a request and follow PHONE_MIGRATE, NETWORK_MIGRATE and USER_MIGRATE to the account's data centre."""
    for _ in range(_MOVES):
        try:
            return await invoker(request)
        except MigrateNeeded as moved:
            await invoker.connections.move_home(moved.dc)
    return await invoker(request)


def has_error_name(error: TobsError, name: str) -> bool:
    """Return whether ``error`` was caused by Telegram's error ``name``."""
    return isinstance(error.__cause__, RpcError) and error.__cause__.name == name


async def sign_in_with_code(invoker: Invoker, settings: TelegramSettings, phone: str, ask: AskCode) -> Any:
    """Sign in with a code, in at most three tries; an expired code is sent again. Raises LoginError."""
    request = functions.auth.SendCodeRequest(phone, settings.api_id, settings.api_hash, types.CodeSettings())
    sent = await invoke_with_migration(invoker, request)
    problem, given, tries = "", "", 0
    while True:
        if isinstance(sent, types.auth.SentCodeSuccess):
            return sent.authorization
        code, before = (await ask(_code_prompt(sent, problem))).strip(), given
        if not code and _next_place(sent):
            sent, problem = await _resend(invoker, phone, sent)
            continue
        given, tries = code, tries + 1
        try:
            return await invoker(_sign_in(phone, sent, code))
        except LoginError as error:
            expired = has_error_name(error, "PHONE_CODE_EXPIRED")
            wrong = has_error_name(error, "PHONE_CODE_INVALID") or has_error_name(error, "PHONE_CODE_EMPTY")
            if not (expired or wrong) or tries >= _TRIES or code == before:
                raise
            problem = error.message
            if expired:
                sent = await invoker(request)
                problem += " A new one was sent."


def _sign_in(phone: str, sent: Any, code: str) -> Any:
    if isinstance(sent.type, types.auth.SentCodeTypeEmailCode):
        proof = types.EmailVerificationCode(code)
        return functions.auth.SignInRequest(phone, sent.phone_code_hash, email_verification=proof)
    return functions.auth.SignInRequest(phone, sent.phone_code_hash, code)


def _code_prompt(sent: Any, problem: str) -> CodePrompt:
    """Build the prompt for a code. Raises LoginError for a step that only Telegram's own apps can do."""
    if not isinstance(sent, types.auth.SentCode) or isinstance(sent.type, types.auth.SentCodeTypeSetUpEmailRequired):
        raise LoginError(
            "Telegram allows the first login of this number only in its own apps.",
            "Log in with a Telegram app, then run `tobs login --qr` and scan the code with it.",
        )
    place = _PLACES.get(type(sent.type).__name__, "by Telegram")
    return CodePrompt(place, _next_place(sent), sent.timeout or 0, problem)


def _next_place(sent: Any) -> str:
    return _PLACES.get(type(sent.next_type).__name__, "another way") if sent.next_type else ""


async def _resend(invoker: Invoker, phone: str, sent: Any) -> tuple[Any, str]:
    try:
        return await invoker(functions.auth.ResendCodeRequest(phone, sent.phone_code_hash)), ""
    except LoginError as error:
        if not has_error_name(error, "SEND_CODE_UNAVAILABLE"):
            raise
        sent.next_type = None
        return sent, error.message


async def sign_in_with_password(invoker: Invoker, ask: AskPassword) -> Any:
    """Check the password of two-step verification, in at most three tries. Raises LoginError."""
    problem, given = "", ""
    for attempt in range(1, _TRIES + 1):
        rules = await invoker(functions.account.GetPasswordRequest())
        password, before = await ask(PasswordPrompt(rules.hint or "", problem)), given
        given = password
        try:
            return await _check_password(invoker, rules, password)
        except LoginError as error:
            if not has_error_name(error, "PASSWORD_HASH_INVALID") or attempt == _TRIES or password == before:
                raise
            problem = error.message
    raise AssertionError("the last try returns or raises")


async def _check_password(invoker: Invoker, rules: Any, password: str) -> Any:
    try:
        return await invoker(functions.auth.CheckPasswordRequest(await _srp_proof(rules, password)))
    except LoginError as error:
        if not has_error_name(error, "SRP_ID_INVALID"):
            raise
    # The challenge is too old, for example after a long input: send the same password for a new challenge.
    rules = await invoker(functions.account.GetPasswordRequest())
    return await invoker(functions.auth.CheckPasswordRequest(await _srp_proof(rules, password)))


async def _srp_proof(rules: Any, password: str) -> Any:
    """Compute the SRP answer in a thread: it takes a tenth of a second. Raises LoginError (unknown algorithm)."""
    try:
        return await asyncio.to_thread(compute_check, rules, password)
    except ValueError as error:
        raise LoginError("This version of tobs does not know Telegram's password check.", "Update tobs.") from error


async def sign_in_with_qr(
    invoker: Invoker, settings: TelegramSettings, show: ShowQr, *, clock: Clock, sleep: Sleep, patience: float
) -> Any:
    """Show QR codes, a new one when the old expires, until one is scanned. Raises LoginError after ``patience``
    seconds."""
    scanned = asyncio.Event()

    def on_update(update: Any) -> None:
        if any(isinstance(item, types.UpdateLoginToken) for item in _updates_in(update)):
            scanned.set()

    invoker.connections.on_update = on_update
    request = functions.auth.ExportLoginTokenRequest(settings.api_id, settings.api_hash, [])
    deadline = clock() + patience
    while True:
        scanned.clear()
        answer = await invoke_with_migration(invoker, request)
        if isinstance(answer, types.auth.LoginTokenMigrateTo):
            await invoker.connections.move_home(answer.dc_id)
            answer = await invoker(functions.auth.ImportLoginTokenRequest(answer.token))
        if isinstance(answer, types.auth.LoginTokenSuccess):
            return answer.authorization
        if clock() >= deadline:
            raise LoginError(
                f"No one scanned the QR code within {patience / 60:g} minutes.",
                "Run `tobs login --qr` again; in Telegram: Settings, Devices, Link Desktop Device.",
            )
        show("tg://login?token=" + base64.urlsafe_b64encode(answer.token).decode().rstrip("="))
        await wait_until_set(scanned, sleep, min(max(answer.expires - clock(), _QR_LEAST), _QR_MOST))


def _updates_in(update: Any) -> list[Any]:
    return [update.update] if isinstance(update, types.UpdateShort) else list(getattr(update, "updates", []))
