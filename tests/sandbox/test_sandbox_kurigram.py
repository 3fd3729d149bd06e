"""Use of the sandbox by kurigram, an independent client, with only address and key set."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pyrogram
import pytest
import rsa as rsa_keys
from pyrogram import raw
from pyrogram.connection import Connection
from pyrogram.crypto import rsa
from pyrogram.errors import FloodWait, PhoneCodeInvalid

from tobs.sandbox import Sandbox, SandboxOptions


@contextlib.asynccontextmanager
async def kurigram_client(sandbox: Sandbox) -> AsyncIterator[pyrogram.Client]:
    """A connected kurigram client, not logged in."""
    key = rsa_keys.PublicKey.load_pkcs1(sandbox.key_pem.encode())
    rsa.server_public_keys[sandbox.server.context.keys[sandbox.ready.dc].fingerprint] = rsa.PublicKey(m=key.n, e=key.e)
    host = sandbox.ready.server.partition(":")[0]

    def connection(**given: Any) -> Connection:
        # kurigram's own addresses are built in: only the data centre's number is taken from what it asks for.
        given |= {"server_address": host, "port": sandbox.server.ports[given["dc_id"]]}
        return Connection(**given)

    client = pyrogram.Client(
        "sandbox",
        api_id=sandbox.ready.api_id,
        api_hash=sandbox.ready.api_hash,
        in_memory=True,
        no_updates=True,
        connection_factory=connection,
    )
    await client.connect()
    try:
        yield client
    finally:
        # kurigram closes its file connections only for clients it has started itself.
        for session in [*client.media_sessions.values(), *client.sessions.values()]:
            await session.stop()
        await client.disconnect()


async def log_in(client: pyrogram.Client, sandbox: Sandbox) -> Any:
    sent = await client.send_code(sandbox.ready.phone)
    return await client.sign_in(sandbox.ready.phone, sent.phone_code_hash, sandbox.ready.code)


async def test_kurigram_logs_in_by_code(sandbox: Sandbox) -> None:
    async with kurigram_client(sandbox) as client:
        sent = await client.send_code(sandbox.ready.phone)
        with pytest.raises(PhoneCodeInvalid):
            await client.sign_in(sandbox.ready.phone, sent.phone_code_hash, "00000")
        me = await log_in(client, sandbox)
        assert me.id == sandbox.world.me.id
        assert (await client.get_me()).phone_number == sandbox.ready.phone.lstrip("+")


async def test_kurigram_reads_the_whole_history(sandbox: Sandbox) -> None:
    target = sandbox.ready.targets[0]
    history = sandbox.world.history(sandbox.world.resolve(target))
    async with kurigram_client(sandbox) as client:
        await log_in(client, sandbox)
        messages = [message async for message in client.get_chat_history(target)]
        assert [message.id for message in messages] == history.slice(0, history.count)
        texts = {message.id: message.text or message.caption for message in messages}
        assert all((texts[id] or "") == (getattr(history.get(id), "message", "") or "") for id in texts)


@pytest.mark.parametrize("sandbox", [SandboxOptions(dcs=2)], indirect=True)
async def test_kurigram_downloads_files_from_every_data_centre(sandbox: Sandbox) -> None:
    target = sandbox.ready.targets[0]
    world = sandbox.world
    async with kurigram_client(sandbox) as client:
        await log_in(client, sandbox)
        seen: set[int] = set()
        async for message in client.get_chat_history(target):
            if not message.media or not (message.document or message.photo or message.audio):
                continue
            media = world.history(world.resolve(target)).get(message.id).media
            kind, item = ("photo", media.photo) if message.photo else ("document", media.document)
            if item.dc_id in seen:
                continue
            seen.add(item.dc_id)
            name = item.sizes[-1].type if kind == "photo" else ""
            blob = world.files.open(kind, item.id, name)
            downloaded = await client.download_media(message, in_memory=True)
            assert bytes(downloaded.getbuffer()) == blob.read(0, blob.size)
        assert seen == set(world.files.locations.dcs)


async def test_kurigram_understands_a_flood_wait(sandbox: Sandbox) -> None:
    async with kurigram_client(sandbox) as client:
        await log_in(client, sandbox)
        sandbox.faults.add("help.getNearestDc=flood:77")
        with pytest.raises(FloodWait) as caught:
            await client.invoke(raw.functions.help.GetNearestDc())
        assert caught.value.value == 77
