"""The invoker sends every request through layers; a layer is an invoker around an invoker, and a call gives bytes.

_map_errors        Telegram's errors become errors of ``tobs.errors``
_retry             lost connections, 5xx and timeouts: send again, with growing delays
_ensure_connected  the worker's connection is open
_rate_limit        flood waits, shared by all workers
_wrap_takeout      wrapped, while a takeout session is open
_trace             counted and logged: every call here is sent
_send              over the connection
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from loguru import logger
from msgspec import Struct
from msgspec.structs import replace
from telethon.tl import TLRequest, functions

from tobs.errors import NetworkError, RequestRefused
from tobs.model.clock import Clock, Sleep
from tobs.telegram.net.connection import Connection, ConnectionLost
from tobs.telegram.net.connections import ConnectionPool
from tobs.telegram.net.events import Event, OnEvent, Retried, TakeoutEnded
from tobs.telegram.net.flood import FloodLedger
from tobs.telegram.net.reader import LAYER_ERRORS, Reader
from tobs.telegram.net.rpc_errors import RpcError, translate_rpc_error
from tobs.telegram.net.settings import TelegramSettings

_BACKOFF_FIRST, _BACKOFF_MOST = 0.5, 30.0
_FIRST_TRIES = 3
_OUTSIDE_TAKEOUT = ("auth.", "upload.getCdnFile")
TAKEOUT_BUCKET = "takeout "


class Call(Struct, frozen=True):
    """A request to send. ``dc`` 0 is home; ``worker`` chooses the connection, unless ``connection`` is given.

    ``extra`` is the number of seconds added to the request timeout.
    """

    request: TLRequest
    method: str
    worker: int = 0
    dc: int = 0
    extra: float = 0.0
    connection: Connection | None = None


Invoke = Callable[[Call], Awaitable[bytes]]


def method_name(request: TLRequest) -> str:
    """Return the name in the schema: ``messages.getHistory`` for a ``GetHistoryRequest``, wrapped in a range or not."""
    kind = type(_without_range(request))
    space = kind.__module__.rpartition("functions")[2].strip(".")
    name = kind.__name__.removesuffix("Request")
    name = name[0].lower() + name[1:]
    return f"{space}.{name}" if space else name


def _without_range(request: TLRequest) -> TLRequest:
    return request.query if isinstance(request, functions.InvokeWithMessagesRangeRequest) else request


class Backoff:
    """Delay before the n-th retry: half a second, doubled each time up to 30 s, with jitter."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def seconds(self, attempt: int) -> float:
        """Return the delay in seconds; ``attempt`` counts from 1."""
        most = min(_BACKOFF_MOST, _BACKOFF_FIRST * 2.0 ** min(attempt - 1, 10))
        return most * (0.5 + 0.5 * self._rng.random())


