"""Opening of the connection: ``open_telegram`` for a logged-in account, ``open_invoker`` for any session."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from telethon.tl import functions, types

from tobs.errors import ConfigError, LoginError
from tobs.model.clock import Clock, Sleep
from tobs.telegram.convert import person_of
from tobs.telegram.facade import Telegram
from tobs.telegram.net.connection import Connection
from tobs.telegram.net.connections import ConnectionPool
from tobs.telegram.net.events import OnEvent, ignore_event
from tobs.telegram.net.flood import FloodLedger
from tobs.telegram.net.flood_store import SharedFloodStore, account_key
from tobs.telegram.net.invoker import Invoker
from tobs.telegram.net.session import Account, Session, SessionFile, not_logged_in, with_account_option
from tobs.telegram.net.settings import TelegramSettings
from tobs.telegram.stores import Stores


@asynccontextmanager
async def open_telegram(
    settings: TelegramSettings,
    stores: Stores | None = None,
    *,
    on_event: OnEvent = ignore_event,
    clock: Clock = time.time,
    sleep: Sleep = asyncio.sleep,
    rng: random.Random | None = None,
    verify_account: bool = True,
) -> AsyncIterator[Telegram]:
    """Open a connected, logged-in account; closes every connection at the end.

    Without ``verify_account`` the account is taken from the session file, without a request. Raises LoginError (nobody
    logged in, or the session was revoked), NetworkError (no server), ConfigError.
    """
    file = SessionFile(settings)
    session = file.load()
    if session is None or not session.key:
        raise not_logged_in(settings)
    async with open_invoker(settings, file, session, on_event=on_event, clock=clock, sleep=sleep, rng=rng) as invoker:
        account = (None if verify_account else session.account) or await fetch_account(invoker, settings)
        yield Telegram(settings, invoker, account, stores or Stores(), on_event)


@asynccontextmanager
async def open_invoker(
    settings: TelegramSettings,
    file: SessionFile,
    session: Session,
    *,
    on_event: OnEvent = ignore_event,
    clock: Clock = time.time,
    sleep: Sleep = asyncio.sleep,
    rng: random.Random | None = None,
) -> AsyncIterator[Invoker]:
    """Open the invoker for a session, logged in or not. Raises ConfigError."""
    if not settings.api_id or not settings.api_hash:
        raise ConfigError(
            "The API id or the API hash is missing.", "Set TOBS_API_ID and TOBS_API_HASH (my.telegram.org)."
        )
    connections = ConnectionPool(settings, session, on_event=on_event, save=lambda: file.save(session))
    store = SharedFloodStore(settings.sessions.parent / "floods.json", account_key(session), clock=clock)
    ledger = FloodLedger(
        clock=clock,
        sleep=sleep,
        threshold=settings.flood_threshold,
        patience=settings.flood_patience,
        on_event=on_event,
        store=store,
    )
    invoker = Invoker(
        settings, connections, ledger, clock=clock, sleep=sleep, rng=rng or random.Random(), on_event=on_event
    )

    async def authorise(dc: int, connection: Connection) -> None:
        exported = await invoker(functions.auth.ExportAuthorizationRequest(dc))
        login = functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes)
        await invoker.invoke_on(connection, login, dc=dc)

    connections.authorise = authorise
    try:
        yield invoker
    except LoginError as error:
        with_account_option(error, settings)
        raise
    finally:
        await connections.close()


async def fetch_account(invoker: Invoker, settings: TelegramSettings) -> Account:
    """Request the logged-in account. Raises LoginError."""
    users = await invoker(functions.users.GetUsersRequest([types.InputUserSelf()]))
    return account_of(users[0], settings) if users else _raise_not_logged_in(settings)


def account_of(user: Any, settings: TelegramSettings) -> Account:
    """Return the account of the TL user that is logged in. Raises LoginError for an empty one."""
    person = person_of(user)
    if person is None:
        return _raise_not_logged_in(settings)
    return Account(user.id, person.name, person.username, user.phone or "", person.is_bot, settings.account)


def _raise_not_logged_in(settings: TelegramSettings) -> Account:
    raise not_logged_in(settings)
