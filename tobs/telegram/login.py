"""Login by code and password, logout, and who is logged in. What is not given is asked for by callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from loguru import logger
from telethon.password import compute_check
from telethon.tl import functions, types

from tobs.errors import LoginError, MigrateNeeded, TobsError
from tobs.telegram.client import account_of, open_door, who
from tobs.telegram.events import OnEvent, ignore
from tobs.telegram.invoke import Door
from tobs.telegram.refusals import RpcError
from tobs.telegram.session import Account, Session, SessionFile, fresh_session
from tobs.telegram.settings import TelegramSettings

Ask = Callable[[str], Awaitable[str]]

_TRIES = 3
_PLACES = {
    "SentCodeTypeApp": "in the Telegram app",
    "SentCodeTypeSms": "by SMS",
    "SentCodeTypeSmsWord": "by SMS",
    "SentCodeTypeSmsPhrase": "by SMS",
    "SentCodeTypeFragmentSms": "by SMS on Fragment",
    "SentCodeTypeCall": "by a phone call",
    "SentCodeTypeFlashCall": "by a phone call",
    "SentCodeTypeMissedCall": "by a missed call: its last digits",
    "SentCodeTypeEmailCode": "by e-mail",
}


async def login(
    settings: TelegramSettings, *, phone: str, ask_code: Ask, ask_password: Ask, on_event: OnEvent = ignore
) -> Account:
    """Log ``phone`` in and keep the session file; gives the account when it is logged in already.

    ``ask_code(how)`` is told where the code went, ``ask_password(hint)`` the owner's hint; each is asked again, up to
    three times, while it gives something new. Raises LoginError (wrong code or password, banned or unknown number),
    NetworkError, ConfigError.
    """
    if not phone:
        raise LoginError("No phone number is given.", "Give it with --phone.")

    async def sign_in(door: Door) -> Any:
        sent = await _send_code(door, settings, phone)
        how = _PLACES.get(type(sent.type).__name__, "by Telegram")
        try:
            return await _with_code(door, phone, sent.phone_code_hash, how, ask_code)
        except LoginError as error:
            if not _is(error, "SESSION_PASSWORD_NEEDED"):
                raise
            return await _with_password(door, ask_password)

    return await _log_in(settings, sign_in, on_event)


async def login_bot(settings: TelegramSettings, token: str, *, on_event: OnEvent = ignore) -> Account:
    """Log a bot in by its token. Raises LoginError."""

    async def sign_in(door: Door) -> Any:
        request = functions.auth.ImportBotAuthorizationRequest(0, settings.api_id, settings.api_hash, token)
        return await _following(door, request)

    return await _log_in(settings, sign_in, on_event)


async def check_login(settings: TelegramSettings, *, on_event: OnEvent = ignore) -> Account:
    """Who is logged in. Raises LoginError."""
    file = SessionFile(settings)
    session = file.load()
    if session is None or not session.key:
        raise LoginError(f"No one is logged in as '{settings.account}'.", "Run `tobs login`.")
    async with open_door(settings, file, session, on_event=on_event) as door:
        return await who(door, settings)


async def logout(settings: TelegramSettings, *, on_event: OnEvent = ignore) -> bool:
    """End the session at Telegram and remove its file; False when there was none.

    The file goes even when Telegram no longer knows the session; not when Telegram cannot be reached.
    """
    file = SessionFile(settings)
    session = file.load()
    if session is None or not session.key:
        return file.remove()
    async with open_door(settings, file, session, on_event=on_event) as door:
        try:
            await door(functions.auth.LogOutRequest())
        except LoginError as error:
            logger.info("the session was over already: {}", error.message)
    file.remove()
    return True


async def _log_in(settings: TelegramSettings, sign_in: Callable[[Door], Awaitable[Any]], on_event: OnEvent) -> Account:
    """Keep the login that stands, else make a new one by ``sign_in`` and keep its session."""
    file = SessionFile(settings)
    kept = file.load()
    if kept is not None and kept.key and (account := await _still_in(settings, file, kept, on_event)):
        return account
    session = fresh_session(settings)
    async with open_door(settings, file, session, on_event=on_event) as door:
        answer = await sign_in(door)
        if not isinstance(answer, types.auth.Authorization):
            raise LoginError("This number has no Telegram account.", "Sign up in a Telegram app first.")
        account = account_of(answer.user, settings)
        session.account = account
        file.save(session)
        return account


async def _still_in(
    settings: TelegramSettings, file: SessionFile, session: Session, on_event: OnEvent
) -> Account | None:
    try:
        async with open_door(settings, file, session, on_event=on_event) as door:
            return await who(door, settings)
    except LoginError:
        return None


async def _following(door: Door, request: Any) -> Any:
    """The answer of the data centre the account lives on."""
    try:
        return await door(request)
    except MigrateNeeded as moved:
        await door.links.move_home(moved.dc)
        return await door(request)


async def _send_code(door: Door, settings: TelegramSettings, phone: str) -> Any:
    request = functions.auth.SendCodeRequest(phone, settings.api_id, settings.api_hash, types.CodeSettings())
    return await _following(door, request)


async def _with_code(door: Door, phone: str, code_hash: str, how: str, ask: Ask) -> Any:
    given = ""
    for attempt in range(1, _TRIES + 1):
        code, before = (await ask(how)).strip(), given
        given = code
        try:
            return await door(functions.auth.SignInRequest(phone, code_hash, code))
        except LoginError as error:
            if not _is(error, "PHONE_CODE_INVALID") or attempt == _TRIES or code == before:
                raise
    raise AssertionError("the last try returns or raises")


async def _with_password(door: Door, ask: Ask) -> Any:
    given = ""
    for attempt in range(1, _TRIES + 1):
        rules = await door(functions.account.GetPasswordRequest())
        password, before = await ask(rules.hint or ""), given
        given = password
        proof = await asyncio.to_thread(compute_check, rules, password)
        try:
            return await door(functions.auth.CheckPasswordRequest(proof))
        except LoginError as error:
            if not _is(error, "PASSWORD_HASH_INVALID") or attempt == _TRIES or password == before:
                raise
    raise AssertionError("the last try returns or raises")


def _is(error: TobsError, name: str) -> bool:
    """Whether Telegram's answer behind ``error`` was ``name``."""
    return isinstance(error.__cause__, RpcError) and error.__cause__.name == name
