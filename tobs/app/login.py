"""Login, logout, and the account that is logged in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from tobs.app.context import AppContext
from tobs.app.events import Say
from tobs.app.prompt import Question
from tobs.app.telegram import ask_passphrase, saying_waits, telegram_settings, without_pause
from tobs.errors import LoginError

if TYPE_CHECKING:
    from tobs.telegram.facade import Account

_REMEDY = "Give it as an option: --phone, --code or --password."


class LoginAnswers(Struct, frozen=True):
    """Answers that are known beforehand; the prompt asks for the rest. ``qr``: by QR code; ``bot_token``: a bot."""

    code: str | None = None
    password: str | None = None
    bot_token: str | None = None
    qr: bool = False


async def login(context: AppContext, answers: LoginAnswers, *, say: Say) -> Account:
    """Log in and store the session. Raises LoginError, NetworkError, ConfigError."""
    from tobs.telegram.login import CodePrompt, PasswordPrompt, login_bot, login_qr
    from tobs.telegram.login import login as log_in

    settings, on_event = without_pause(telegram_settings(context)), saying_waits(say)
    if settings.session_lock == "passphrase" and not settings.passphrase:
        settings = msgspec.structs.replace(settings, passphrase=_new_passphrase(context))

    async def ask(given: str | None, text: str, *, is_secret: bool = False) -> str:
        if given:
            return given
        return await asyncio.to_thread(context.prompt.ask, Question(text, is_secret=is_secret, remedy=_REMEDY))

    async def ask_code(prompt: CodePrompt) -> str:
        other = f"; empty: send it {prompt.next_place}, after {prompt.timeout} s" if prompt.next_place else ""
        return await ask(answers.code, f"{prompt.problem} The code sent {prompt.place}{other}".strip())

    async def ask_password(prompt: PasswordPrompt) -> str:
        hint = f" (hint: {prompt.hint})" if prompt.hint else ""
        return await ask(
            answers.password, f"{prompt.problem} The password of the account{hint}".strip(), is_secret=True
        )

    if answers.bot_token:
        return await login_bot(settings, answers.bot_token, on_event=on_event)
    if answers.qr:
        return await login_qr(settings, show=context.prompt.show_qr, ask_password=ask_password, on_event=on_event)
    phone = await ask(context.settings.phone, "The phone number, with +")
    return await log_in(settings, phone=phone, ask_code=ask_code, ask_password=ask_password, on_event=on_event)


async def check_login(context: AppContext, *, say: Say) -> Account:
    """Return the account that is logged in. Raises LoginError."""
    from tobs.telegram.login import check_login as check

    return await check(without_pause(telegram_settings(context)), on_event=saying_waits(say))


async def logout(context: AppContext, *, say: Say) -> bool:
    """End the session; False if there was none."""
    from tobs.telegram.login import logout as log_out

    return await log_out(without_pause(telegram_settings(context)), on_event=saying_waits(say))


def _new_passphrase(context: AppContext) -> str:
    first = ask_passphrase(context, "New passphrase of the session file")
    if not first or ask_passphrase(context, "Once more") != first:
        raise LoginError("The two passphrases differ, or are empty.", "Run tobs login again.")
    return first
