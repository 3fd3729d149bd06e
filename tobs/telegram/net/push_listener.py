"""Listener for pushed updates on a connection of its own, beside those of the workers."""

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
"""Longest time in seconds between two calls of ``keep_alive``; the server closes a connection without pings."""
_CUT_AFTER = 75


class PushListener:
    """Receiver of the updates that Telegram pushes to this account.

    Call ``keep_alive`` regularly; updates are lost while there is no connection.
    """

    def __init__(self, invoker: Invoker, on_update: OnUpdate) -> None:
        self._invoker = invoker
        self._on_update = on_update
        self._connection: Connection | None = None
        self._pings = 0

    async def keep_alive(self) -> None:
        """Open the connection, or ping the open one. A network error closes it, and the next call opens it again."""
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
        """Close the connection."""
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
    """Return whether a pushed update is a message of ``user`` to this account, or a service notification."""
    inner = [update.update] if isinstance(update, types.UpdateShort) else getattr(update, "updates", [update])
    return any(isinstance(item, types.UpdateServiceNotification) or _sender_of(item) == user for item in inner)


def _sender_of(item: Any) -> int:
    """Return the user id of a short message's sender, or of the private chat of a message; 0 for others."""
    peer = getattr(getattr(item, "message", None), "peer_id", None)
    return int(getattr(peer, "user_id", 0) or getattr(item, "user_id", 0) or 0)
