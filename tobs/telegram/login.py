"""Login by code and password, logout, and who is logged in. What is not given is asked for by callbacks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tobs.telegram.client import Account
from tobs.telegram.settings import TelegramSettings

Ask = Callable[[str], Awaitable[str]]


async def login(settings: TelegramSettings, *, phone: str, ask_code: Ask, ask_password: Ask) -> Account:
    """Log ``phone`` in and keep the session file.

    ``ask_code(how)`` is told where the code went, ``ask_password(hint)`` the owner's hint.

    Raises LoginError (wrong code or password after 3 tries, banned or unknown number), NetworkError.
    """
    raise NotImplementedError


async def check_login(settings: TelegramSettings) -> Account:
    """Who is logged in. Raises LoginError."""
    raise NotImplementedError


async def logout(settings: TelegramSettings) -> bool:
    """End the session at Telegram and remove its file; False when there was none."""
    raise NotImplementedError
