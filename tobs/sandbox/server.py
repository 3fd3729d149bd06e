"""The server: one listener a data centre, and the way of a request from its wrappers to its answer."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any

from loguru import logger

from tobs.sandbox import services  # noqa: F401  (importing them registers them)
from tobs.sandbox.clock import Clock
from tobs.sandbox.connection import Connection
from tobs.sandbox.crypto.keys import ServerKey, process_key
from tobs.sandbox.faults import FaultPlan
from tobs.sandbox.log import LogEntry, RequestLog
from tobs.sandbox.mtproto import Session
from tobs.sandbox.options import SandboxOptions
from tobs.sandbox.rpc import Call, method_name, rpc_error, serialise, service_of
from tobs.sandbox.services.cdn import CDN_DC
from tobs.sandbox.services.cdn import METHOD as CDN_METHOD
from tobs.sandbox.services.login import check_key
from tobs.sandbox.state import State
from tobs.sandbox.worlds import Refused, World
from tobs.sandbox.worlds.files import DC_ORDER

HOST = "127.0.0.1"
HOME_DC = DC_ORDER[0]
_SETTLE = 0.005


class Server:
    """Listens, and performs requests on its world."""

    def __init__(
        self,
        world: World,
        options: SandboxOptions,
        key: ServerKey,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self.world = world
        self.options = options
        self.key = key
        self.sleep = sleep
        self.clock = Clock(now)
        self.state = State()
        self.faults = FaultPlan(options.faults, seed=options.seed)
        self.log = RequestLog()
        self.ports: dict[int, int] = {}
        self.failures: list[str] = []
        self.connections: dict[int, Connection] = {}
        self._listeners: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._connected = 0
        world.clock = self.clock
        world.stamps.use_dcs(options.dcs)

    # -- life

    async def start(self) -> None:
        """Listen on one loopback port a data centre, the same as before; raises OSError when a port is taken."""
        for dc in (*DC_ORDER[: self.options.dcs], *([CDN_DC] if self.options.cdn else [])):
            port = self.ports.get(dc) or (self.options.port if dc == HOME_DC else 0)
            listener = await asyncio.start_server(self._accepting(dc), HOST, port, limit=1 << 21)
            self._listeners.append(listener)
            self.ports[dc] = listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the listeners and every connection."""
        await self._close_listeners()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def go_away(self, seconds: float) -> None:
        """Hang up and refuse connections for ``seconds``, as a lost network would."""
        if self._listeners:
            task = asyncio.get_running_loop().create_task(self._away(seconds))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _away(self, seconds: float) -> None:
        await self._close_listeners()
        await self.sleep(seconds)
        await self.start()

    async def _close_listeners(self) -> None:
        listeners, self._listeners = self._listeners, []
        loop = asyncio.get_running_loop()
        for listener in listeners:
            for place in listener.sockets:
                with contextlib.suppress(NotImplementedError):
                    loop.remove_reader(place.fileno())
        await asyncio.sleep(_SETTLE)  # asyncio forgets a connection whose listener closes while it is accepted
        for listener in listeners:
            listener.close()
        self.drop_connections()

    def drop_connections(self) -> int:
        """Cut every connection; clients will connect anew. Returns how many there were."""
        connections = list(self.connections.values())
        for connection in connections:
            connection.abort()
        return len(connections)

    def _accepting(self, dc: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._connected += 1
            connection = Connection(self, dc, self._connected, reader, writer)
            self.connections[connection.number] = connection
            task = asyncio.current_task()
            if task is not None:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            try:
                await connection.run()
            except asyncio.CancelledError:
                pass  # the server stops; asyncio's stream callback would log it as a failure
            finally:
                del self.connections[connection.number]

        return accept

    def key_of(self, dc: int) -> ServerKey:
        """The RSA key of a data centre: all of Telegram's have one, a CDN has its own."""
        return process_key("cdn") if dc == CDN_DC else self.key

    @staticmethod
    def real_msg_id() -> int:
        """A message id of the present moment."""
        return int(time.time() * (1 << 32)) & ~3

    # -- requests

    async def perform(self, call: Call, request: Any) -> bytes | None:
        """The serialised answer to a request without its wrappers; None drops the connection.

        ``request`` is the constructor number where this layer does not know it.
        """
        method = f"unknown.{request:08x}" if isinstance(request, int) else method_name(type(request))
        entry = self.log.add(
            self.clock(),
            method,
            call.wrappers,
            connection=call.session.connection.number,
            dc=call.dc,
            key=call.key.key_id,
            request=request,
        )
        if self.options.latency:
            await self.sleep(self.options.latency)
        try:
            return await self._answer(call, request, entry)
        except Refused as refused:
            entry.error = refused.name
            return rpc_error(refused.code, refused.name)
        except Exception as error:  # noqa: BLE001  (a broken service must not end the server; it is told in /state)
            logger.exception("sandbox service {} failed", method)
            self.failures.append(f"{method}: {error!r}")
            entry.error = "INTERNAL"
            return rpc_error(500, "INTERNAL")

    async def _answer(self, call: Call, request: Any, entry: LogEntry) -> bytes | None:
        spoil = shorten = False
        for fault in self.faults.struck(entry.method, self.clock()):
            match fault.action:
                case "delay":
                    await self.sleep(fault.seconds)
                case "busy":
                    entry.error = "busy"
                    call.session.connection.busy()
                    return b""
                case "drop":
                    entry.error = "dropped"
                    return None
                case "away":
                    entry.error = "away"
                    self.go_away(fault.seconds)
                    return None
                case "corrupt":
                    spoil = True
                case "short":
                    shorten = True
                case "expire":
                    self.world.stamps.expire()
                case _:
                    raise Refused(fault.code, fault.name)
        if (call.dc == CDN_DC) != (entry.method == CDN_METHOD):
            raise Refused(400, "CDN_METHOD_INVALID")
        service = service_of(request)
        key = call.key
        check_key(key, entry.method, needs_login=service.login)
        if not service.any_dc and key.dc != HOME_DC:
            raise Refused(303, f"{'USER' if key.user_id else 'PHONE'}_MIGRATE_{HOME_DC}")
        if call.takeout:
            takeout = self.state.takeouts.get(call.takeout)
            if takeout is None or takeout.finished or takeout.user_id != key.user_id:
                raise Refused(400, "TAKEOUT_INVALID")
        if call.with_updates and key.user_id and key.dc == HOME_DC:
            call.session.wants_updates = True
        answer = service.handler(call, request)
        if inspect.isawaitable(answer):
            answer = await answer
        if shorten and hasattr(answer, "bytes"):
            answer.bytes = answer.bytes[: len(answer.bytes) // 2]
        elif shorten and len(getattr(answer, "messages", ())) > 1:
            answer.messages = answer.messages[len(answer.messages) // 2 :]
        if spoil and hasattr(answer, "bytes") and answer.bytes:
            answer.bytes = bytes((answer.bytes[0] ^ 0xFF,)) + answer.bytes[1:]
        elif spoil:
            call.damage = True
        return serialise(answer)

    def logged_in_sessions(self) -> list[Session]:
        """The sessions that get updates pushed."""
        return [
            session
            for connection in self.connections.values()
            for session in connection.sessions
            if session.wants_updates and session.key.user_id
        ]
