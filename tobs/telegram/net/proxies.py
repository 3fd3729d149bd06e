"""Proxies: SOCKS5, SOCKS4, HTTP CONNECT, and MTProto proxies with plain and ``dd`` secrets."""

from __future__ import annotations

import base64
import binascii
import socket
from collections.abc import Mapping
from typing import Any, Literal, get_args
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import python_socks
from msgspec import Struct
from python_socks.async_.asyncio import Proxy as SocksProxy
from telethon.network import ConnectionTcpFull
from telethon.network.connection.connection import ObfuscatedConnection
from telethon.network.connection.tcpintermediate import IntermediatePacketCodec, RandomizedIntermediatePacketCodec
from telethon.network.connection.tcpmtproxy import TcpMTProxy

from tobs.errors import ConfigError
from tobs.telegram.net.settings import ServerAddress

ProxyKind = Literal["socks5", "socks4", "http", "mtproto"]

_FORMS = "Write it as socks5://HOST:PORT, http://USER:PASSWORD@HOST:PORT or mtproto://SECRET@HOST:PORT."
_PROXY_ERRORS = (python_socks.ProxyError, python_socks.ProxyConnectionError, python_socks.ProxyTimeoutError)
_FAKE_TLS, _PADDED = 0xEE, 0xDD


class Proxy(Struct, frozen=True):
    """A proxy. ``secret``: the 16 bytes of an MTProto proxy; ``padded``: it requires random padding (``dd``)."""

    kind: ProxyKind
    host: str
    port: int
    user: str = ""
    password: str = ""
    secret: bytes = b""
    padded: bool = False

    def __str__(self) -> str:
        return f"{self.kind}://{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"Proxy({self!s})"


def parse_proxy(url: str) -> Proxy | None:
    """Parse the URL of a proxy, or a ``t.me/proxy`` or ``t.me/socks`` link; None for an empty one.

    Raises ConfigError. Its message contains nothing of the URL, which may hold a password.
    """
    if not url:
        return None
    try:
        parts = urlsplit(url if "://" in url else f"socks5://{url}")
        port = parts.port
    except ValueError:
        raise ConfigError("The proxy is not a URL.", _FORMS) from None
    host = parts.hostname or ""
    if parts.scheme == "tg" or (parts.scheme in ("http", "https") and host in ("t.me", "telegram.me")):
        return _from_link(parts)
    scheme = {"socks5h": "socks5", "socks": "socks5", "mtproxy": "mtproto"}.get(parts.scheme, parts.scheme)
    if scheme not in get_args(ProxyKind):
        raise ConfigError(f"Unknown kind of proxy: '{scheme}'.", _FORMS)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    given = dict(parse_qsl(parts.query)).get("secret", user)
    return _make(scheme, host, port, user, password, given)


def _from_link(parts: SplitResult) -> Proxy:
    fields: Mapping[str, str] = dict(parse_qsl(parts.query))
    what = parts.hostname if parts.scheme == "tg" else parts.path.strip("/")
    port = fields.get("port", "")
    number = int(port) if port.isdigit() else None
    kind = "mtproto" if what == "proxy" else "socks5"
    return _make(
        kind, fields.get("server", ""), number, fields.get("user", ""), fields.get("pass", ""), fields.get("secret", "")
    )


def _make(kind: Any, host: str, port: int | None, user: str, password: str, secret: str) -> Proxy:
    if not host or not port or not 0 < port < 65536:
        raise ConfigError("The proxy has no host or no port.", _FORMS)
    if kind != "mtproto":
        return Proxy(kind, host, port, user, password)
    key, padded = _read_secret(secret)
    return Proxy("mtproto", host, port, secret=key, padded=padded)


def _read_secret(text: str) -> tuple[bytes, bool]:
    """Return the 16 bytes of an MTProto proxy's secret, hex or base64, and whether it requires padding."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        try:
            data = base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            data = b""
    if len(data) > 16 and data[0] == _FAKE_TLS:
        raise ConfigError(
            "This MTProto proxy uses fake TLS (its secret begins with 'ee'), which tobs does not support.",
            "Use a proxy with a plain or 'dd' secret, or a SOCKS5 proxy.",
        )
    if len(data) == 17 and data[0] == _PADDED:
        return data[1:], True
    if len(data) != 16:
        raise ConfigError("The MTProto proxy's secret is not 16 bytes in hex or base64.", _FORMS)
    return data, False


def make_transport(address: ServerAddress, proxy: Proxy | None, loggers: Any) -> Any:
    """Create Telethon's connection to ``address``, through ``proxy`` if there is one."""
    if proxy is None:
        return ConnectionTcpFull(address.host, address.port, address.dc, loggers=loggers)
    if proxy.kind == "mtproto":
        kind = _PaddedMtprotoProxyConnection if proxy.padded else _MtprotoProxyConnection
        return kind(
            address.host, address.port, address.dc, loggers=loggers, proxy=(proxy.host, proxy.port, proxy.secret)
        )
    return _ProxyConnection(address.host, address.port, address.dc, loggers=loggers, proxy=proxy)


class _ProxyConnection(ConnectionTcpFull):  # type: ignore[misc]  # telethon is untyped
    """MTProto through SOCKS or HTTP CONNECT. ``refused`` is the error of the proxy."""

    refused = ""

    async def _proxy_connect(self, timeout: float | None = None, local_addr: Any = None) -> socket.socket:
        proxy: Proxy = self._proxy
        socks_proxy = SocksProxy(
            python_socks.ProxyType[proxy.kind.upper()],
            proxy.host,
            proxy.port,
            username=proxy.user or None,
            password=proxy.password or None,
            rdns=True,
        )
        try:
            return await socks_proxy.connect(dest_host=self._ip, dest_port=self._port, timeout=timeout)
        except _PROXY_ERRORS as error:
            self.refused = str(error).rstrip(".")
            raise ConnectionError(self.refused) from error


class _MtprotoProxyConnection(TcpMTProxy):  # type: ignore[misc]
    """Connection through an MTProto proxy with a plain secret."""

    packet_codec = IntermediatePacketCodec

    @staticmethod
    def normalize_secret(secret: bytes) -> bytes:
        return secret  # Telethon would cut plain secrets that begin with dd or ee

    async def _connect(self, timeout: float | None = None, ssl: Any = None) -> None:
        # Telethon waits 2 s here for the proxy to disconnect; the key exchange detects that too.
        await ObfuscatedConnection._connect(self, timeout=timeout, ssl=ssl)


class _PaddedMtprotoProxyConnection(_MtprotoProxyConnection):
    """Connection through an MTProto proxy with a ``dd`` secret."""

    packet_codec = RandomizedIntermediatePacketCodec
