"""Login by code, QR code or bot token, logout, and the check of a login. Callbacks ask for missing input."""

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
    has_error_name,
    invoke_with_migration,
    sign_in_with_code,
    sign_in_with_password,
    sign_in_with_qr,
)
from tobs.telegram.net.events import OnEvent, ignore_event
from tobs.telegram.net.invoker import Invoker
from tobs.telegram.net.session import Account, Session, SessionFile, new_session, not_logged_in
from tobs.telegram.net.settings import TelegramSettings
from tobs.telegram.opening import account_of, fetch_account, open_invoker

__all__ = ["CodePrompt", "PasswordPrompt", "check_login", "login", "login_bot", "login_qr", "logout"]

_QR_PATIENCE = 300.0  # seconds


async def login(
    settings: TelegramSettings,
    *,
    phone: str,
    ask_code: AskCode,
    ask_password: AskPassword,
    on_event: OnEvent = ignore_event,
) -> Account:
    """Log ``phone`` in and store the session file; returns the account when it is logged in already.

    ``ask_code`` and ``ask_password`` are called up to three times, while they return something new. Raises LoginError
    (wrong code or password, banned or unknown number), NetworkError, ConfigError.
    """
    if not phone:
        raise LoginError("No phone number is given.", "Give it with --phone.")

    async def sign_in(invoker: Invoker) -> Any:
        return await sign_in_with_code(invoker, settings, phone, ask_code)

    def is_wanted_account(account: Account) -> bool:
        return not account.is_bot and _digits(account.phone) in ("", _digits(phone))

    return await _log_in(settings, sign_in, ask_password, on_event, is_wanted_account)


async def login_qr(
    settings: TelegramSettings,
    *,
    show: ShowQr,
    ask_password: AskPassword,
    on_event: OnEvent = ignore_event,
    clock: Clock = time.time,
    sleep: Sleep = asyncio.sleep,
    patience: float = _QR_PATIENCE,
) -> Account:
    """Log in by a QR code that a logged-in app scans. ``show(url)`` draws it, again whenever it changes.

    Raises LoginError (not scanned within ``patience`` seconds, wrong password), NetworkError, ConfigError.
    """

    async def sign_in(invoker: Invoker) -> Any:
        return await sign_in_with_qr(invoker, settings, show, clock=clock, sleep=sleep, patience=patience)

    return await _log_in(settings, sign_in, ask_password, on_event, lambda account: not account.is_bot)


async def login_bot(settings: TelegramSettings, token: str, *, on_event: OnEvent = ignore_event) -> Account:
    """Log a bot in by its token. Raises LoginError, NetworkError, ConfigError."""

    async def sign_in(invoker: Invoker) -> Any:
        request = functions.auth.ImportBotAuthorizationRequest(0, settings.api_id, settings.api_hash, token)
        return await invoke_with_migration(invoker, request)

    async def no_password(prompt: PasswordPrompt) -> str:
        raise LoginError(
            "Telegram asks for a password of this bot.", "Bots have no password: ask @BotFather for the token."
        )

    return await _log_in(settings, sign_in, no_password, on_event, lambda account: account.is_bot)


async def check_login(settings: TelegramSettings, *, on_event: OnEvent = ignore_event) -> Account:
    """Request the logged-in account from Telegram. Raises LoginError, NetworkError."""
    file = SessionFile(settings)
    session = file.load()
    if session is None or not session.key:
        raise not_logged_in(settings)
    async with open_invoker(settings, file, session, on_event=on_event) as invoker:
        return await fetch_account(invoker, settings)


async def logout(settings: TelegramSettings, *, on_event: OnEvent = ignore_event) -> bool:
    """End the session at Telegram and remove its file; False when there was none.

    The file is removed even when Telegram no longer knows the session, but not when Telegram cannot be reached.
    """
    file = SessionFile(settings)
    session = file.load()
    if session is None or not session.key:
        return file.remove()
    async with open_invoker(settings, file, session, on_event=on_event) as invoker:
        try:
            await invoker(functions.auth.LogOutRequest())
        except LoginError as error:
            logger.info("the session had already ended: {}", error.message)
    file.remove()
    return True


async def _log_in(
    settings: TelegramSettings,
    sign_in: Callable[[Invoker], Awaitable[Any]],
    ask_password: AskPassword,
    on_event: OnEvent,
    is_wanted_account: Callable[[Account], bool],
) -> Account:
    """Return the account of a valid stored login, else log in by ``sign_in`` and store the session.

    ``is_wanted_account`` checks that a stored login is the one asked for. Raises LoginError.
    """
    file = SessionFile(settings)
    stored = file.load()
    if stored is not None and stored.key and (account := await _logged_in_account(settings, file, stored, on_event)):
        if not is_wanted_account(account):
            raise LoginError(
                f"The account '{settings.account}' is logged in as {account.title}.",
                "Give the other login its own name with --account NAME, or run `tobs logout` first.",
            )
        if settings.session_lock not in ("none", file.lock_found):
            file.lock = settings.session_lock
            file.save(stored)
        return account
    file.check_lock()
    session = new_session(settings)
    async with open_invoker(settings, file, session, on_event=on_event) as invoker:
        try:
            answer = await sign_in(invoker)
        except LoginError as error:
            if not has_error_name(error, "SESSION_PASSWORD_NEEDED"):
                raise
            answer = await sign_in_with_password(invoker, ask_password)
        if not isinstance(answer, types.auth.Authorization):
            raise LoginError("This number has no Telegram account.", "Sign up in a Telegram app first.")
        account = account_of(answer.user, settings)
        session.account = account
        file.save(session)
        return account


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))


async def _logged_in_account(
    settings: TelegramSettings, file: SessionFile, session: Session, on_event: OnEvent
) -> Account | None:
    try:
        async with open_invoker(settings, file, session, on_event=on_event) as invoker:
            return await fetch_account(invoker, settings)
    except LoginError as error:
        logger.info("the stored login is no longer valid: {}", error.message)
        return None
