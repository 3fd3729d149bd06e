"""The control endpoint: JSON over loopback HTTP, by which tests and plugin authors change the running sandbox.

Here are the routes of the server itself: faults, clock, connections, logins, takeouts, log and state. The routes that
change the world are in ``world_routes.py``. ``docs/dev/sandbox.md`` lists them all.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from tobs.errors import UsageError
from tobs.sandbox.server import Server
from tobs.sandbox.services.qr import accept, read_token
from tobs.sandbox.services.takeout import allow
from tobs.sandbox.world_routes import Json, Route, WorldRoutes
from tobs.sandbox.worlds import RpcError

_MAX_BODY: Final = 64 << 20  # bytes


class _BadRequest(Exception):
    """A request that cannot be answered, with the HTTP status and a sentence for the answer."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Control:
    """Answers one HTTP request a connection."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._context = server.context
        self._routes: dict[tuple[str, str], Route] = {
            ("POST", "/faults"): self._faults,
            ("POST", "/clock"): self._clock,
            ("POST", "/expire"): self._expire,
            ("POST", "/drop"): self._drop,
            ("POST", "/accept-login"): self._accept_login,
            ("POST", "/end-logins"): self._end_logins,
            ("POST", "/allow-takeout"): self._allow_takeout,
            ("GET", "/log"): self._log,
            ("GET", "/state"): self._state,
            **WorldRoutes(server.context.world).routes,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, write its answer, and close the connection."""
        try:
            status, answer = HTTPStatus.OK, self._answer(*await _read(reader))
        except _BadRequest as bad:
            status, answer = bad.status, {"error": str(bad)}
        except RpcError as refused:
            status, answer = HTTPStatus.BAD_REQUEST, {"error": refused.name}
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            writer.close()
            return
        body = json.dumps(answer, ensure_ascii=False).encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        writer.close()

    def _answer(self, method: str, target: str, body: bytes) -> Any:
        url = urlsplit(target)
        route = self._routes.get((method, url.path))
        if route is None:
            raise _BadRequest(HTTPStatus.NOT_FOUND, f"There is no {method} {url.path}.")
        fields: Json = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if body:
            try:
                fields |= msgspec.json.decode(body, type=Json)
            except msgspec.DecodeError as error:
                raise _BadRequest(HTTPStatus.BAD_REQUEST, f"The body is not a JSON object: {error}.") from None
        try:
            return route(fields)
        except KeyError as error:
            raise _BadRequest(HTTPStatus.BAD_REQUEST, f"The field {error} is missing.") from None
        except (TypeError, ValueError) as error:
            raise _BadRequest(HTTPStatus.BAD_REQUEST, str(error)) from None

    # -- routes

    def _faults(self, fields: Json) -> Json:
        """{faults: [spec], clear: bool} -> {faults}: the active faults."""
        if fields.get("clear"):
            self._context.faults.clear()
        try:
            for spec in fields.get("faults", []):
                self._context.faults.add(spec)
        except UsageError as error:
            raise _BadRequest(HTTPStatus.BAD_REQUEST, str(error)) from None
        return {"faults": self._context.faults.specs}

    def _clock(self, fields: Json) -> Json:
        """{advance: seconds} -> {now}."""
        self._context.clock.advance(float(fields.get("advance", 0)))
        return {"now": self._context.clock()}

    def _expire(self, fields: Json) -> Json:
        self._context.world.files.locations.expire()
        return {"generation": self._context.world.files.locations.generation}

    def _drop(self, fields: Json) -> Json:
        return {"connections": self._server.drop_connections()}

    def _accept_login(self, fields: Json) -> Json:
        """{token: "tg://login?token=..."} -> {user}: accept a QR code as the world's account."""
        user = int(self._context.world.me.id)
        accept(self._context, read_token(fields["token"]), user)
        return {"user": user}

    def _end_logins(self, fields: Json) -> Json:
        """{error: SESSION_REVOKED} -> {ended}: end every login as from another device."""
        return {"ended": self._context.state.end_logins(fields.get("error", "SESSION_REVOKED"))}

    def _allow_takeout(self, fields: Json) -> Json:
        """Allow a delayed takeout, as the button in Telegram's own chat does; the next request gets it."""
        allow(self._context)
        return {"ok": True}

    def _log(self, fields: Json) -> list[Json]:
        return [entry.to_json() for entry in self._context.log.since(int(fields.get("since", 0)))]

    def _state(self, fields: Json) -> Json:
        context, world = self._context, self._context.world
        return {
            "world": world.name,
            "now": context.clock(),
            "ports": {str(dc): port for dc, port in context.ports.items()},
            "connections": len(self._server.connections),
            "requests": context.log.last,
            "faults": context.faults.specs,
            "failures": context.failures,
            "logged_in": sum(1 for key in context.state.keys.values() if key.user_id),
            "takeouts": [
                {"id": takeout.id, "finished": takeout.finished, "success": takeout.success}
                for takeout in context.state.takeouts.values()
            ],
            "chats": [
                {"chat": marked, "messages": world.history(marked).count, "top": world.history(marked).top_id}
                for marked in world.dialogs()
            ],
        }


async def _read(reader: asyncio.StreamReader) -> tuple[str, str, bytes]:
    """Read method, target and body of one HTTP/1.1 request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    parts = head[0].split(" ")
    if len(parts) != 3:
        raise _BadRequest(HTTPStatus.BAD_REQUEST, "This is not an HTTP request.")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _MAX_BODY:
        raise _BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too long.")
    return parts[0], parts[1], await reader.readexactly(int(length))
