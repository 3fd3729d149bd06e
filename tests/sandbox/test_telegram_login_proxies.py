"""Telegram through proxies that really run."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.loopback_proxies import http_proxy, mtproto_proxy, socks5_proxy
from tests.sandbox.telegram_room import room, settings_for, sign_in
from tobs.errors import ConfigError
from tobs.sandbox import Sandbox, SandboxOptions, open_world, serve
from tobs.telegram.login import check_login
from tobs.telegram.net.connection import Connection, ConnectionLost, add_server_key
from tobs.telegram.net.proxies import Proxy, parse_proxy

WORLD = "synthetic:messages=30,chats=1,media=0.3,seed=3"
SECRET = bytes(range(0xE0, 0xF0))  # its hex begins with e, as that of many good secrets does


async def test_socks5_carries_everything_to_every_data_centre(tmp_path: Path) -> None:
    async with serve(open_world(WORLD), SandboxOptions(dcs=2)) as sandbox, socks5_proxy() as proxy:
        async with room(sandbox, tmp_path, proxy=f"socks5://127.0.0.1:{proxy.port}") as opened:
            chat = await opened.telegram.resolve(sandbox.ready.targets[0])
            assert (await opened.telegram.history_top(chat.id)).count == 30
            await opened.telegram.invoke(_config(), dc=4)
        assert set(proxy.seen) == {f"127.0.0.1:{port}" for port in sandbox.server.ports.values()}


def _config() -> object:
    from telethon.tl import functions

    return functions.help.GetConfigRequest()


async def test_socks5_and_http_with_user_and_password(tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        for kind, start in (("socks5", socks5_proxy), ("http", http_proxy)):
            async with start("me@home", "p:w/d") as proxy:
                url = f"{kind}://me%40home:p%3Aw%2Fd@127.0.0.1:{proxy.port}"
                settings = settings_for(sandbox, tmp_path / kind, proxy=url)
                assert await sign_in(sandbox, settings) == await check_login(settings)
                assert set(proxy.seen) == {sandbox.ready.server}
                assert "p:w" not in repr(settings) + repr(parse_proxy(url))


@pytest.mark.parametrize(("prefix", "seen"), [("", "ee"), ("dd", "dd")])
async def test_mtproto_proxies_with_plain_and_dd_secrets(prefix: str, seen: str, tmp_path: Path) -> None:
    async with serve(open_world(WORLD)) as sandbox:
        host, _, port = sandbox.ready.server.partition(":")
        async with mtproto_proxy(SECRET, {sandbox.ready.dc: (host, int(port))}) as proxy:
            url = f"mtproto://{prefix}{SECRET.hex()}@127.0.0.1:{proxy.port}"
            settings = settings_for(sandbox, tmp_path, proxy=url)
            assert await sign_in(sandbox, settings) == await check_login(settings)
            assert set(proxy.seen) == {f"dc {sandbox.ready.dc} {seen}"}


def a_connection(sandbox: Sandbox, tmp_path: Path, proxy: str) -> Connection:
    settings = settings_for(sandbox, tmp_path)
    assert settings.server is not None
    add_server_key(sandbox.key_pem)
    return Connection(settings.server, b"", api_id=1, connect_timeout=2, proxy=parse_proxy(proxy))


async def test_a_proxy_that_refuses_is_named_without_its_password(tmp_path: Path) -> None:
    async with (
        serve(open_world(WORLD)) as sandbox,
        socks5_proxy("me", "right") as locked,
        socks5_proxy(reply=2) as shut,
        mtproto_proxy(bytes(16), {}) as other,
    ):
        for proxy, words in (
            (f"socks5://me:wr0ng@127.0.0.1:{locked.port}", "authentication"),
            (f"socks5://127.0.0.1:{shut.port}", "not allowed"),
            (f"mtproto://{SECRET.hex()}@127.0.0.1:{other.port}", ""),
            ("socks5://127.0.0.1:1", "127.0.0.1:1"),
        ):
            with pytest.raises(ConnectionLost) as caught:
                await a_connection(sandbox, tmp_path, proxy).open()
            told = str(caught.value)
            assert "through the proxy" in told and sandbox.ready.server in told and "wr0ng" not in told
            assert words in told.lower() and SECRET.hex() not in told
        assert len(sandbox.log.calls("help.getConfig")) == 0


# what is written


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("", None),
        ("socks5://h:1080", Proxy("socks5", "h", 1080)),
        ("socks5h://h:1080", Proxy("socks5", "h", 1080)),
        ("h:1080", Proxy("socks5", "h", 1080)),
        ("socks4://h:1", Proxy("socks4", "h", 1)),
        ("http://u:p%40@[::1]:8080", Proxy("http", "::1", 8080, "u", "p@")),
        ("https://t.me/socks?server=h&port=5&user=u&pass=p", Proxy("socks5", "h", 5, "u", "p")),
        ("tg://socks?server=h&port=5", Proxy("socks5", "h", 5)),
        (f"tg://proxy?server=h&port=443&secret={SECRET.hex()}", Proxy("mtproto", "h", 443, secret=SECRET)),
        (
            f"https://t.me/proxy?server=h&port=443&secret=dd{SECRET.hex()}",
            Proxy("mtproto", "h", 443, secret=SECRET, padded=True),
        ),
        (f"mtproto://h:443?secret={SECRET.hex()}", Proxy("mtproto", "h", 443, secret=SECRET)),
        (
            "mtproto://h:443?secret=" + base64.urlsafe_b64encode(SECRET).decode().rstrip("="),
            Proxy("mtproto", "h", 443, secret=SECRET),
        ),
    ],
)
def test_proxies_are_read_from_urls_and_links(url: str, proxy: Proxy | None) -> None:
    assert parse_proxy(url) == proxy


@pytest.mark.parametrize("secret", ["ee" + SECRET.hex() + b"www.google.com".hex(), ""])
def test_fake_tls_proxies_get_a_clear_answer(secret: str) -> None:
    secret = secret or base64.urlsafe_b64encode(b"\xee" + SECRET + b"google.com").decode()
    with pytest.raises(ConfigError, match="uses fake TLS") as caught:
        parse_proxy(f"tg://proxy?server=h&port=443&secret={secret}")
    assert "SOCKS5" in caught.value.remedy and caught.value.exit_code == 2


@pytest.mark.parametrize(
    "url",
    ["socks5://", "socks5://h", "socks5://h:99999", "ftp://h:1", "https://h:1", "mtproto://abc@h:1", "http://[::1"],
)
def test_what_is_no_proxy_is_refused_with_the_forms_that_are(url: str) -> None:
    with pytest.raises(ConfigError, match="socks5://HOST:PORT"):
        parse_proxy(url)


@given(st.binary(min_size=16, max_size=16), st.booleans())
def test_every_secret_of_16_bytes_is_read_whole(secret: bytes, padded: bool) -> None:
    read = parse_proxy(f"mtproto://{'dd' if padded else ''}{secret.hex()}@h:1")
    assert read is not None and (read.secret, read.padded) == (secret, padded)


@given(st.text(max_size=40))
def test_nonsense_never_raises_anything_else_nor_is_repeated(text: str) -> None:
    try:
        parse_proxy(f"socks5://user:S3cretS3cret@{text}")
    except ConfigError as error:
        assert not re.search("S3cret", str(error))
