"""The life of a sandbox: start it, write its ready file, stop it."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec

from tobs.errors import NetworkError, UsageError
from tobs.sandbox.context import ServiceContext
from tobs.sandbox.control import Control
from tobs.sandbox.crypto.keys import process_key
from tobs.sandbox.faults import FaultPlan
from tobs.sandbox.log import RequestLog
from tobs.sandbox.options import CDN_DC, HOME_DC, HOST, Ready, SandboxOptions
from tobs.sandbox.server import Server
from tobs.sandbox.services.updates import pushed_updates
from tobs.sandbox.state import State
from tobs.sandbox.worlds import Change, World
from tobs.sandbox.worlds.files import DC_ORDER


class Sandbox:
    """A running server, with the parts that a test inspects or changes."""

    def __init__(self, server: Server, ready: Ready) -> None:
        self.server = server
        self.ready = ready

    @property
    def world(self) -> World:
        return self.server.context.world

    @property
    def log(self) -> RequestLog:
        return self.server.context.log

    @property
    def faults(self) -> FaultPlan:
        return self.server.context.faults

    @property
    def key_pem(self) -> str:
        """The RSA public key, PEM, PKCS#1."""
        return self.server.context.keys[HOME_DC].pem


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

    ``ready_file`` is written when connections are accepted; the public key lies beside it as ``.pem``. ``state``: the
    state of an earlier sandbox of this process, so that its logins stay valid, as after a restart.
    Raise UsageError for a wrong number of data centres and NetworkError for a port that is taken.
    """
    options = options or SandboxOptions()
    if not 1 <= options.dcs <= len(DC_ORDER):
        raise UsageError(f"A sandbox has 1 to {len(DC_ORDER)} data centres, not {options.dcs}.")
    key = await asyncio.to_thread(process_key)
    keys = dict.fromkeys(DC_ORDER, key)
    if options.cdn:
        keys[CDN_DC] = await asyncio.to_thread(process_key, "cdn")
    context = ServiceContext(world, options, keys, now=now, sleep=sleep)
    context.state = state or context.state
    server = Server(context)
    listener = _pusher(context)
    with contextlib.ExitStack() as stack:
        pem = _pem_path(ready_file) if ready_file else _temporary_pem(stack)
        try:
            await server.start()
        except OSError as error:
            await server.stop()
            raise NetworkError(f"Port {options.port} cannot be listened on: {error.strerror}.") from error
        control = await asyncio.start_server(Control(server).serve, HOST, 0)
        world.changes.listeners.append(listener)
        try:
            pem.parent.mkdir(parents=True, exist_ok=True)
            pem.write_text(key.pem)
            url = f"http://{HOST}:{control.sockets[0].getsockname()[1]}"
            ready = Ready.of(world, options, port=context.ports[HOME_DC], dc=HOME_DC, pem=pem, control=url)
            if ready_file:
                _write_atomically(ready_file, msgspec.json.encode(ready))
            yield Sandbox(server, ready)
        finally:
            world.changes.listeners.remove(listener)
            control.close()
            await server.stop()


def _pem_path(ready_file: Path) -> Path:
    return ready_file.resolve().with_suffix(".pem")


def _temporary_pem(stack: contextlib.ExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tobs-sandbox-"))) / "sandbox.pem"


def _write_atomically(path: Path, data: bytes) -> None:
    """Write ``path`` in one step, so that a process that waits for the file never sees a part of it."""
    draft = path.with_name(path.name + ".part")
    draft.write_bytes(data)
    draft.replace(path)


def _pusher(context: ServiceContext) -> Callable[[Change], None]:
    """Make a listener that sends each change to every logged-in session that takes updates."""

    def push(change: Change) -> None:
        update = pushed_updates(context.world, change)
        if update is None:
            return
        body = bytes(update)
        for session in context.update_sessions():
            session.connection.send(session, body)

    return push
