"""Telegram in a run: with the peers and takeouts of the archive, and its events in the report."""

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
    """Open Telegram for ``run`` and count its requests in the report. ``verify_account``: see ``open_telegram``."""
    peers, takeouts = ArchivePeers(run.archive, run.archive_thread), ArchiveTakeouts(run.archive, run.archive_thread)
    posts, on_event = ArchivePosts(run.archive, run.archive_thread), partial(report_event, run.config.events)
    async with open_telegram(
        settings, Stores(peers, takeouts, posts), on_event=on_event, verify_account=verify_account
    ) as telegram:
        try:
            yield telegram
        finally:
            run.config.events.emit(RequestsCounted(telegram.requests.total()))
            await peers.flush()


class LazyTelegram:
    """Telegram for a run that may not need it: opened at the first use, and not tried again after an error.
    ``read_settings`` reads the settings of the connection. An async context manager."""

    def __init__(self, run: RunSession, read_settings: Callable[[], TelegramSettings]) -> None:
        self._run = run
        self._read_settings = read_settings
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._opened: Telegram | TobsError | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def open(self) -> Telegram:
        """Return the same connection each time. Raises TelegramError, LoginError and ConfigError, also each time."""
        async with self._opening:
            if self._opened is None:
                try:
                    opening = open_telegram_session(self._run, self._read_settings(), verify_account=False)
                    self._opened = await self._stack.enter_async_context(opening)
                except (TelegramError, LoginError, ConfigError) as error:
                    self._opened = error
        if isinstance(self._opened, TobsError):
            raise self._opened
        return self._opened

    async def fetch_file(self, item: FileItem, key: MessageKey, part: Path, **options: Unpack[FetchOptions]) -> int:
        """Fetch a file, as ``Telegram.fetch_file`` does. Raises TransferFailed, also when Telegram cannot be opened."""
        try:
            telegram = await self.open()
            return await telegram.fetch_file(item, key, part, **options)
        except TransferFailed:
            raise
        except (TelegramError, LoginError, ConfigError) as error:
            self._opened = error
            raise TransferFailed(error.message, error.remedy) from error


def report_event(events: RunEvents, event: Event) -> None:
    """Emit the run events for an event of the connection to Telegram."""
    match event:
        case FloodWaited(method=method, seconds=seconds):
            events.flood_wait(method, seconds)
        case Paused(method=method, until=until):
            _report_pause(events, method, until)
        case Retried(method=method, reason=reason):
            events.recovered(f"{method} again after {reason}")
        case Reconnected():
            events.recovered("connection lost and restored")
        case TakeoutStarted() | TakeoutDelayed() | TakeoutRefused() | TakeoutEnded():
            _report_takeout(events, event)
        case ReferenceRenewed():
            events.recovered("file reference expired and was renewed")
        case MessageUnreadable(chat_id=chat_id, message_id=message_id, reason=reason):
            # The page that contains it reports it as a problem.
            logger.info("message {} of {} cannot be read: {}", message_id, chat_id, reason)


def _report_pause(events: RunEvents, method: str, until: float) -> None:
    """Report a pause of the run at once, with its reason and end (Unix seconds)."""
    events.paused(method, until)
    text = (
        f"Paused until {format_moment(until)}: Telegram asks to wait {ceil(until - events.now)} s before {method} "
        "(flood wait). No requests are sent until then. Ctrl-C ends the run; the same command continues it"
    )
    logger.warning(text)
    events.notice(text)


def _report_takeout(events: RunEvents, event: TakeoutEvent) -> None:
    """Report a change of the takeout session, at once and in the report."""
    match event:
        case TakeoutStarted(scopes=scopes, late=False):
            events.emit(TakeoutChanged("used", scopes))
            return
        case TakeoutStarted(scopes=scopes):
            text = "The takeout session was allowed: it is used from now on"
            events.emit(TakeoutChanged("late", scopes, text))
        case TakeoutDelayed():
            text = delay_text(event)
            events.emit(TakeoutChanged("delayed", reason=text))
        case TakeoutRefused(reason=reason):
            text = f"Telegram gave no takeout session, the normal API was used: {reason}"
            events.emit(TakeoutChanged("refused", reason=text))
        case TakeoutEnded():
            text = end_text(event)
            events.emit(TakeoutChanged("ended", None, text))
    logger.warning(text)
    events.notice(text)
    events.recovered(text)
