"""Helpers for the tests of tobs.telegram: settings for a sandbox, a login, a collector of pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tobs.model import Message, Page
from tobs.sandbox import Sandbox
from tobs.telegram.facade import Telegram
from tobs.telegram.login import login
from tobs.telegram.net.events import Event
from tobs.telegram.net.session import Account
from tobs.telegram.net.settings import ServerAddress, TelegramSettings
from tobs.telegram.opening import open_telegram
from tobs.telegram.stores import Stores

NAP = 0.01
"""Sleeps of retries are cut to this many seconds; floods are slept in full (see ``quick``)."""


def settings_for(sandbox: Sandbox, home: Path, **changes: Any) -> TelegramSettings:
    host, _, port = sandbox.ready.server.partition(":")
    given: dict[str, Any] = {
        "api_id": sandbox.ready.api_id,
        "api_hash": sandbox.ready.api_hash,
        "sessions": home / "sessions",
        "server": ServerAddress(host, int(port), sandbox.ready.dc, sandbox.key_pem),
        "workers": 4,
        "connect_timeout": 5.0,
        "request_timeout": 10.0,
        "patience": 5.0,
    }
    return TelegramSettings(**{**given, **changes})


def answers(text: str) -> Any:
    """A callback that always answers ``text``."""

    async def ask(_: str) -> str:
        return text

    return ask


async def sign_in(sandbox: Sandbox, settings: TelegramSettings) -> Account:
    return await login(
        settings, phone=sandbox.ready.phone, ask_code=answers(sandbox.ready.code), ask_password=answers("")
    )


async def quick(seconds: float) -> None:
    """A sleep that shortens the backoff of retries, so that tests need not wait."""
    await asyncio.sleep(min(seconds, NAP))


class Room:
    """An open Telegram with its events."""

    def __init__(self, telegram: Telegram, events: list[Event]) -> None:
        self.telegram = telegram
        self.events = events

    def events_of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def room(sandbox: Sandbox, home: Path, *, sleep: Any = quick, **changes: Any) -> AsyncIterator[Room]:
    """Log in and open Telegram for a sandbox. Keyword arguments change the settings, stores go through."""
    stores = Stores(**{name: changes.pop(name) for name in ("peers", "takeouts") if name in changes})
    settings = settings_for(sandbox, home, **changes)
    await sign_in(sandbox, settings)
    events: list[Event] = []
    async with open_telegram(settings, stores, on_event=events.append, sleep=sleep) as telegram:
        yield Room(telegram, events)


class Collected:
    """Collector of pages, in place of an archive: checks that no id is settled or fetched twice."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.messages: dict[int, Message] = {}

    async def __call__(self, page: Page) -> None:
        for message in page.messages:
            assert page.low <= message.id <= page.high
            assert message.id not in self.messages, f"{message.id} came twice"
            self.messages[message.id] = message
        self.pages.append(page)
        await asyncio.sleep(0)

    def coverage(self) -> list[tuple[int, int]]:
        """The settled intervals, joined; pages must not overlap."""
        joined: list[tuple[int, int]] = []
        for low, high in sorted((page.low, page.high) for page in self.pages):
            if joined:
                assert low > joined[-1][1], "two pages settle the same ids"
                if low == joined[-1][1] + 1:
                    joined[-1] = (joined[-1][0], high)
                    continue
            joined.append((low, high))
        return joined


def served_ids(sandbox: Sandbox, chat_id: int) -> list[int]:
    """Return every id that the sandbox has in a chat, ascending."""
    history = sandbox.world.history(chat_id)
    return sorted(history.slice(0, history.count))


async def fetch_all(room: Room, chat_id: int, *, workers: int = 0) -> Collected:
    """Walk a whole chat."""
    top = await room.telegram.history_top(chat_id)
    found = Collected()
    await room.telegram.walk(chat_id, [(1, top.top)], found, count=top.count, workers=workers)
    if top.top:
        assert found.coverage() == [(1, top.top)]
    return found
