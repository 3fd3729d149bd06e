"""A TCP connection to a data centre. Telethon's sender does MTProto; answers are raw bytes.

A lost connection is not repaired: its requests fail with ConnectionLost, and ``ConnectionPool`` opens a new one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import rsa
from telethon.crypto import AuthKey
from telethon.crypto import rsa as server_keys
from telethon.errors import AuthKeyNotFound, SecurityError
from telethon.network import MTProtoSender
from telethon.tl import TLRequest, functions
from telethon.tl.alltlobjects import LAYER

from tobs import __version__
from tobs.errors import ConfigError, LoginError
from tobs.telegram.net.proxies import Proxy, make_transport
from tobs.telegram.net.rpc_errors import NOT_INITIALISED, RpcError
from tobs.telegram.net.settings import ServerAddress

OnUpdate = Callable[[Any], None]


class ConnectionLost(Exception):
    """The connection ended, could not be made, or gave no answer in time; ``connected``: it had been open."""

    def __init__(self, reason: str, *, connected: bool) -> None:
        super().__init__(reason)
        self.connected = connected


class _Loggers(dict[str, logging.Logger]):
    """Telethon's loggers, silenced: events and errors report all that matters."""

    def __missing__(self, name: str) -> logging.Logger:
        logger = logging.getLogger("tobs.telethon")
        logger.setLevel(logging.CRITICAL + 1)
        return logger


#: Number of key exchanges on one connection before the server's key is reported as wrong.
_KEY_EXCHANGES = 4


class _Sender(MTProtoSender):  # type: ignore[misc]  # telethon is untyped
    """Telethon's sender with results as bytes, errors with their names, and updates passed to ``on_update``."""

    refused_key = False
    on_update: OnUpdate | None = None

    async def _handle_rpc_result(self, message: Any) -> None:
        result = message.obj
        state = self._pending_state.pop(result.req_msg_id, None)
        if state is None or state.future.done():
            return
        if result.error:
            state.future.set_exception(RpcError(result.error.error_code, result.error.error_message))
        else:
            state.future.set_result(result.body)

    async def _handle_update(self, message: Any) -> None:
        if self.on_update is not None:
            self.on_update(message.obj)

    async def _try_gen_auth_key(self, attempt: int) -> bool:
        # One key exchange in 256 fails: Telethon drops a leading zero byte of the computed key.
        for again in range(_KEY_EXCHANGES):
            if await super()._try_gen_auth_key(attempt + again):
                return True
        self.refused_key = True
        return False


def add_server_key(pem: str) -> None:
    """Trust a server's RSA public key, PKCS#1 or PKCS#8 PEM. Raises ConfigError."""
    try:
        key = rsa.PublicKey.load_pkcs1(pem.encode()) if "RSA PUBLIC" in pem else None
        if key is None:
            key = rsa.PublicKey.load_pkcs1_openssl_pem(pem.encode())
            pem = key.save_pkcs1().decode()
    except (ValueError, IndexError, TypeError) as error:
        raise ConfigError("TOBS_SERVER_KEY holds no RSA public key.", "It is a PEM file of the server.") from error
    server_keys.add_key(pem, old=False)


@contextmanager
def trusted_keys(pems: Iterable[str]) -> Iterator[None]:
    """Trust the public keys of a CDN for the time of a key exchange with it, and not for Telegram's own servers."""
    known = dict(server_keys._server_keys)
    for pem in pems:
        add_server_key(pem)
    try:
        yield
    finally:
        for fingerprint in set(server_keys._server_keys) - set(known):
            del server_keys._server_keys[fingerprint]


def init_connection(api_id: int, request: TLRequest) -> TLRequest:
    """Wrap the first request of a connection: it sends the TL layer and the description of the client."""
    first = functions.InitConnectionRequest(
        api_id=api_id,
        device_model="tobs",
        system_version="1.0",
        app_version=__version__,
        lang_code="en",
        system_lang_code="en",
        lang_pack="",
        query=request,
    )
    return functions.InvokeWithLayerRequest(LAYER, first)


