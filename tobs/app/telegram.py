"""Settings of the connection to Telegram, and the list of chats."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tobs.app.context import AppContext
from tobs.app.events import Events, Say
from tobs.app.prompt import Question
from tobs.errors import ConfigError
from tobs.model.requests import ChatsRequest

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tobs.model import Chat
    from tobs.telegram.net.events import OnEvent
    from tobs.telegram.net.settings import TelegramSettings


async def list_chats(request: ChatsRequest, context: AppContext, events: Events) -> list[Chat]:
    """List the chats of the account; each message count costs a request. Raises LoginError, NetworkError."""
    from tobs.telegram.opening import open_telegram

    async with open_telegram(without_pause(telegram_settings(context)), on_event=saying_waits(events.say)) as telegram:
        chats = [chat async for chat in telegram.chats(request.pattern)]
        counts = await telegram.counts(chat.id for chat in chats[: request.counted])
        return [msgspec.structs.replace(chat, count=counts.get(chat.id)) for chat in chats]


def telegram_settings(context: AppContext) -> TelegramSettings:
    """Settings of the connection to Telegram; asks for the passphrase of a locked session.

    Raises ConfigError when credentials or the server's key are missing, LoginError when nobody can be asked.
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
        passphrase = ask_passphrase(context, f"Passphrase of the session of '{made.account}'")
        return msgspec.structs.replace(made, passphrase=passphrase)
    return made


def without_pause(settings: TelegramSettings, *, most: float = inf) -> TelegramSettings:
    """Settings for work that must not pause: a flood wait that would pause a run, or is longer than ``most`` seconds,
    raises FloodWait."""
    patience = min(settings.flood_patience, settings.flood_threshold, most)
    return msgspec.structs.replace(settings, flood_patience=patience)


def saying_waits(say: Say) -> OnEvent:
    """An ``OnEvent`` for a command that shows no progress: it reports flood waits."""
    from tobs.telegram.net.events import Event, FloodWaited

    def report(event: Event) -> None:
        if isinstance(event, FloodWaited):
            say(f"Telegram asks to wait {event.seconds:.0f} s before {event.method}; this goes on by itself")

    return report


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value is not None else ""


def _read_key(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The server key {path} cannot be read.", "Set TOBS_SERVER_KEY to a PEM file.") from error


def ask_passphrase(context: AppContext, text: str) -> str:
    """Ask for the passphrase of a session. Raises LoginError if nobody can be asked."""
    return context.prompt.ask(Question(text, is_secret=True, remedy="Set TOBS_PASSPHRASE."))
