"""Takeout sessions: asked for with the scopes used, finished whatever happens.

Source: https://core.telegram.org/api/takeout
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from loguru import logger
from telethon.tl import functions, types

from tobs.errors import RequestRefused, TobsError, UsageError
from tobs.telegram.events import OnEvent, TakeoutRefused, TakeoutStarted
from tobs.telegram.invoke import Door
from tobs.telegram.stores import TakeoutStore

SCOPES = ("contacts", "users", "chats", "megagroups", "channels", "files")
_FLAGS = {"users": "message_users", "chats": "message_chats", "megagroups": "message_megagroups"}
_FLAGS |= {"channels": "message_channels", "contacts": "contacts", "files": "files"}
_LARGEST_FILE = 4 * 1024**3
_FINISH_WITHIN = 10.0


def scope_flags(scopes: Iterable[str]) -> dict[str, object]:
    """The fields of account.initTakeoutSession for ``scopes``. Raises UsageError.

    Basic groups are given only together with supergroups, which many of them have become.
    """
    wanted = set(scopes)
    if unknown := wanted - set(SCOPES):
        raise UsageError(f"'{min(unknown)}' is no takeout scope.", f"Scopes: {', '.join(SCOPES)}.")
    if "chats" in wanted:
        wanted.add("megagroups")
    flags: dict[str, object] = {_FLAGS[scope]: True for scope in sorted(wanted)}
    if "files" in wanted:
        flags["file_max_size"] = _LARGEST_FILE
    return flags


def refusal_told(refused: TakeoutRefused) -> str:
    """What the owner is told when Telegram grants no takeout session, or ends it."""
    if refused.name != "TAKEOUT_INIT_DELAY":
        return f"Telegram ended the takeout session ({refused.name}): the normal API was used from there on"
    hours = max(1, round(refused.seconds / 3600))
    return (
        "Telegram wants the export allowed first (TAKEOUT_INIT_DELAY): open a Telegram app, go to the chat 'Telegram', "
        "press Allow under its message about exporting your data and run the same command again; without that it is "
        f"possible in {hours} h. The normal API was used"
    )


@asynccontextmanager
async def takeout_session(
    door: Door, store: TakeoutStore, account: int, scopes: Iterable[str], on_event: OnEvent
) -> AsyncIterator[bool]:
    """Every request inside is part of a takeout session; yields False when Telegram wants it allowed first.

    An id that ``store`` kept from a run that died is used again while Telegram knows it.
    """
    if door.takeout_id:
        yield True
        return
    try:
        opened = await _resume(door, store.get(account)) or await _begin(door, scopes)
    except RequestRefused as refused:
        if refused.name != "TAKEOUT_INIT_DELAY":
            raise
        seconds = getattr(refused.__cause__, "argument", 0)
        logger.info("takeout refused for {} s", seconds)
        on_event(TakeoutRefused(refused.name, seconds))
        yield False
        return
    resumed = opened == store.get(account)
    store.put(account, opened)
    on_event(TakeoutStarted(opened, resumed))
    door.takeout_id, door.takeout_runs = opened, True
    done = False
    try:
        yield True
        done = True
    finally:
        finish = asyncio.ensure_future(_finish(door, store, account, success=done))
        try:
            await asyncio.shield(finish)
        except asyncio.CancelledError:
            await finish
            raise


async def _begin(door: Door, scopes: Iterable[str]) -> int:
    answer = await door(functions.account.InitTakeoutSessionRequest(**scope_flags(scopes)))
    return int(answer.id)


async def _resume(door: Door, kept: int) -> int:
    """``kept`` if Telegram still knows that takeout, else 0."""
    if not kept:
        return 0
    door.takeout_id = kept
    try:
        await door(functions.users.GetUsersRequest([types.InputUserSelf()]))
    except RequestRefused as refused:
        if refused.name not in ("TAKEOUT_INVALID", "TAKEOUT_REQUIRED"):
            raise
        return 0
    finally:
        door.takeout_id = 0
    return kept


async def _finish(door: Door, store: TakeoutStore, account: int, *, success: bool) -> None:
    """Tell Telegram that the takeout is over. A failure is logged: the id stays kept for the next run."""
    door.takeout_runs = False
    if not door.takeout_id:  # Telegram ended it
        store.put(account, 0)
        return
    try:
        async with asyncio.timeout(_FINISH_WITHIN):
            await door(functions.account.FinishTakeoutSessionRequest(success=success))
        store.put(account, 0)
    except (TobsError, TimeoutError) as error:
        logger.warning("the takeout could not be finished: {}", error)
    finally:
        door.takeout_id = 0
