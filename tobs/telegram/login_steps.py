"""The steps of a login: the code and the ways it comes, the password, the QR code.

What is not known is asked for by callbacks, which are told why they are asked once more. Source:
core.telegram.org/api/auth, /api/srp and /api/qr-login.
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
from tobs.telegram.net.push_listener import either
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
_QR_LEAST, _QR_MOST = 5.0, 60.0  # seconds a QR code is shown, whatever the clocks say


class CodePrompt(Struct, frozen=True):
    """A code was sent to ``place``. An empty answer sends it again to ``next_place`` ("": there is no other way), which
    Telegram allows after ``timeout`` seconds. ``problem``: what was wrong with the answer before."""

    place: str
    next_place: str = ""
    timeout: int = 0
    problem: str = ""


class PasswordPrompt(Struct, frozen=True):
    """The password of two-step verification, with its owner's hint; ``problem`` as with codes."""

    hint: str = ""
    problem: str = ""


AskCode = Callable[[CodePrompt], Awaitable[str]]
AskPassword = Callable[[PasswordPrompt], Awaitable[str]]
ShowQr = Callable[[str], None]


async def following(invoker: Invoker, request: Any) -> Any:
    """The answer of the data centre the account lives on (PHONE_MIGRATE, NETWORK_MIGRATE, USER_MIGRATE)."""
    for _ in range(_MOVES):
        try:
            return await invoker(request)
        except MigrateNeeded as moved:
            await invoker.links.move_home(moved.dc)
    return await invoker(request)


def is_named(error: TobsError, name: str) -> bool:
    """Whether Telegram's answer behind ``error`` was ``name``."""
    return isinstance(error.__cause__, RpcError) and error.__cause__.name == name


async def by_code(invoker: Invoker, settings: TelegramSettings, phone: str, ask: AskCode) -> Any:
    """Sign in with a code: three tries; an empty answer sends it another way, an expired one is sent anew."""
    request = functions.auth.SendCodeRequest(phone, settings.api_id, settings.api_hash, types.CodeSettings())
    sent = await following(invoker, request)
    problem, given, tries = "", "", 0
    while True:
        if isinstance(sent, types.auth.SentCodeSuccess):
            return sent.authorization
        code, before = (await ask(_asked(sent, problem))).strip(), given
        if not code and _other(sent):
            sent, problem = await _resend(invoker, phone, sent)
            continue
        given, tries = code, tries + 1
        try:
            return await invoker(_sign_in(phone, sent, code))
        except LoginError as error:
            expired = is_named(error, "PHONE_CODE_EXPIRED")
            wrong = is_named(error, "PHONE_CODE_INVALID") or is_named(error, "PHONE_CODE_EMPTY")
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


def _asked(sent: Any, problem: str) -> CodePrompt:
    """Raises LoginError for what only Telegram's own apps can do."""
    if not isinstance(sent, types.auth.SentCode) or isinstance(sent.type, types.auth.SentCodeTypeSetUpEmailRequired):
        raise LoginError(
            "Telegram lets this number log in with its own apps only at first.",
            "Log in with a Telegram app, then run `tobs login --qr` and scan the code with it.",
        )
    place = _PLACES.get(type(sent.type).__name__, "by Telegram")
    return CodePrompt(place, _other(sent), sent.timeout or 0, problem)


def _other(sent: Any) -> str:
    return _PLACES.get(type(sent.next_type).__name__, "another way") if sent.next_type else ""


async def _resend(invoker: Invoker, phone: str, sent: Any) -> tuple[Any, str]:
    try:
        return await invoker(functions.auth.ResendCodeRequest(phone, sent.phone_code_hash)), ""
    except LoginError as error:
        if not is_named(error, "SEND_CODE_UNAVAILABLE"):
            raise
        sent.next_type = None
        return sent, error.message


async def by_password(invoker: Invoker, ask: AskPassword) -> Any:
    """Prove the password of two-step verification: three tries."""
    problem, given = "", ""
    for attempt in range(1, _TRIES + 1):
        rules = await invoker(functions.account.GetPasswordRequest())
        password, before = await ask(PasswordPrompt(rules.hint or "", problem)), given
        given = password
        try:
            return await _prove(invoker, rules, password)
        except LoginError as error:
            if not is_named(error, "PASSWORD_HASH_INVALID") or attempt == _TRIES or password == before:
                raise
            problem = error.message
    raise AssertionError("the last try returns or raises")


async def _prove(invoker: Invoker, rules: Any, password: str) -> Any:
    try:
        return await invoker(functions.auth.CheckPasswordRequest(await _proof(rules, password)))
    except LoginError as error:
        if not is_named(error, "SRP_ID_INVALID"):
            raise
    # The challenge is too old, for example because the password was long in coming: a new one, the same password.
    rules = await invoker(functions.account.GetPasswordRequest())
    return await invoker(functions.auth.CheckPasswordRequest(await _proof(rules, password)))


async def _proof(rules: Any, password: str) -> Any:
    """In a thread: deriving the key takes a tenth of a second. Raises LoginError for rules newer than tobs."""
    try:
        return await asyncio.to_thread(compute_check, rules, password)
    except ValueError as error:
        raise LoginError("Telegram checks the password in a way this tobs does not know.", "Update tobs.") from error


async def by_qr(
    invoker: Invoker, settings: TelegramSettings, show: ShowQr, *, clock: Clock, sleep: Sleep, patience: float
) -> Any:
    """Show QR codes, a new one when the old expires, until one was scanned. Raises LoginError after ``patience`` s."""
    scanned = asyncio.Event()

    def hear(update: Any) -> None:
        if any(isinstance(item, types.UpdateLoginToken) for item in _inner(update)):
            scanned.set()

    invoker.links.on_update = hear
    request = functions.auth.ExportLoginTokenRequest(settings.api_id, settings.api_hash, [])
    deadline = clock() + patience
    while True:
        scanned.clear()
        answer = await following(invoker, request)
        if isinstance(answer, types.auth.LoginTokenMigrateTo):
            await invoker.links.move_home(answer.dc_id)
            answer = await invoker(functions.auth.ImportLoginTokenRequest(answer.token))
        if isinstance(answer, types.auth.LoginTokenSuccess):
            return answer.authorization
        if clock() >= deadline:
            raise LoginError(
                f"No one scanned the QR code within {patience / 60:g} minutes.",
                "Run `tobs login --qr` again; in Telegram: Settings, Devices, Link Desktop Device.",
            )
        show("tg://login?token=" + base64.urlsafe_b64encode(answer.token).decode().rstrip("="))
        await either(scanned, sleep, min(max(answer.expires - clock(), _QR_LEAST), _QR_MOST))


def _inner(update: Any) -> list[Any]:
    return [update.update] if isinstance(update, types.UpdateShort) else list(getattr(update, "updates", []))
