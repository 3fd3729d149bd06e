"""The way to Telegram, from the settings."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tobs.app.context import AppContext
from tobs.errors import ConfigError, LoginError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tobs.model import Chat
    from tobs.telegram.net.events import OnEvent
    from tobs.telegram.net.settings import TelegramSettings

#: Tells the person who waits a sentence.
Say = Callable[[str], None]


async def list_chats(context: AppContext, pattern: str, *, counted: int, say: Say) -> list[Chat]:
    """The chats of the account whose title or username contains ``pattern``; the first ``counted`` with the number of
    their messages, which costs a request each."""
    from tobs.telegram.opening import open_telegram

    async with open_telegram(without_pause(telegram_settings(context)), on_event=saying_waits(say)) as telegram:
        chats = [chat async for chat in telegram.chats(pattern)]
        counts = await telegram.counts(chat.id for chat in chats[:counted])
        return [msgspec.structs.replace(chat, count=counts.get(chat.id)) for chat in chats]


def telegram_settings(context: AppContext) -> TelegramSettings:
    """The way to Telegram; asks for the passphrase of a locked session.

    Raises ConfigError when credentials or the server's key are missing, LoginError when there is no one to ask.
    """
    from tobs.telegram.net.session import SessionFile
    from tobs.telegram.net.settings import ServerAddress, TelegramSettings

    settings, profile = context.settings, context.profile
    if settings.api_id is None or settings.api_hash is None:
        raise ConfigError(
            "The API id or the API hash is missing.",
            "Get both at https://my.telegram.org/apps and set TOBS_API_ID and TOBS_API_HASH (see .env.example).",
        )
    server = None
    if settings.server:
        host, _, port = settings.server.rpartition(":")
        key = _read_key(settings.server_key) if settings.server_key else ""
        server = ServerAddress(host, int(port), settings.server_dc, key)
    made = TelegramSettings(
        api_id=settings.api_id,
        api_hash=settings.api_hash.get_secret_value(),
        sessions=context.home / "sessions",
        account=settings.account,
        session=_secret(settings.session),
        session_lock=settings.session_lock,
        passphrase=_secret(settings.passphrase),
        proxy=_secret(settings.proxy),
        server=server,
        workers=profile.workers,
        flood_threshold=profile.flood_threshold,
        flood_patience=settings.flood_patience,
        bandwidth=settings.bandwidth or 0,
        request_timeout=profile.timeout,
    )
    if not made.passphrase and SessionFile(made).wants_passphrase():
        passphrase = ask_passphrase(f"Passphrase of the session of '{made.account}': ")
        return msgspec.structs.replace(made, passphrase=passphrase)
    return made


def without_pause(settings: TelegramSettings, *, most: float = inf) -> TelegramSettings:
    """For what must not stand still: a flood wait that would pause a run, or is longer than ``most`` seconds, is told
    instead of waited for."""
    patience = min(settings.flood_patience, settings.flood_threshold, most)
    return msgspec.structs.replace(settings, flood_patience=patience)


def saying_waits(say: Say) -> OnEvent:
    """An ``OnEvent`` for a command that shows no progress: flood waits are told."""
    from tobs.telegram.net.events import Event, FloodWaited

    def hear(event: Event) -> None:
        if isinstance(event, FloodWaited):
            say(f"Telegram asks to wait {event.seconds:.0f} s before {event.method}; this goes on by itself")

    return hear


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value is not None else ""


def _read_key(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The server key {path} cannot be read.", "Set TOBS_SERVER_KEY to a PEM file.") from error


def ask_passphrase(question: str) -> str:
    """Ask for the passphrase of a session on the terminal. Raises LoginError where there is none."""
    if not sys.stdin.isatty():
        raise LoginError("The session file wants a passphrase and there is no terminal.", "Set TOBS_PASSPHRASE.")
    return getpass.getpass(question)
