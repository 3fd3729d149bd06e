"""Takeout sessions: started with the scopes that are used, awaited beside the run, and always finished.

Source: https://core.telegram.org/api/takeout
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from loguru import logger
from telethon.tl import functions, types

from tobs.errors import FloodWait, RequestRefused, TobsError, UsageError
from tobs.telegram.client.shards import Span
from tobs.telegram.net.events import OnEvent, TakeoutDelayed, TakeoutEnded, TakeoutRefused, TakeoutStarted
from tobs.telegram.net.invoker import Invoker
from tobs.telegram.net.push_listener import KEEPALIVE_SECONDS, PushListener, is_message_from, wait_until_set
from tobs.telegram.stores import StoredTakeout, TakeoutStore

SCOPES = ("contacts", "users", "chats", "megagroups", "channels", "files")
SERVICE_CHAT = 777000
"""User id of Telegram's service chat, in which the user allows a takeout."""
_FLAGS = {"users": "message_users", "chats": "message_chats", "megagroups": "message_megagroups"}
_FLAGS |= {"channels": "message_channels", "contacts": "contacts", "files": "files"}
_LARGEST_FILE = 4 * 1024**3
_FINISH_WITHIN = 10.0
_DELAY = "TAKEOUT_INIT_DELAY"
_TRIES_ON_MESSAGES = 5
"""Largest number of requests after messages in the service chat: a request may itself cause a message."""


def complete_scopes(scopes: Iterable[str]) -> frozenset[str]:
    """Return ``scopes`` as Telegram accepts them: basic groups only together with supergroups. Raises UsageError."""
    wanted = frozenset(scopes)
    if unknown := wanted - set(SCOPES):
        raise UsageError(f"'{min(unknown)}' is not a takeout scope.", f"Scopes: {', '.join(SCOPES)}.")
    return wanted | {"megagroups"} if "chats" in wanted else wanted


def scope_flags(scopes: Iterable[str]) -> dict[str, object]:
    """Return the fields of account.initTakeoutSession for ``scopes``. Raises UsageError."""
    wanted = complete_scopes(scopes)
    flags: dict[str, object] = {_FLAGS[scope]: True for scope in sorted(wanted)}
    if "files" in wanted:
        flags["file_max_size"] = _LARGEST_FILE
    return flags


def delay_text(delayed: TakeoutDelayed) -> str:
    """Return the text that asks the user to allow the takeout in a Telegram app."""
    hours = max(1, round(delayed.seconds / 3600))
    latest = f"in {hours} h" if delayed.seconds >= 3600 else f"in {delayed.seconds} s"
    return (
        "Telegram wants this export allowed first (TAKEOUT_INIT_DELAY): open a Telegram app, go to the chat "
        "'Telegram' and press Allow under its message about exporting your data. tobs goes on by itself as soon as "
        f"that is done, at the latest {latest}; until then the normal API is used"
    )


def end_text(ended: TakeoutEnded) -> str:
    """Return the text for a takeout session that Telegram ended."""
    return f"Telegram ended the takeout session ({ended.name}): the normal API was used from there on"


@asynccontextmanager
async def takeout_session(
    invoker: Invoker,
    store: TakeoutStore,
    account: int,
    scopes: Iterable[str],
    *,
    patience: float,
    on_event: OnEvent,
) -> AsyncIterator[bool]:
    """Send every request inside as part of a takeout session; yields False when there is none at the beginning.

    A session that ``store`` holds from an interrupted run is used again when Telegram still knows it and it has the
    scopes. When Telegram delays a session, it is awaited for up to ``patience`` seconds, and after that beside the code
    inside: it starts when the user allows it, or when the delay is over. When Telegram refuses it, the requests go to
    the normal API.
    """
    if invoker.takeout_id:
        yield True
        return
    session = _TakeoutSession(invoker, store, account, complete_scopes(scopes), on_event)
    await session.begin(patience)
    done = False
    try:
        yield bool(invoker.takeout_id)
        done = True
    finally:
        ending = asyncio.ensure_future(session.end(success=done))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await ending
            raise


async def finish_stored(invoker: Invoker, store: TakeoutStore, account: int) -> None:
    """Finish the takeout session that an earlier run left behind, if there is one."""
    stored = (await store.get(account)).id
    if stored:
        await _finish(invoker, store, account, stored, success=False)


