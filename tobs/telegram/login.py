"""Login by code, QR code or bot token, logout, and who is logged in. What is not given is asked for by callbacks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from loguru import logger
from telethon.tl import functions, types

from tobs.errors import LoginError
from tobs.model.clock import Clock, Sleep
from tobs.telegram.login_steps import (
    AskCode,
    AskPassword,
    CodePrompt,
    PasswordPrompt,
    ShowQr,
    by_code,
    by_password,
    by_qr,
    following,
    is_named,
)
from tobs.telegram.net.events import OnEvent, ignore
from tobs.telegram.net.invoker import Invoker
from tobs.telegram.net.session import Account, Session, SessionFile, fresh_session, not_logged_in
from tobs.telegram.net.settings import TelegramSettings
from tobs.telegram.opening import account_of, open_invoker, who

__all__ = ["CodePrompt", "PasswordPrompt", "check_login", "login", "login_bot", "login_qr", "logout"]

_QR_PATIENCE = 300.0  # seconds


async def login(
    settings: TelegramSettings, *, phone: str, ask_code: AskCode, ask_password: AskPassword, on_event: OnEvent = ignore
) -> Account:
    """Log ``phone`` in and keep the session file; gives the account when it is logged in already.

    ``ask_code`` is told where the code went, ``ask_password`` the owner's hint; each is asked again, up to three
    times, while it gives something new. Raises LoginError (wrong code or password, banned or unknown number),
    NetworkError, ConfigError.
    """
    if not phone:
        raise LoginError("No phone number is given.", "Give it with --phone.")

    async def sign_in(invoker: Invoker) -> Any:
        return await by_code(invoker, settings, phone, ask_code)

    def same(account: Account) -> bool:
        return not account.is_bot and _digits(account.phone) in ("", _digits(phone))

    return await _log_in(settings, sign_in, ask_password, on_event, same)


async def login_qr(
    settings: TelegramSettings,
    *,
    show: ShowQr,
    ask_password: AskPassword,
    on_event: OnEvent = ignore,
    clock: Clock = time.time,
    sleep: Sleep = asyncio.sleep,
    patience: float = _QR_PATIENCE,
) -> Account:
    """Log in by a QR code that an app which is logged in scans. ``show(url)`` draws it, again whenever it changes.

    Raises LoginError (nobody scanned within ``patience`` seconds, wrong password), NetworkError, ConfigError.
    """

    async def sign_in(invoker: Invoker) -> Any:
        return await by_qr(invoker, settings, show, clock=clock, sleep=sleep, patience=patience)

    return await _log_in(settings, sign_in, ask_password, on_event, lambda account: not account.is_bot)


async def login_bot(settings: TelegramSettings, token: str, *, on_event: OnEvent = ignore) -> Account:
    """Log a bot in by its token. Raises LoginError."""

    async def sign_in(invoker: Invoker) -> Any:
        request = functions.auth.ImportBotAuthorizationRequest(0, settings.api_id, settings.api_hash, token)
        return await following(invoker, request)

    async def no_password(asked: PasswordPrompt) -> str:
        raise LoginError("Telegram wants a password of this bot.", "Bots have none: ask @BotFather for its token.")

    return await _log_in(settings, sign_in, no_password, on_event, lambda account: account.is_bot)


async def check_login(settings: TelegramSettings, *, on_event: OnEvent = ignore) -> Account:
    """Who is logged in, asked of Telegram. Raises LoginError."""
    file = SessionFile(settings)
    session = file.load()
    if session is None or not session.key:
        raise not_logged_in(settings)
    async with open_invoker(settings, file, session, on_event=on_event) as invoker:
        return await who(invoker, settings)


async def logout(settings: TelegramSettings, *, on_event: OnEvent = ignore) -> bool:
    """End the session at Telegram and remove its file; False when there was none.

    The file goes even when Telegram no longer knows the session; not when Telegram cannot be reached.
    """
    file = SessionFile(settings)
    session = file.load()
    if session is None or not session.key:
        return file.remove()
    async with open_invoker(settings, file, session, on_event=on_event) as invoker:
        try:
            await invoker(functions.auth.LogOutRequest())
        except LoginError as error:
            logger.info("the session was over already: {}", error.message)
    file.remove()
    return True


async def _log_in(
    settings: TelegramSettings,
    sign_in: Callable[[Invoker], Awaitable[Any]],
    ask_password: AskPassword,
    on_event: OnEvent,
    same: Callable[[Account], bool],
) -> Account:
    """Keep the login that stands, else make a new one by ``sign_in`` and keep its session.

    ``same`` says whether who is logged in is who wants to log in.
    """
    file = SessionFile(settings)
    kept = file.load()
    if kept is not None and kept.key and (account := await _still_in(settings, file, kept, on_event)):
        if not same(account):
            raise LoginError(
                f"The account '{settings.account}' is logged in as {account.title}.",
                "Give the other login a name of its own with --account NAME, or run `tobs logout` first.",
            )
        if settings.session_lock not in ("none", file.lock_found):
            file.lock = settings.session_lock
            file.save(kept)
        return account
    file.check_lock()
    session = fresh_session(settings)
    async with open_invoker(settings, file, session, on_event=on_event) as invoker:
        try:
            answer = await sign_in(invoker)
        except LoginError as error:
            if not is_named(error, "SESSION_PASSWORD_NEEDED"):
                raise
            answer = await by_password(invoker, ask_password)
        if not isinstance(answer, types.auth.Authorization):
            raise LoginError("This number has no Telegram account.", "Sign up in a Telegram app first.")
        account = account_of(answer.user, settings)
        session.account = account
        file.save(session)
        return account


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))


async def _still_in(
    settings: TelegramSettings, file: SessionFile, session: Session, on_event: OnEvent
) -> Account | None:
    try:
        async with open_invoker(settings, file, session, on_event=on_event) as invoker:
            return await who(invoker, settings)
    except LoginError as error:
        logger.info("the login that was kept is over: {}", error.message)
        return None