class Invoker:
    """Composition of the layers, with the state that they share.

    ``takeout_id`` is 0 while no takeout is open. While ``takeout_confirmed``, requests go on without a takeout that
    Telegram ends; else the error is raised.
    """

    def __init__(
        self,
        settings: TelegramSettings,
        connections: ConnectionPool,
        ledger: FloodLedger,
        *,
        clock: Clock,
        sleep: Sleep,
        rng: random.Random,
        on_event: OnEvent,
    ) -> None:
        self.takeout_id = 0
        self.takeout_confirmed = False
        self.requests: Counter[str] = Counter()
        self.connections = connections
        self._settings = settings
        self.ledger = ledger
        self.clock = clock
        self.sleep = sleep
        self._backoff = Backoff(rng)
        self._on_event = on_event
        limited = self._rate_limit(self._wrap_takeout(self._trace(self._send)))
        self._invoke = self._map_errors(self._retry(self._ensure_connected(limited)))
        self._invoke_on_connection = self._rate_limit(self._trace(self._send))
        connections.invoke_on = self.invoke_on

    async def raw(self, request: TLRequest, *, worker: int = 0, dc: int = 0, extra: float = 0.0) -> bytes:
        """Send a request and return the answer as bytes."""
        return await self._invoke(Call(request, method_name(request), worker, self.connections.home(dc), extra))

    async def invoke_on(self, connection: Connection, request: TLRequest, *, dc: int = 0) -> bytes:
        """Send a request on ``connection`` while it is set up, without retries, and return the answer as bytes."""
        return await self._invoke_on_connection(
            Call(request, method_name(request), dc=self.connections.home(dc), connection=connection)
        )

    @property
    def bucket(self) -> str:
        """Rate-limit bucket in use now: a takeout session has other limits than the normal API."""
        return TAKEOUT_BUCKET if self.takeout_id else ""

    def emit(self, event: Event) -> None:
        """Pass an event to the callback."""
        self._on_event(event)

    async def __call__(self, request: TLRequest, *, worker: int = 0, dc: int = 0, extra: float = 0.0) -> Any:
        """Send a request and return the TL answer; dates in it are Unix seconds.

        Raises RequestRefused for an answer that this layer cannot read.
        """
        body = await self.raw(request, worker=worker, dc=dc, extra=extra)
        try:
            return request.read_result(Reader(body))
        except LAYER_ERRORS as error:
            method = method_name(request)
            raise RequestRefused(
                f"The answer to {method} is newer than this tobs.", "Update tobs.", name="LAYER", method=method
            ) from error

    def _map_errors(self, inner: Invoke) -> Invoke:
        async def invoke(call: Call) -> bytes:
            try:
                return await inner(call)
            except RpcError as error:
                raise translate_rpc_error(error, call.method) from error

        return invoke

    def _retry(self, inner: Invoke) -> Invoke:
        async def invoke(call: Call) -> bytes:
            attempt = failures = disconnects = 0
            waited = 0.0  # by this request; a clock would include the time of a suspend
            while True:
                try:
                    return await inner(call)
                except RpcError as error:
                    failures += 1
                    if not error.is_transient or failures >= self._settings.attempts:
                        raise
                    reason = f"{error.code} {error.name}"
                except ConnectionLost as lost:
                    reason = str(lost)
                    disconnects += lost.connected
                    if self._gives_up(call, lost, disconnects if lost.connected else attempt + 1, waited):
                        raise NetworkError(
                            f"Telegram cannot be reached: {reason}.",
                            "Check the network and run the same command again; what was fetched is kept.",
                        ) from lost
                attempt += 1
                seconds = self._backoff.seconds(attempt)
                logger.info("{} failed ({}), again in {:.1f} s", call.method, reason, seconds)
                self._on_event(Retried(call.method, reason, attempt, seconds))
                await self.sleep(seconds)
                waited += seconds

        return invoke

    def _gives_up(self, call: Call, lost: ConnectionLost, attempt: int, waited: float) -> bool:
        """Return whether to stop retrying: after ``patience`` seconds without a network, or after several attempts.

        Attempts are counted for a CDN, and for a server that closes the connection on this request.
        """
        if lost.connected:
            return attempt >= self._settings.attempts
        if not self.connections.ever_connected or self.connections.is_cdn(call.dc):
            return attempt >= _FIRST_TRIES
        return waited >= self._settings.patience

    def _ensure_connected(self, inner: Invoke) -> Invoke:
        async def invoke(call: Call) -> bytes:
            await self.connections.ensure_open(call.dc, call.worker)
            return await inner(call)

        return invoke

    def _rate_limit(self, inner: Invoke) -> Invoke:
        async def invoke(call: Call) -> bytes:
            zero_waits = 0
            while True:
                bucket = self.bucket
                await self.ledger.acquire(call.method, call.dc, bucket=bucket)
                try:
                    body = await inner(call)
                except RpcError as error:
                    if not error.is_flood:
                        raise
                    zero_waits += error.argument == 0
                    seconds = error.argument or self._backoff.seconds(zero_waits)
                    slower = error.argument > 0
                    self.ledger.record_wait(call.method, call.dc, seconds, error.name, slower=slower, bucket=bucket)
                else:
                    self.ledger.record_answer(call.method, call.dc, bucket=bucket)
                    return body

        return invoke

    def _wrap_takeout(self, inner: Invoke) -> Invoke:
        async def invoke(call: Call) -> bytes:
            plain = replace(call, request=_without_range(call.request))  # ranges are valid only in a takeout
            if not self.takeout_id or call.method.startswith(_OUTSIDE_TAKEOUT):
                return await inner(plain)
            wrapped = functions.InvokeWithTakeoutRequest(self.takeout_id, call.request)
            try:
                return await inner(replace(call, request=wrapped))
            except RpcError as error:
                if error.name != "TAKEOUT_INVALID" or not self.takeout_confirmed:
                    raise
            if self.takeout_id:  # only the first request emits the event
                self.takeout_id = 0
                self._on_event(TakeoutEnded("TAKEOUT_INVALID"))
            return await inner(plain)

        return invoke

    def _trace(self, inner: Invoke) -> Invoke:
        async def invoke(call: Call) -> bytes:
            self.requests[call.method] += 1
            logger.trace("{} (worker {}, dc {})", call.method, call.worker, call.dc)
            return await inner(call)

        return invoke

    async def _send(self, call: Call) -> bytes:
        connection = call.connection or self.connections.get(call.dc, call.worker)
        return await connection.send(call.request, timeout=self._settings.request_timeout + call.extra)
