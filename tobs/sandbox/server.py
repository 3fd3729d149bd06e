"""The server: one TCP listener a data centre, and the connections that it has accepted."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from tobs.sandbox.connection import Connection
from tobs.sandbox.context import Clock, ServiceContext
from tobs.sandbox.mtproto import Session
from tobs.sandbox.options import CDN_DC, HOME_DC, HOST
from tobs.sandbox.request_handler import RequestHandler
from tobs.sandbox.state import State
from tobs.sandbox.worlds.files import DC_ORDER

_SETTLE = 0.005  # seconds


class Server:
    """Accepts connections and passes their requests to a RequestHandler."""

    def __init__(self, context: ServiceContext) -> None:
        self.context = context
        self.connections: dict[int, Connection] = {}
        self._handler = RequestHandler(context, self.go_away)
        self._listeners: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepted = 0
        context.world.clock = context.clock
        context.world.files.locations.use_dcs(context.options.dcs)

    @property
    def state(self) -> State:
        return self.context.state

    @property
    def clock(self) -> Clock:
        return self.context.clock

    @property
    def ports(self) -> dict[int, int]:
        return self.context.ports

    @property
    def failures(self) -> list[str]:
        return self.context.failures

    async def start(self) -> None:
        """Listen on one loopback port a data centre, after a restart the same ones; raise OSError for a port in use."""
        options, ports = self.context.options, self.context.ports
        for dc in (*DC_ORDER[: options.dcs], *([CDN_DC] if options.cdn else [])):
            port = ports.get(dc) or (options.port if dc == HOME_DC else 0)
            listener = await asyncio.start_server(self._acceptor(dc), HOST, port, limit=1 << 21)
            self._listeners.append(listener)
            ports[dc] = listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the listeners and every connection."""
        await self._close_listeners()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def go_away(self, seconds: float) -> None:
        """Close all connections and refuse new ones for ``seconds``, as a lost network would."""
        if self._listeners:
            task = asyncio.get_running_loop().create_task(self._away(seconds))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _away(self, seconds: float) -> None:
        await self._close_listeners()
        await self.context.sleep(seconds)
        await self.start()

    async def _close_listeners(self) -> None:
        listeners, self._listeners = self._listeners, []
        loop = asyncio.get_running_loop()
        for listener in listeners:
            for socket in listener.sockets:
                with contextlib.suppress(NotImplementedError):
                    loop.remove_reader(socket.fileno())
        await asyncio.sleep(_SETTLE)  # asyncio forgets a connection whose listener closes while it is accepted
        for listener in listeners:
            listener.close()
        self.drop_connections()

    def drop_connections(self) -> int:
        """Cut every connection, so that clients connect anew. Return the number of connections."""
        connections = list(self.connections.values())
        for connection in connections:
            connection.abort()
        return len(connections)

    def logged_in_sessions(self) -> list[Session]:
        """Return the logged-in sessions that get updates pushed."""
        return self.context.update_sessions()

    def _acceptor(self, dc: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._accepted += 1
            connection = Connection(self.context, self._handler, dc, self._accepted, reader, writer)
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
