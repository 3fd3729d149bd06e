"""Logging in and out, and who is logged in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from tobs.app.context import AppContext
from tobs.app.telegram import Say, ask_passphrase, saying_waits, telegram_settings, without_pause
from tobs.errors import LoginError

if TYPE_CHECKING:
    from tobs.telegram.facade import Account

#: Asks the person a question (its text, whether the answer is a secret).
Ask = Callable[[str, bool], str]


class Answers(Struct, frozen=True):
    """What a login is told beforehand; the rest is asked for. With ``show_qr`` (which draws a URL) it is by QR code,
    with ``bot_token`` a bot's."""

    code: str | None = None
    password: str | None = None
    bot_token: str | None = None
    show_qr: Callable[[str], None] | None = None
    ask: Ask | None = None


async def login(context: AppContext, answers: Answers, *, say: Say) -> Account:
    """Log in and keep the session. Raises LoginError, NetworkError, ConfigError."""
    from tobs.telegram.login import CodePrompt, PasswordPrompt, login_bot, login_qr
    from tobs.telegram.login import login as log_in

    settings, on_event = without_pause(telegram_settings(context)), saying_waits(say)
    if settings.session_lock == "passphrase" and not settings.passphrase:
        settings = msgspec.structs.replace(settings, passphrase=_new_passphrase())

    async def ask(given: str | None, question: str, secret: bool) -> str:
        if given:
            return given
        if answers.ask is None:
            raise LoginError(f"{question} is needed.", "Run tobs login on a terminal.")
        return await asyncio.to_thread(answers.ask, question, secret)

    async def ask_code(prompt: CodePrompt) -> str:
        other = f"; empty: send it {prompt.next_place}, after {prompt.timeout} s" if prompt.next_place else ""
        return await ask(answers.code, f"{prompt.problem} The code sent {prompt.place}{other}".strip(), False)

    async def ask_password(prompt: PasswordPrompt) -> str:
        hint = f" (hint: {prompt.hint})" if prompt.hint else ""
        return await ask(answers.password, f"{prompt.problem} The password of the account{hint}".strip(), True)

    if answers.bot_token:
        return await login_bot(settings, answers.bot_token, on_event=on_event)
    if answers.show_qr is not None:
        return await login_qr(settings, show=answers.show_qr, ask_password=ask_password, on_event=on_event)
    phone = await ask(context.settings.phone, "The phone number, with +", False)
    return await log_in(settings, phone=phone, ask_code=ask_code, ask_password=ask_password, on_event=on_event)


async def who(context: AppContext, *, say: Say) -> Account:
    """Who is logged in. Raises LoginError."""
    from tobs.telegram.login import check_login

    return await check_login(without_pause(telegram_settings(context)), on_event=saying_waits(say))


async def logout(context: AppContext, *, say: Say) -> bool:
    """End the session; False when there was none."""
    from tobs.telegram.login import logout as log_out

    return await log_out(without_pause(telegram_settings(context)), on_event=saying_waits(say))


def _new_passphrase() -> str:
    first = ask_passphrase("New passphrase of the session file: ")
    if not first or ask_passphrase("Once more: ") != first:
        raise LoginError("The two passphrases differ, or are empty.", "Run tobs login again.")
    return first
