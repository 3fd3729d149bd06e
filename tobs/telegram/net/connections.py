"""Connections of one account: one for each (data centre, worker), opened when needed, and again when lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from loguru import logger
from msgspec import Struct
from telethon.tl import TLRequest, functions

from tobs.errors import RequestRefused
from tobs.telegram.net.connection import Connection, ConnectionLost, OnUpdate, add_server_key, trusted_keys
from tobs.telegram.net.events import OnEvent, Reconnected
from tobs.telegram.net.proxies import parse_proxy
from tobs.telegram.net.reader import parse
from tobs.telegram.net.session import Session
from tobs.telegram.net.settings import ServerAddress, TelegramSettings


class _CdnKeys(Struct):
    """Public keys of a CDN's data centre, and the auth key made with it (empty: none yet)."""

    pems: tuple[str, ...]
    key: bytes = b""


class ConnectionPool:
    """Pool of connections. ``dc`` 0 is the account's home data centre.

    All connections of a data centre share one auth key. The key of another data centre than home is made once and
    authorised by ``authorise(dc, connection)``; ``invoke_on`` sends the requests needed for that; ``save`` is called
    when the session has a new key. ``ever_connected`` is True once a connection was made in this run. ``on_update``,
    set before the first connection, receives the updates that home pushes. A CDN's data centre is used after
    ``trust_cdn``; it has its own key in each run and no login.
    """

    def __init__(
        self, settings: TelegramSettings, session: Session, *, on_event: OnEvent, save: Callable[[], None]
    ) -> None:
        self._settings = settings
        self.session = session
        self._on_event = on_event
        self._save = save
        self._open: dict[tuple[int, int], Connection] = {}
        self._locks: dict[tuple[int, int], asyncio.Lock] = {}
        self._addresses: dict[int, ServerAddress] = {}
        self._cdns: dict[int, _CdnKeys] = {}
        self.ever_connected = False
        self.on_update: OnUpdate | None = None
        self._proxy = parse_proxy(settings.proxy)
        self.authorise: Callable[[int, Connection], Awaitable[None]] | None = None
        self.invoke_on: Callable[[Connection, TLRequest], Awaitable[bytes]] | None = None
        if settings.server is not None and settings.server.key_pem:
            add_server_key(settings.server.key_pem)

    def home(self, dc: int) -> int:
        """Return ``dc``, or 0 when it is the home data centre."""
        return 0 if dc == self.session.dc else dc

    def get(self, dc: int, worker: int) -> Connection:
        """Return an open connection. Raises ConnectionLost when ``ensure_open`` has to be called first."""
        connection = self._open.get((dc, worker))
        if connection is None or not connection.is_open:
            raise ConnectionLost("the connection is closed", connected=True)
        return connection

    async def ensure_open(self, dc: int, worker: int) -> None:
        """Open the connection of (dc, worker) unless it is open. Raises ConnectionLost when that fails."""
        slot = (dc, worker)
        if (found := self._open.get(slot)) is not None and found.is_open:
            return
        async with self._locks.setdefault(slot, asyncio.Lock()):
            found = self._open.get(slot)
            if found is not None and found.is_open:
                return
            if dc and not self._key_of(dc):
                await self._create_key(dc)
            connection = await self._connect(dc)
            self._open[slot] = connection
            if not dc and not self.session.key:
                self.session.key = connection.key
            if found is not None:
                logger.info("connection {} to dc {} is back", worker, dc or self.session.dc)
                self._on_event(Reconnected(worker, dc or self.session.dc))

    async def open_separate(self, on_update: OnUpdate) -> Connection:
        """Open another connection to home that receives updates; the caller closes it. Raises ConnectionLost."""
        return await self._connect(0, on_update)

    async def _connect(self, dc: int, on_update: OnUpdate | None = None) -> Connection:
        connection = Connection(
            await self._address(dc),
            self._key_of(dc),
            api_id=self._settings.api_id,
            connect_timeout=self._settings.connect_timeout,
            proxy=self._proxy,
            on_update=None if dc else on_update or self.on_update,
        )
        try:
            with trusted_keys(self._cdns[dc].pems if dc in self._cdns else ()):
                await connection.open()
        except ConnectionLost:
            self._addresses.pop(dc, None)  # a data centre may have moved
            raise
        self.ever_connected = True
        return connection

    async def _create_key(self, dc: int) -> None:
        """Make the auth key of another data centre and transfer the login, once for all workers."""
        async with self._locks.setdefault((dc, -1), asyncio.Lock()):
            if self._key_of(dc):
                return
            connection = await self._connect(dc)
            try:
                if dc in self._cdns:
                    self._cdns[dc].key = connection.key
                    return
                if self.authorise is not None:
                    await self.authorise(dc, connection)
                self.session.keys[dc] = connection.key
            finally:
                await connection.close()
            self._save()

    def _key_of(self, dc: int) -> bytes:
        """Return the auth key of a data centre, empty where there is none yet."""
        if dc in self._cdns:
            return self._cdns[dc].key
        return self.session.keys.get(dc, b"") if dc else self.session.key

    def is_cdn(self, dc: int) -> bool:
        """Return whether ``dc`` is a trusted CDN's data centre."""
        return dc in self._cdns

    def trust_cdn(self, dc: int, pems: tuple[str, ...]) -> None:
        """Use a CDN's data centre from now on: ``pems`` are its public keys."""
        self._addresses.pop(dc, None)
        self._cdns.setdefault(dc, _CdnKeys(pems))

    async def _address(self, dc: int) -> ServerAddress:
        """Return the address of a data centre; requests the list from home. Raises RequestRefused."""
        session = self.session
        if not dc:
            return ServerAddress(session.host, session.port, session.dc)
        if dc not in self._addresses:
            for option in (await self._config()).dc_options:
                usable = not (option.ipv6 or option.media_only or option.tcpo_only or option.secret)
                usable &= bool(option.cdn) == (option.id in self._cdns)
                if usable and option.id not in self._addresses:
                    self._addresses[option.id] = ServerAddress(option.ip_address, option.port, option.id)
        if dc not in self._addresses:
            raise RequestRefused(
                f"Telegram gives no address for data centre {dc}.", "Try again later.", name="DC_ID_INVALID"
            )
        return self._addresses[dc]

    async def _config(self) -> Any:
        await self.ensure_open(0, 0)
        connection, request = self.get(0, 0), functions.help.GetConfigRequest()
        if self.invoke_on is None:
            return parse(await connection.send(request, timeout=self._settings.request_timeout))
        return parse(await self.invoke_on(connection, request))

    async def wait_closed(self, dc: int, worker: int) -> None:
        """Wait until the connection of (dc, worker) ends; returns at once where there is none."""
        connection = self._open.get((dc, worker))
        if connection is not None:
            await connection.wait_closed()

    async def move_home(self, dc: int) -> None:
        """Make another data centre the home one (PHONE_MIGRATE at a login); it needs a new key."""
        slot = await self._address(dc)
        await self.close()
        session = self.session
        session.dc, session.host, session.port, session.key = dc, slot.host, slot.port, b""

    async def drop_key(self, dc: int) -> None:
        """Drop the key of another data centre, because it no longer knows the login, and close its connections."""
        self.session.keys.pop(dc, None)
        if dc in self._cdns:
            self._cdns[dc].key = b""
        for slot in [slot for slot in self._open if slot[0] == dc]:
            await self._open.pop(slot).close()

    async def close(self) -> None:
        """Close every connection."""
        connections, self._open = list(self._open.values()), {}
        for connection in connections:
            await connection.close()
