"""Real proxies on loopback: SOCKS5 (RFC 1928, 1929), HTTP CONNECT, and an MTProto proxy that takes its layer off."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256

from telethon.crypto import AESModeCTR

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Change = Callable[[bytes], bytes]


class LoopbackProxy:
    """A proxy that is running; ``seen`` holds where clients wanted to go."""

    def __init__(self) -> None:
        self.port = 0
        self.seen: list[str] = []


@asynccontextmanager
async def _running(proxy: LoopbackProxy, serve: Serve) -> AsyncIterator[LoopbackProxy]:
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            await _close(writer)
            tasks.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        while tasks:
            await asyncio.gather(*tasks, return_exceptions=True)


async def _relay(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    host: str,
    port: int,
    *,
    first: bytes = b"",
    there: Change = bytes,
    back: Change = bytes,
) -> None:
    far_reader, far_writer = await asyncio.open_connection(host, port)
    far_writer.write(first)

    async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, change: Change) -> None:
        while data := await source.read(65536):
            target.write(change(data))
            await target.drain()

    ways = [
        asyncio.ensure_future(carry(reader, far_writer, there)),
        asyncio.ensure_future(carry(far_reader, writer, back)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        far_writer.close()
        await asyncio.gather(*ways, return_exceptions=True)
        await _close(far_writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def socks5_proxy(user: str = "", password: str = "", *, reply: int = 0) -> AsyncIterator[LoopbackProxy]:
    """With ``user`` it wants a password. ``reply`` other than 0 refuses each connection with that code."""
    proxy = LoopbackProxy()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        wanted = 2 if user else 0
        assert version == 5
        writer.write(bytes((5, wanted if wanted in methods else 0xFF)))
        if wanted not in methods:
            return
        if user:
            _, size = await reader.readexactly(2)
            name = await reader.readexactly(size)
            word = await reader.readexactly((await reader.readexactly(1))[0])
            right = (name, word) == (user.encode(), password.encode())
            writer.write(bytes((1, 0 if right else 1)))
            if not right:
                return
        _, command, _, kind = await reader.readexactly(4)
        assert command == 1
        if kind == 1:
            host = ".".join(map(str, await reader.readexactly(4)))
        else:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        port = int.from_bytes(await reader.readexactly(2), "big")
        proxy.seen.append(f"{host}:{port}")
        writer.write(bytes((5, reply, 0, 1, 0, 0, 0, 0, 0, 0)))
        if not reply:
            await _relay(reader, writer, host, port)

    async with _running(proxy, serve):
        yield proxy


@asynccontextmanager
async def http_proxy(user: str = "", password: str = "") -> AsyncIterator[LoopbackProxy]:
    """HTTP CONNECT, with basic authentication where there is a ``user``."""
    proxy = LoopbackProxy()
    right = base64.b64encode(f"{user}:{password}".encode()).decode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if user and f"basic {right}".lower() not in head.lower():
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
            return
        method, place, _ = head.splitlines()[0].split()
        assert method == "CONNECT"
        proxy.seen.append(place)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        host, _, port = place.partition(":")
        await _relay(reader, writer, host, int(port))

    async with _running(proxy, serve):
        yield proxy


@asynccontextmanager
async def mtproto_proxy(secret: bytes, servers: dict[int, tuple[str, int]]) -> AsyncIterator[LoopbackProxy]:
    """An MTProto proxy with the 16 bytes ``secret``; ``seen`` holds data centre and transport."""
    proxy = LoopbackProxy()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(64)
        turned = head[8:56][::-1]
        incoming = AESModeCTR(sha256(head[8:40] + secret).digest(), head[40:56])
        outgoing = AESModeCTR(sha256(turned[:32] + secret).digest(), turned[32:48])
        plain = bytes(incoming.decrypt(head))
        tag, dc = plain[56:60], int.from_bytes(plain[60:62], "little", signed=True)
        if tag not in (b"\xee" * 4, b"\xdd" * 4):
            return
        proxy.seen.append(f"dc {dc} {tag[:1].hex()}")
        host, port = servers[dc]
        await _relay(
            reader,
            writer,
            host,
            port,
            first=tag,
            there=lambda data: bytes(incoming.decrypt(data)),
            back=lambda data: bytes(outgoing.encrypt(data)),
        )

    async with _running(proxy, serve):
        yield proxy