class _TakeoutSession:
    """A takeout session, from its request to its finish."""

    def __init__(
        self, invoker: Invoker, store: TakeoutStore, account: int, scopes: frozenset[str], on_event: OnEvent
    ) -> None:
        self._invoker = invoker
        self._store = store
        self._account = account
        self._scopes = scopes
        self._on_event = on_event
        self._waiting: asyncio.Task[None] | None = None
        self._is_over = False

    async def begin(self, patience: float) -> None:
        """Resume a stored session or request a new one. A delayed session is awaited beside the run."""
        stored = await self._resume()
        if stored is not None:
            await self._start(stored, resumed=True)
            return
        try:
            await self._start(await self._request())
        except FloodWait:
            raise
        except RequestRefused as refused:
            if refused.name != _DELAY:
                self._report_refusal(refused)
                return
            seconds = _delay_seconds(refused)
            self._on_event(TakeoutDelayed(seconds))
            self._waiting = asyncio.create_task(self._wait_for_permission(seconds), name="takeout to be allowed")
            if seconds <= patience:
                await asyncio.wait([self._waiting])

    async def end(self, *, success: bool) -> None:
        """Stop waiting, and finish the takeout at Telegram."""
        self._is_over = True
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.gather(self._waiting, return_exceptions=True)
        self._invoker.takeout_confirmed = False
        if self._invoker.takeout_id:
            await _finish(self._invoker, self._store, self._account, self._invoker.takeout_id, success=success)
        else:  # it never started, or Telegram ended it
            await self._store.put(self._account, StoredTakeout())

    async def _request(self) -> StoredTakeout:
        answer = await self._invoker(functions.account.InitTakeoutSessionRequest(**scope_flags(self._scopes)))
        return StoredTakeout(int(answer.id), self._scopes)

    async def _start(self, takeout: StoredTakeout, *, resumed: bool = False, late: bool = False) -> None:
        # First of all: whatever ends the run from here on, the takeout is finished, or stored for the next run.
        self._invoker.takeout_id, self._invoker.takeout_confirmed = takeout.id, True
        await asyncio.shield(self._store.put(self._account, takeout))
        self._on_event(TakeoutStarted(takeout.id, tuple(sorted(takeout.scopes)), resumed, late))

    def _report_refusal(self, refused: TobsError) -> None:
        logger.info("no takeout session: {}", refused)
        self._on_event(TakeoutRefused(getattr(refused, "name", ""), refused.message))

    async def _resume(self) -> StoredTakeout | None:
        """Return the stored session if it has all scopes and Telegram still knows it; finish one with fewer scopes."""
        stored = await self._store.get(self._account)
        if not stored.id:
            return None
        if not self._scopes <= stored.scopes:
            await _finish(self._invoker, self._store, self._account, stored.id, success=False)
            return None
        self._invoker.takeout_id = stored.id
        try:
            await self._invoker(functions.users.GetUsersRequest([types.InputUserSelf()]))
        except RequestRefused as refused:
            if refused.name not in ("TAKEOUT_INVALID", "TAKEOUT_REQUIRED"):
                raise
            return None
        finally:
            self._invoker.takeout_id = 0
        return stored

    async def _wait_for_permission(self, seconds: float) -> None:
        """Request the takeout again after each message in Telegram's service chat, and when ``seconds`` have passed."""
        message_seen = asyncio.Event()
        listener = PushListener(
            self._invoker, lambda update: message_seen.set() if is_message_from(update, SERVICE_CHAT) else None
        )
        tries = 0
        deadline = self._invoker.clock() + seconds
        try:
            while True:
                await listener.keep_alive()
                if self._is_over:  # Telethon's sender swallows a cancellation while it connects
                    return
                await wait_until_set(
                    message_seen, self._invoker.sleep, min(KEEPALIVE_SECONDS, deadline - self._invoker.clock())
                )
                allowed = message_seen.is_set() and tries < _TRIES_ON_MESSAGES
                tries += allowed
                message_seen.clear()
                if not allowed and self._invoker.clock() < deadline:
                    continue
                try:
                    await self._start(await self._request(), late=True)
                    return
                except RequestRefused as refused:
                    if refused.name != _DELAY:
                        raise
                    deadline = self._invoker.clock() + _delay_seconds(refused)
        except TobsError as error:
            self._report_refusal(error)
        finally:
            await listener.close()


def _delay_seconds(refused: RequestRefused) -> int:
    return max(1, int(getattr(refused.__cause__, "argument", 0)))


async def _finish(invoker: Invoker, store: TakeoutStore, account: int, takeout: int, *, success: bool) -> None:
    """Finish ``takeout`` at Telegram. A failure is logged, and the stored id is left for the next run."""
    invoker.takeout_id = takeout
    try:
        async with asyncio.timeout(_FINISH_WITHIN):
            await invoker(functions.account.FinishTakeoutSessionRequest(success=success))
        await store.put(account, StoredTakeout())
    except RequestRefused as refused:
        if refused.name == "TAKEOUT_INVALID":  # Telegram no longer knows it
            await store.put(account, StoredTakeout())
        else:
            logger.warning("the takeout could not be finished: {}", refused)
    except (TobsError, TimeoutError) as error:
        logger.warning("the takeout could not be finished: {}", error)
    finally:
        invoker.takeout_id = 0


class SplitRanges:
    """Id ranges of private chats and basic groups that a takeout session offers; one request for each session.

    Source: https://core.telegram.org/method/messages.getSplitRanges
    """

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker
        self._takeout = 0
        self._offered: Sequence[Span] = ()

    async def offered(self) -> Sequence[Span]:
        """Return the ranges of the open takeout session, both ends inclusive; empty without a session, or where it has
        none."""
        takeout = self._invoker.takeout_id
        if takeout and takeout != self._takeout:
            self._takeout, self._offered = takeout, ()
            try:
                found = await self._invoker(functions.messages.GetSplitRangesRequest())
            except RequestRefused:
                return ()  # then one worker is used
            self._offered = [(item.min_id, item.max_id) for item in found]
        return self._offered if takeout else ()
