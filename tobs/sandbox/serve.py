"""A running sandbox: started, told about, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec

from tobs.errors import NetworkError, UsageError
from tobs.sandbox.control import Control
from tobs.sandbox.crypto.keys import load_or_make, process_key
from tobs.sandbox.faults import FaultPlan
from tobs.sandbox.log import RequestLog
from tobs.sandbox.news import pushed
from tobs.sandbox.options import Ready, SandboxOptions
from tobs.sandbox.server import HOME_DC, HOST, Server
from tobs.sandbox.worlds import Change, World
from tobs.sandbox.worlds.files import DC_ORDER


class Sandbox:
    """A server that accepts connections, with everything a test wants to look at or turn."""

    def __init__(self, server: Server, ready: Ready) -> None:
        self.server = server
        self.ready = ready

    @property
    def world(self) -> World:
        return self.server.world

    @property
    def log(self) -> RequestLog:
        return self.server.log

    @property
    def faults(self) -> FaultPlan:
        return self.server.faults

    @property
    def key_pem(self) -> str:
        """The RSA public key, PEM, PKCS#1."""
        return self.server.key.pem


@contextlib.asynccontextmanager
async def serve(
    world: World,
    options: SandboxOptions | None = None,
    *,
    ready_file: Path | None = None,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Sandbox]:
    """Serve ``world`` on loopback until the block ends.

    ``ready_file`` is written when connections are accepted; the public key lies beside it as ``.pem``, and the key
    pair as ``.key``, to be used again. Raises UsageError for options that make no sense and NetworkError for a port
    that is taken.
    """
    options = options or SandboxOptions()
    if not 1 <= options.dcs <= len(DC_ORDER):
        raise UsageError(f"A sandbox has 1 to {len(DC_ORDER)} data centres, not {options.dcs}.")
    # Making a key pair is seconds of arithmetic: not in the event loop.
    make_key = functools.partial(load_or_make, ready_file.with_suffix(".key")) if ready_file else process_key
    key = await asyncio.to_thread(make_key)
    server = Server(world, options, key, now=now, sleep=sleep)
    listener = _pusher(server)
    with contextlib.ExitStack() as stack:
        if ready_file:
            pem = ready_file.resolve().with_suffix(".pem")
        else:
            pem = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tobs-sandbox-"))) / "sandbox.pem"
        try:
            await server.start()
        except OSError as error:
            await server.stop()
            raise NetworkError(f"Port {options.port} cannot be listened on: {error.strerror}.") from error
        control = await asyncio.start_server(Control(server).serve, HOST, 0)
        world.listeners.append(listener)
        try:
            pem.write_text(server.key.pem)
            url = f"http://{HOST}:{control.sockets[0].getsockname()[1]}"
            ready = Ready.of(world, options, port=server.ports[HOME_DC], dc=HOME_DC, pem=pem, control=url)
            if ready_file:
                _write_whole(ready_file, msgspec.json.encode(ready))
            yield Sandbox(server, ready)
        finally:
            world.listeners.remove(listener)
            control.close()
            await server.stop()


def _write_whole(path: Path, data: bytes) -> None:
    """Whoever waits for the file must never see a part of it."""
    draft = path.with_name(path.name + ".part")
    draft.write_bytes(data)
    draft.replace(path)


def _pusher(server: Server) -> Callable[[Change], None]:
    """Tells every logged-in session that takes updates what has just happened."""

    def push(change: Change) -> None:
        update = pushed(server.world, change)
        if update is None:
            return
        body = bytes(update)
        for session in server.logged_in_sessions():
            session.connection.say(session, body)

    return push
