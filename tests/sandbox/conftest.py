"""A sandbox in this process, and stock clients for it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.network import ConnectionTcpFull
from telethon.sessions import MemorySession

from tobs.sandbox import Sandbox, SandboxOptions, open_world, serve

SMALL = "synthetic:messages=300,chats=2,media=0.2,seed=7"

Connect = Callable[..., AbstractAsyncContextManager[TelegramClient]]


@pytest.fixture
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """A small synthetic world; parametrise indirectly with SandboxOptions for another behaviour."""
    options = getattr(request, "param", SandboxOptions())
    async with serve(open_world(SMALL), options) as running:
        yield running
        assert running.server.failures == []


@contextlib.asynccontextmanager
async def telethon_client(
    sandbox: Sandbox, *, login: bool = True, connection: type = ConnectionTcpFull
) -> AsyncIterator[TelegramClient]:
    """A stock Telethon client of the sandbox, with nothing but its address and key set."""
    # Telethon keeps the server's configuration in the class: another sandbox in this process has other ports.
    TelegramClient._config = TelegramClient._cdn_config = None
    rsa.add_key(sandbox.key_pem, old=False)
    host, _, port = sandbox.ready.server.partition(":")
    session = MemorySession()
    session.set_dc(sandbox.ready.dc, host, int(port))
    client = TelegramClient(
        session, sandbox.ready.api_id, sandbox.ready.api_hash, connection=connection, flood_sleep_threshold=0
    )
    await client.connect()
    try:
        if login:
            await client.send_code_request(sandbox.ready.phone)
            await client.sign_in(sandbox.ready.phone, sandbox.ready.code)
        yield client
    finally:
        await client.disconnect()


@pytest.fixture
def connect(sandbox: Sandbox) -> Connect:
    """Connects clients to the sandbox of the test: ``async with connect() as client``."""
    return lambda **options: telethon_client(sandbox, **options)


@pytest.fixture
async def client(connect: Connect) -> AsyncIterator[TelegramClient]:
    """A logged-in stock Telethon client."""
    async with connect() as running:
        yield running
