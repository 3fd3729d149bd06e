"""A running sandbox: started, told about, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec

from tobs.errors import NetworkError, UsageError
from tobs.sandbox.control import Control
from tobs.sandbox.crypto.keys import process_key
from tobs.sandbox.faults import FaultPlan
from tobs.sandbox.log import RequestLog
from tobs.sandbox.news import pushed
from tobs.sandbox.options import Ready, SandboxOptions
from tobs.sandbox.server import HOME_DC, HOST, Server
from tobs.sandbox.state import State
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
    state: State | None = None,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Sandbox]:
    """Serve ``world`` on loopback until the block ends.

    ``ready_file`` is written when connections are accepted; the public key lies beside it as ``.pem``. ``state``: of
    an earlier sandbox of this process, so that its logins stay good, as after a restart.
    Raises UsageError for options that make no sense and NetworkError for a port that is taken.
    """
    options = options or SandboxOptions()
    if not 1 <= options.dcs <= len(DC_ORDER):
        raise UsageError(f"A sandbox has 1 to {len(DC_ORDER)} data centres, not {options.dcs}.")
    key = await asyncio.to_thread(process_key)
    if options.cdn:
        await asyncio.to_thread(process_key, "cdn")
    server = Server(world, options, key, now=now, sleep=sleep)
    server.state = state or server.state
    listener = _pusher(server)
    with contextlib.ExitStack() as stack:
        pem = _pem_beside(ready_file) if ready_file else _temporary_pem(stack)
        try:
            await server.start()
        except OSError as error:
            await server.stop()
            raise NetworkError(f"Port {options.port} cannot be listened on: {error.strerror}.") from error
        control = await asyncio.start_server(Control(server).serve, HOST, 0)
        world.listeners.append(listener)
        try:
            pem.parent.mkdir(parents=True, exist_ok=True)
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


def _pem_beside(ready_file: Path) -> Path:
    return ready_file.resolve().with_suffix(".pem")


def _temporary_pem(stack: contextlib.ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tobs-sandbox-"))) / "sandbox.pem"


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
