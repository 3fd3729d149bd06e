"""The plugin ``links``: which computers are asked, what is taken from them, and how it stands in the note."""

from __future__ import annotations

import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from tobs.model import Entity
from tobs.plugin import Message, MessageItem, NewNote, Unreadable
from tobs.plugin.host import Done, Host
from tobs.plugin.processor import Processor
from tobs.plugin.protocol import PluginRef
from tobs_plugins.links import Links, LinksConfig
from tobs_plugins.links.addresses import NotPublic, is_public, public_addresses
from tobs_plugins.links.fetch import Limits, NoPage, RetryLater, fetch
from tobs_plugins.links.plugin import links_of
from tobs_plugins.links.readable import destination, readable

PAGE = """<!doctype html><html lang="en"><head><title>Relays &amp; rooms</title><meta name="author" content="Anna B">
<meta property="article:published_time" content="2024-03-02"></head><body><nav><a href="/">Home</a><a href="/more">More
things to click</a></nav><article><h1>Relays &amp; rooms</h1><p>The old exchange has three rooms, and this paragraph is
long enough to be <b>taken</b> for the <a href="https://example.org/a?b=(1)">text of [[it]]</a>.</p><h2>The night
room</h2><p>At night one operator sat here. key:: value, &lt;% tp.system() %&gt; ==marked== %%hidden%% #tag ^id.</p>
<p>Split <b>a:</b>: <i>b=</i>= here, and once more some words so that this is surely a paragraph of the text.</p>
<ul><li>one</li><li>two <a href="javascript:alert(1)">bad</a></li></ul><pre><code>x = "```"</code></pre>
<blockquote>A quoted sentence that somebody said.</blockquote><table><tr><th>A</th><th>B</th></tr><tr><td>1|2</td>
<td>3</td></tr></table><script>steal()</script></article><footer>All rights reserved</footer></body></html>"""


class Web(ThreadingHTTPServer):
    """Serves ``pages`` by their path: (status, headers, body), or a function of the handler. Keeps what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.pages: dict[str, Any] = {"/": (200, {"Content-Type": "text/html; charset=utf-8"}, PAGE.encode())}
        self.asked: list[tuple[str, str]] = []
        self.ended = threading.Event()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up or speaks TLS wrongly is what some tests want."""

    def url(self, path: str, host: str = "example.org") -> str:
        return f"http://{host}:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        self.server.asked.append((self.headers["Host"], self.path))
        page = self.server.pages.get(self.path, (404, {}, b""))
        if callable(page):
            with suppress(OSError):  # the other side may be gone
                page(self)
            return
        status, headers, body = page
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving_web() -> Iterator[Web]:
    """A web of one computer, until the end."""
    with Web() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.ended.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def web() -> Iterator[Web]:
    with serving_web() as server:
        yield server


def here(host: str, port: int) -> list[str]:
    """A name server that knows every host as this computer."""
    return ["127.0.0.1"]


LIMITS = Limits(size=100_000, seconds=20, resolve=here)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1"),
        *("ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::", "2001:db8::1"),
        *("::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::10.0.0.1", "fec0::1", "5f00::1", "3fff::1", "100::1"),
        *("", "example.org"),
    ],
)
def test_what_is_not_of_the_public_internet_is_refused(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(NotPublic):
        public_addresses("x.example", 80, resolve=lambda host, port: ["93.184.216.34", address])


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::8.8.8.8"])
def test_public_addresses_are_asked(address: str) -> None:
    assert public_addresses("x.example", 80, resolve=lambda host, port: [address]) == [address]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "0", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_this_computer_is_not_asked_however_it_is_called(web: Web, host: str) -> None:
    with pytest.raises((NoPage, RetryLater)):
        fetch(web.url("/", host), Limits(100_000, 5))
    assert web.asked == []


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/", "gopher://x/", "http://", "http://u:p@example.org/"],
)
def test_only_the_web_is_asked(url: str) -> None:
    with pytest.raises(NoPage):
        fetch(url, LIMITS)


def test_a_page_is_fetched_under_the_name_of_its_host(web: Web) -> None:
    page = fetch(web.url("/#part"), LIMITS)
    assert (page.url, page.charset) == (web.url("/"), "utf-8") and b"three rooms" in page.body
    assert web.asked == [(f"example.org:{web.server_port}", "/")]


