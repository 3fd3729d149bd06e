"""The way to Telegram of a run: what the archive knows of peers and takeouts is used, what happens on it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from math import ceil
from pathlib import Path
from typing import Self, Unpack

from loguru import logger

from tobs.config.units import format_moment
from tobs.errors import ConfigError, LoginError, TelegramError, TobsError, TransferFailed
from tobs.model import FileItem, MessageKey
from tobs.model.events import RequestsCounted, TakeoutChanged
from tobs.pipeline.context.adapters import ArchivePeers, ArchivePosts, ArchiveTakeouts
from tobs.pipeline.context.events import RunEvents
from tobs.pipeline.session.run_session import RunSession
from tobs.sources import FetchOptions
from tobs.telegram.client.takeout import delay_text, end_text
from tobs.telegram.facade import Telegram
from tobs.telegram.net.events import (
    Event,
    FloodWaited,
    MessageUnreadable,
    Paused,
    Reconnected,
    ReferenceRenewed,
    Retried,
    TakeoutDelayed,
    TakeoutEnded,
    TakeoutEvent,
    TakeoutRefused,
    TakeoutStarted,
)
from tobs.telegram.net.settings import TelegramSettings
from tobs.telegram.opening import open_telegram
from tobs.telegram.stores import Stores


@asynccontextmanager
async def open_telegram_session(
    run: RunSession, settings: TelegramSettings, *, verify_account: bool = True
) -> AsyncIterator[Telegram]:
    """Telegram for ``run``; its requests are counted in the report. ``verify_account``: see ``open_telegram``."""
    peers, takeouts = ArchivePeers(run.archive, run.archive_thread), ArchiveTakeouts(run.archive, run.archive_thread)
    posts, on_event = ArchivePosts(run.archive, run.archive_thread), partial(tell, run.config.events)
    async with open_telegram(
        settings, Stores(peers, takeouts, posts), on_event=on_event, verify_account=verify_account
    ) as telegram:
        try:
            yield telegram
        finally:
            run.config.events.emit(RequestsCounted(telegram.requests.total()))
            await peers.flush()


class LazyTelegram:
    """Telegram for a run that may do without: opened when it is first needed, and not tried again where it cannot be
    reached. An async context manager."""

    def __init__(self, run: RunSession, way: Callable[[], TelegramSettings]) -> None:
        self._run = run
        self._way = way
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._opened: Telegram | TobsError | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def open(self) -> Telegram:
        """Telegram, each time the same. Raises TelegramError, LoginError and ConfigError, each time the same."""
        async with self._opening:
            if self._opened is None:
                try:
                    way = open_telegram_session(self._run, self._way(), verify_account=False)
                    self._opened = await self._stack.enter_async_context(way)
                except (TelegramError, LoginError, ConfigError) as error:
                    self._opened = error
        if isinstance(self._opened, TobsError):
            raise self._opened
        return self._opened

    async def fetch_file(self, item: FileItem, key: MessageKey, part: Path, **options: Unpack[FetchOptions]) -> int:
        """Fetch a file, as ``Telegram.fetch_file`` does. Raises TransferFailed, also where there is no way."""
        try:
            telegram = await self.open()
            return await telegram.fetch_file(item, key, part, **options)
        except TransferFailed:
            raise
        except (TelegramError, LoginError, ConfigError) as error:
            self._opened = error
            raise TransferFailed(error.message, error.remedy) from error


def tell(events: RunEvents, event: Event) -> None:
    """What happened on the way to Telegram, as the report tells it."""
    match event:
        case FloodWaited(method=method, seconds=seconds):
            events.flood_wait(method, seconds)
        case Paused(method=method, until=until):
            tell_pause(events, method, until)
        case Retried(method=method, reason=reason):
            events.recovered(f"{method} again after {reason}")
        case Reconnected():
            events.recovered("connection lost and restored")
        case TakeoutStarted() | TakeoutDelayed() | TakeoutRefused() | TakeoutEnded():
            tell_takeout(events, event)
        case ReferenceRenewed():
            events.recovered("file reference expired and was renewed")
        case MessageUnreadable(chat_id=chat_id, message_id=message_id, reason=reason):
            # The page it belongs to tells it as a problem.
            logger.info("message {} of {} cannot be read: {}", message_id, chat_id, reason)


def tell_pause(events: RunEvents, method: str, until: float) -> None:
    """The run pauses: told at once, with the reason and the time."""
    events.paused(method, until)
    told = (
        f"Paused until {format_moment(until)}: Telegram asks to wait {ceil(until - events.now)} s before {method} "
        "(flood wait). Nothing is asked of it until then; Ctrl-C ends the run, and the same command goes on"
    )
    logger.warning(told)
    events.notice(told)


def tell_takeout(events: RunEvents, event: TakeoutEvent) -> None:
    """What became of the takeout session: told at once, and in the report."""
    match event:
        case TakeoutStarted(scopes=scopes, late=False):
            events.emit(TakeoutChanged("used", scopes))
            return
        case TakeoutStarted(scopes=scopes):
            told = "The takeout session was allowed: it is used from there on"
            events.emit(TakeoutChanged("late", scopes, told))
        case TakeoutDelayed():
            told = delay_text(event)
            events.emit(TakeoutChanged("delayed", reason=told))
        case TakeoutRefused(reason=reason):
            told = f"Telegram gave no takeout session, the normal API was used: {reason}"
            events.emit(TakeoutChanged("refused", reason=told))
        case TakeoutEnded():
            told = end_text(event)
            events.emit(TakeoutChanged("ended", None, told))
    logger.warning(told)
    events.notice(told)
    events.recovered(told)
