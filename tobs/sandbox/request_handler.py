"""The handling of a request: log entry, faults, permission checks, service, serialised answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from loguru import logger

from tobs.sandbox import services  # noqa: F401  (the import registers the services)
from tobs.sandbox.context import ServiceContext
from tobs.sandbox.faults import Fault
from tobs.sandbox.log import LogEntry
from tobs.sandbox.options import CDN_DC, HOME_DC
from tobs.sandbox.rpc import Answer, Call, Service, method_name, rpc_error, serialise, service_of
from tobs.sandbox.services.cdn import METHOD as CDN_METHOD
from tobs.sandbox.services.login import check_key
from tobs.sandbox.worlds import RpcError


class RequestHandler:
    """Answers requests. ``disconnect_all(seconds)`` makes the server unreachable for a while."""

    def __init__(self, context: ServiceContext, disconnect_all: Callable[[float], None]) -> None:
        self._context = context
        self._disconnect_all = disconnect_all

    async def handle(self, call: Call, request: Any) -> bytes | None:
        """Return the serialised answer to a request without its wrappers; None drops the connection.

        ``request`` is the constructor number when this layer does not know the constructor.
        """
        context = self._context
        method = f"unknown.{request:08x}" if isinstance(request, int) else method_name(type(request))
        entry = context.log.add(
            LogEntry(
                time=context.clock(),
                method=method,
                wrappers=call.wrappers,
                connection=call.session.connection.number,
                dc=call.dc,
                auth_key_id=call.key.key_id,
                request=request,
            )
        )
        if context.options.latency:
            await context.sleep(context.options.latency)
        try:
            return await self._answer(call, request, entry)
        except RpcError as error:
            entry.error = error.name
            return rpc_error(error.code, error.name)
        except Exception as error:  # noqa: BLE001  (a broken service must not end the server; /state reports it)
            logger.exception("sandbox service {} failed", method)
            context.failures.append(f"{method}: {error!r}")
            entry.error = "INTERNAL"
            return rpc_error(500, "INTERNAL")

    async def _answer(self, call: Call, request: Any, entry: LogEntry) -> bytes | None:
        faults = self._context.faults.triggered(entry.method, self._context.clock())
        for fault in faults:
            if fault.action in ("busy", "drop", "away"):
                return self._disconnect(fault, call, entry)
            await self._apply(fault)
        service = self._permitted_service(call, request, entry.method)
        if call.with_updates and call.key.user_id and call.key.dc == HOME_DC:
            call.session.wants_updates = True
        answer = service.handler(call, request)
        if inspect.isawaitable(answer):
            answer = await answer
        actions = {fault.action for fault in faults}
        if "short" in actions:
            _shorten(answer)
        if "corrupt" in actions:
            _corrupt(answer, call)
        return serialise(answer)

    def _disconnect(self, fault: Fault, call: Call, entry: LogEntry) -> bytes | None:
        """End the connection without an answer, as a ``busy``, ``drop`` or ``away`` fault demands."""
        if fault.action == "busy":
            entry.error = "busy"
            call.session.connection.reject_flood()
            return b""
        if fault.action == "drop":
            entry.error = "dropped"
        else:
            entry.error = "away"
            self._disconnect_all(fault.seconds)
        return None

    async def _apply(self, fault: Fault) -> None:
        """Apply a fault that comes before the service; raise RpcError for one that replaces the answer."""
        match fault.action:
            case "delay":
                await self._context.sleep(fault.seconds)
            case "expire":
                self._context.world.files.locations.expire()
            case "flood" | "error" | "rate":
                raise RpcError(fault.code, fault.name)

    def _permitted_service(self, call: Call, request: Any, method: str) -> Service:
        """Find the service of a request and check that this key may call it here; raise RpcError."""
        if (call.dc == CDN_DC) != (method == CDN_METHOD):
            raise RpcError(400, "CDN_METHOD_INVALID")
        service, key = service_of(request), call.key
        check_key(key, method, needs_login=service.login)
        if not service.any_dc and key.dc != HOME_DC:
            raise RpcError(303, f"{'USER' if key.user_id else 'PHONE'}_MIGRATE_{HOME_DC}")
        if call.takeout:
            takeout = self._context.state.takeouts.get(call.takeout)
            if takeout is None or takeout.finished or takeout.user_id != key.user_id:
                raise RpcError(400, "TAKEOUT_INVALID")
        return service


def _shorten(answer: Answer) -> None:
    """Remove the second half of a file part, or the newer half of a page of messages."""
    if hasattr(answer, "bytes"):
        answer.bytes = answer.bytes[: len(answer.bytes) // 2]
    elif len(getattr(answer, "messages", ())) > 1:
        answer.messages = answer.messages[len(answer.messages) // 2 :]


def _corrupt(answer: Answer, call: Call) -> None:
    """Change a byte of a file part; mark any other answer to be damaged when it is sent."""
    if hasattr(answer, "bytes") and answer.bytes:
        answer.bytes = bytes((answer.bytes[0] ^ 0xFF,)) + answer.bytes[1:]
    else:
        call.damage = True
