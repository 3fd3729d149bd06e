"""One connection on which Telegram pushes what happens: opened beside the workers' ones, mended and kept awake."""

from __future__ import annotations

import asyncio
from typing import Any

from telethon.tl import functions, types

from tobs.errors import TobsError
from tobs.model.clock import Sleep
from tobs.telegram.net.connection import Connection, ConnectionLost, OnUpdate
from tobs.telegram.net.invoker import Invoker
from tobs.telegram.net.rpc_errors import RpcError

KEEPALIVE_SECONDS = 60.0
"""Seconds after which a connection that only listens has to be tended: what is silent for longer is cut off."""
_CUT_AFTER = 75


class PushListener:
    """Hears what Telegram pushes to this account. ``tend`` it now and then; what was said while it was deaf is lost."""

    def __init__(self, invoker: Invoker, on_update: OnUpdate) -> None:
        self._invoker = invoker
        self._on_update = on_update
        self._connection: Connection | None = None
        self._pings = 0

    async def keep_alive(self) -> None:
        """Open the connection where there is none, else keep it awake. A network that is away is met at the next."""
        try:
            if self._connection is None or not self._connection.is_open:
                self._connection = await self._invoker.connections.open_separate(self._on_update)
                await self._invoker.invoke_on(self._connection, functions.updates.GetStateRequest())
            else:
                self._pings += 1
                ping = functions.PingDelayDisconnectRequest(self._pings, _CUT_AFTER)
                await self._connection.send(ping, timeout=KEEPALIVE_SECONDS)
        except (ConnectionLost, RpcError, TobsError):
            await self.close()

    async def close(self) -> None:
        """Listen no longer."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


async def wait_until_set(event: asyncio.Event, sleep: Sleep, seconds: float) -> None:
    """Wait for ``event``, but no longer than ``seconds``."""
    waits = {asyncio.ensure_future(event.wait()), asyncio.ensure_future(sleep(max(0.0, seconds)))}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


def is_message_from(update: Any, user: int) -> bool:
    """Whether a pushed update is about something that ``user`` said to this account, or a notice of Telegram's."""
    inner = [update.update] if isinstance(update, types.UpdateShort) else getattr(update, "updates", [update])
    return any(isinstance(item, types.UpdateServiceNotification) or _sender_of(item) == user for item in inner)


def _sender_of(item: Any) -> int:
    """The user a short message comes from, or in whose chat a message is."""
    peer = getattr(getattr(item, "message", None), "peer_id", None)
    return int(getattr(peer, "user_id", 0) or getattr(item, "user_id", 0) or 0)