class Connection:
    """A connection with its auth key; ``key`` is empty until the handshake is done.

    With ``on_update`` Telegram may push updates, and each is passed on as a TL object (dates as Telethon reads them).
    """

    def __init__(
        self,
        address: ServerAddress,
        key: bytes,
        *,
        api_id: int,
        connect_timeout: float,
        proxy: Proxy | None = None,
        on_update: OnUpdate | None = None,
    ) -> None:
        self.address = address
        self._proxy = proxy
        self._api_id = api_id
        self._timeout = connect_timeout
        self._initialised = False
        self._disconnected: asyncio.Future[None] | None = None
        self._loggers = _Loggers()
        self._sender = _Sender(
            AuthKey(key or None),
            loggers=self._loggers,
            retries=0,
            delay=0,
            auto_reconnect=False,
            connect_timeout=connect_timeout,
        )
        self._sender.on_update = on_update

    @property
    def key(self) -> bytes:
        """The bytes of the auth key."""
        return bytes(self._sender.auth_key.key or b"")

    @property
    def is_open(self) -> bool:
        """True while requests can be sent."""
        return self._disconnected is not None and not self._disconnected.done()

    async def open(self) -> None:
        """Connect, with the handshake when there is no key. Raises ConnectionLost, ConfigError (wrong server key)."""
        address = self.address
        transport = make_transport(address, self._proxy, self._loggers)
        try:
            async with asyncio.timeout(self._timeout * 2):
                await self._sender.connect(transport)
        except (OSError, EOFError, TimeoutError, BufferError, SecurityError) as error:
            await transport.disconnect()
            if self._sender.refused_key:
                raise ConfigError(
                    f"The server at {address.host}:{address.port} has another RSA key.", "Check TOBS_SERVER_KEY."
                ) from error
            raise ConnectionLost(self._failure_text(getattr(transport, "refused", "")), connected=False) from error
        except asyncio.CancelledError:
            await transport.disconnect()
            raise
        self._disconnected = asyncio.ensure_future(self._sender.disconnected)
        self._disconnected.add_done_callback(_read_exception)

    def _failure_text(self, refused: str) -> str:
        text = f"no connection to {self.address.host}:{self.address.port}"
        if self._proxy is not None:
            text += f" through the proxy {self._proxy}"
        return f"{text} ({refused})" if refused else text

    async def send(self, request: TLRequest, *, timeout: float) -> bytes:
        """Send a request and return the answer's bytes, waiting at most ``timeout`` seconds.

        Raises RpcError, ConnectionLost, LoginError (the server does not know the key).
        """
        disconnected = self._disconnected
        if disconnected is None or disconnected.done():
            raise ConnectionLost("the connection is closed", connected=True)
        wrapped = request if self._sender.on_update else functions.InvokeWithoutUpdatesRequest(request)
        try:
            answer = self._sender.send(wrapped if self._initialised else init_connection(self._api_id, wrapped))
        except ConnectionError as error:
            raise ConnectionLost("the connection is closed", connected=True) from error
        try:
            await asyncio.wait((answer, disconnected), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            answer.cancel()
            raise
        if answer.done() and not answer.cancelled():
            failure = answer.exception()
            if failure is None or isinstance(failure, RpcError):
                self._initialised = not isinstance(failure, RpcError) or failure.name not in NOT_INITIALISED
                return bytes(answer.result())
            raise self._disconnect_error(failure)
        answer.cancel()
        if disconnected.done():
            raise self._disconnect_error(None if disconnected.cancelled() else disconnected.exception())
        await self.close()  # a connection without an answer for so long is dead
        raise ConnectionLost(f"no answer within {timeout:g} s", connected=True)

    def _disconnect_error(self, error: BaseException | None) -> Exception:
        if isinstance(error, AuthKeyNotFound):
            return LoginError("The server does not know this session.", "Run `tobs login` again.")
        reason = type(error).__name__ if error is not None else "closed"
        return ConnectionLost(f"the connection was lost ({reason})", connected=True)

    async def wait_closed(self) -> None:
        """Wait until the connection ends."""
        if self._disconnected is not None:
            await asyncio.wait((self._disconnected,))

    async def close(self) -> None:
        """Close the connection; does nothing when it is closed."""
        await self._sender.disconnect()


def _read_exception(future: asyncio.Future[None]) -> None:
    """Read the exception of a future, so that asyncio does not log it as never retrieved."""
    if not future.cancelled():
        future.exception()