def test_a_name_is_looked_up_once_for_each_step_and_every_step_is_checked(web: Web) -> None:
    web.pages["/a"] = (302, {"Location": web.url("/b", "elsewhere.example")}, b"")
    web.pages["/b"] = (301, {"Location": "/"}, b"")
    looked_up = []

    def resolve(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    assert fetch(web.url("/a"), replace(LIMITS, resolve=resolve)).url == web.url("/", "elsewhere.example")
    # Once a step: a name server that gives another answer the second time is not asked a second time.
    assert looked_up == ["example.org", "elsewhere.example", "elsewhere.example"]
    assert [path for _, path in web.asked] == ["/a", "/b", "/"]


def test_a_redirect_into_the_own_network_is_refused(web: Web) -> None:
    def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "example.org" else public_addresses(host, port)

    for target in (
        "http://127.0.0.1/",
        "http://localhost/admin",
        "http://[::1]/",
        "file:///etc/passwd",
        "//192.168.1.1/",
    ):
        web.pages["/a"] = (302, {"Location": target}, b"")
        with pytest.raises(NoPage):
            fetch(web.url("/a"), replace(LIMITS, resolve=resolve))
    assert {path for _, path in web.asked} == {"/a"}


def test_redirects_end(web: Web) -> None:
    web.pages["/a"] = (302, {"Location": "/a"}, b"")
    with pytest.raises(NoPage, match="too many redirects"):
        fetch(web.url("/a"), LIMITS)
    assert len(web.asked) == 6


HTML = {"Content-Type": "text/html"}


@pytest.mark.parametrize(
    ("page", "error", "reason"),
    [
        ((404, {}, b""), NoPage, "answered 404"),
        ((410, HTML, b"gone"), NoPage, "answered 410"),
        ((200, {"Content-Type": "application/zip"}, b"PK"), NoPage, "a file"),
        ((200, {}, b"?"), NoPage, "a file"),
        ((200, HTML, b"x" * 100_001), NoPage, "larger than allowed"),
        ((503, {}, b""), RetryLater, "answered 503"),
        ((429, {}, b""), RetryLater, "answered 429"),
    ],
)
def test_what_is_no_page_is_told(web: Web, page: Any, error: type[Exception], reason: str) -> None:
    web.pages["/a"] = page
    with pytest.raises(error, match=reason):
        fetch(web.url("/a"), LIMITS)


def endless(handler: Handler) -> None:
    """A page without an end or a length."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.end_headers()
    while not handler.server.ended.wait(0.001):
        handler.wfile.write(b"<p>more" * 100)


def test_a_page_without_an_end_is_left(web: Web) -> None:
    web.pages["/a"] = endless
    with pytest.raises(NoPage, match="larger than allowed"):
        fetch(web.url("/a"), LIMITS)


def dripping_headers(handler: Handler) -> None:
    """A head that never ends, a line at a time: no single wait for it is long."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(1000):
        if handler.server.ended.wait(0.02):
            return
        handler.wfile.write(b"X-%d: 1\r\n" % number)


@pytest.mark.parametrize("drips", [endless, dripping_headers])
def test_a_page_that_drips_is_left_when_its_time_is_over(web: Web, drips: Callable[[Handler], None]) -> None:
    web.pages["/a"] = drips
    with pytest.raises(RetryLater, match="took too long"):
        fetch(web.url("/a"), Limits(10**9, 0.5, here))


def test_a_host_that_nobody_knows_or_reaches_is_told() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    def broken(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    with pytest.raises(NoPage, match=r"^nowhere\.example is not known$"):
        fetch("http://nowhere.example/", replace(LIMITS, resolve=unknown))
    with pytest.raises(RetryLater, match="cannot be looked up"):
        fetch("http://nowhere.example/", replace(LIMITS, resolve=broken))
    with socket.socket() as held:  # bound, but nobody listens
        held.bind(("127.0.0.1", 0))
        with pytest.raises(RetryLater, match="cannot be reached"):
            fetch(f"http://nowhere.example:{held.getsockname()[1]}/", LIMITS)


def test_the_certificate_that_is_asked_for_is_the_hosts(web: Web) -> None:
    names = []

    def hello(handler: socket.socket, name: str, context: ssl.SSLContext) -> None:
        names.append(name)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # which has no certificate
    context.sni_callback = hello  # type: ignore[assignment]
    web.socket = context.wrap_socket(web.socket, server_side=True, do_handshake_on_connect=False)
    with pytest.raises(RetryLater, match=r"secure\.example cannot be reached"):
        fetch(f"https://secure.example:{web.server_port}/", LIMITS)
    assert web.asked == [] and set(names) == {"secure.example"}


def test_a_page_becomes_markdown_that_does_nothing_by_itself() -> None:
    found = readable(PAGE.encode(), "utf-8", "https://example.org/a")
    assert found is not None
    assert (found.title, found.author, found.published) == ("Relays & rooms", "Anna B", "2024-03-02")
    text = found.text
    assert "## The night room" in text and "**taken**" in text and "- one\n- two bad" in text
    assert "[text of \\[\\[it\\]\\]](https://example.org/a?b=%281%29)" in text
    assert "> A quoted sentence that somebody said." in text and '````\nx = "```"\n````' in text
    assert "| A | B |\n| --- | --- |\n| 1\\|2 | 3 |" in text
    for nothing in ("Home", "rights reserved", "steal", "javascript", "[[", "::", "<%", "==", "%%", " #tag", " ^id"):
        assert nothing not in text, nothing
    shown = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    assert "key:: value, &lt;% tp.system() %&gt; ==marked== %%hidden%% #tag ^id." in shown
    assert set(re.findall(r'href="([^"]*)"', shown)) == {"https://example.org/a?b=%281%29"}


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe\x00", b"<p>" * 5000, b"<html><body><script>x</script>"])
def test_a_page_without_text_is_none(body: bytes) -> None:
    found = readable(body, "no-such-charset", "https://example.org/a")
    assert found is None or not found.text.strip("<>p ")


def test_links_lead_into_the_web_only() -> None:
    assert destination("https://e.org/a b(c)<d>[e]|f") == "https://e.org/a%20b%28c%29%3Cd%3E%5Be%5D%7Cf"
    assert destination("javascript:alert(1)") == destination("obsidian://open") == destination("/relative") == ""


def message(text: str, *entities: Entity) -> Message:
    return Message(chat_id=-5, id=1, date=0, text=text, entities=entities)


def test_the_links_of_a_message_are_found() -> None:
    text = "😀 example.org/a#x and here, t.me/b mail"
    found = links_of(
        message(
            text,
            Entity("url", 3, 15),
            Entity("text_link", 23, 4, url="https://example.org/b"),
            Entity("text_link", 23, 4, url="https://example.org/b#again"),
            Entity("text_link", 23, 4, url="https://t.me/somebody"),
            Entity("text_link", 23, 4, url="tg://resolve?domain=x"),
            Entity("text_link", 23, 4, url="http://[broken"),
            Entity("bold", 0, 2),
        )
    )
    assert list(found) == ["http://example.org/a", "https://example.org/b"]


def asked(plugin: Links, *urls: str) -> Any:
    return plugin.enrich(MessageItem(message("here", *(Entity("text_link", 0, 4, url=url) for url in urls)), "Chat"))


def test_a_page_becomes_a_note_and_is_fetched_once(web: Web) -> None:
    plugin = Links(LinksConfig(private=True))
    url = web.url("/", "127.0.0.1")
    first, second = asked(plugin, url), asked(plugin, url)
    assert first == second and len(web.asked) == 1
    (note,) = first.notes
    assert isinstance(note, NewNote) and (note.key, note.title) == (url, "Relays & rooms")
    assert note.fields == {"url": url, "site": "127.0.0.1", "author": "Anna B", "published": "2024-03-02"}
    head = MarkdownIt().render(note.text.split("\n\n")[0])
    assert head == f'<p><a href="{url}">127.0.0.1</a> · Anna B · 2024-03-02</p>\n'
    assert asked(plugin) is None


def test_what_cannot_be_kept_is_told_in_the_note_and_what_may_come_right_in_the_report(web: Web) -> None:
    plugin = Links(LinksConfig(private=True, most=2))
    gone, busy = web.url("/gone", "127.0.0.1"), web.url("/busy", "127.0.0.1")
    web.pages["/busy"] = (503, {}, b"")
    assert asked(plugin, gone, web.url("/", "127.0.0.1"), busy).fields == {
        "links_failed": [f"{gone}: 127.0.0.1 answered 404"]
    }
    for _ in range(2):
        with pytest.raises(Unreadable, match=r"a page is missing: 127\.0\.0\.1 answered 503"):
            asked(plugin, busy)
    assert [path for _, path in web.asked] == ["/gone", "/", "/busy"]


def test_the_own_network_is_left_alone_unless_it_is_asked_for(web: Web) -> None:
    found = asked(Links(LinksConfig()), web.url("/", "127.0.0.1"))
    assert found.fields == {"links_failed": [f"{web.url('/', '127.0.0.1')}: 127.0.0.1 is no public address"]}
    assert found.notes == () and web.asked == []


def test_a_long_page_ends_at_a_paragraph(web: Web) -> None:
    paragraphs = "".join(f"<p>Paragraph {n} with words enough to be one.</p>" for n in range(200))
    web.pages["/"] = (200, HTML, f"<html><body><article>{paragraphs}</article></body></html>".encode())
    (note,) = asked(Links(LinksConfig(private=True, max_length=1000)), web.url("/", "127.0.0.1")).notes
    assert 800 < len(note.text) < 1200 and note.text.endswith("to be one.\n\n…")


async def test_it_works_within_the_limits_of_a_worker(web: Web) -> None:
    ref = PluginRef("tobs_plugins.links", "Links")
    processor = Processor.of(Links(LinksConfig(private=True)), ref)
    there, gone = web.url("/", "127.0.0.1"), web.url("/gone", "127.0.0.1")
    items = [MessageItem(message("here", Entity("text_link", 0, 4, url=url)), "Chat") for url in (there, gone)]
    async with Host(env=os.environ) as host:
        first, second = await host.enrich(processor, items)
    assert (
        isinstance(first, Done) and first.result and [note.title for note in first.result.notes] == ["Relays & rooms"]
    )
    assert isinstance(second, Done) and second.result and list(second.result.fields) == ["links_failed"]
