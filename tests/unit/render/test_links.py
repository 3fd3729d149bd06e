"""Which addresses a note may link to, and which t.me links name a message."""

from __future__ import annotations

import pytest

from tobs.render.links import TelegramAddress, destination, message_link, telegram_address, web_url, wikilink

_CHANNEL = -1000000000005


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://t.me/club/5", TelegramAddress("club", 0, 5)),
        ("http://www.telegram.me/Club_1/5/", TelegramAddress("Club_1", 0, 5)),
        ("t.me/s/club/5?single", TelegramAddress("club", 0, 5)),
        ("https://t.me/club/4/5", TelegramAddress("club", 0, 5)),
        ("https://t.me/c/5/7", TelegramAddress("", _CHANNEL, 7)),
        ("https://t.me/c/5/6/7?thread=6", TelegramAddress("", _CHANNEL, 7)),
        ("https://t.me/club", TelegramAddress("club", 0, 0)),
        ("tg://resolve?domain=club&post=5", TelegramAddress("club", 0, 5)),
        ("tg://privatepost?channel=5&post=7", TelegramAddress("", _CHANNEL, 7)),
        ("https://t.me/club/5?comment=9", TelegramAddress("club", 0, 5, 9)),
        ("https://t.me/c/5/7?single&comment=9", TelegramAddress("", _CHANNEL, 7, 9)),
        ("https://club.t.me/5", TelegramAddress("club", 0, 5)),
        ("club.t.me", TelegramAddress("club", 0, 0)),
        ("https://club.t.mexico.example/5", None),
        ("https://t.me/somebot?start=x", None),
        ("https://t.me/+abcdef", None),
        ("https://t.me/joinchat/abcdef", None),
        ("https://t.me/addstickers/abc", None),
        ("https://t.me.evil.example/club/5", None),
        ("https://e.example/t.me/club/5", None),
    ],
)
def test_a_telegram_link_names_a_chat_or_a_message(url: str, address: TelegramAddress | None) -> None:
    assert telegram_address(url) == address


@pytest.mark.parametrize(
    ("url", "web"),
    [
        ("https://e.example", "https://e.example"),
        ("HTTP://e.example", "HTTP://e.example"),
        ("e.example/x", "http://e.example/x"),
        ("e.example:8080/x", "http://e.example:8080/x"),
        ("//e.example", "http://e.example"),
        ("ton://x", "ton://x"),
        ("tel:+1", "tel:+1"),
        ("javascript:alert(1)", None),
        (" JavaScript:alert(1)", None),
        ("data:text/html,x", None),
        ("obsidian://open", None),
        ("file:///etc", None),
        ("", None),
        ("Secret Note.md", None),
        ("[[Secret]]", None),
        ("/etc/passwd", None),
        ("#heading", None),
        ("java\tscript:alert(1)", None),
    ],
)
def test_only_harmless_schemes_are_linked(url: str, web: str | None) -> None:
    assert web_url(url) == web


def test_a_destination_cannot_end_early_or_hold_what_plugins_read() -> None:
    assert destination("http://e/a b") == "<http://e/a b>"
    assert destination("http://e/(a)") == "<http://e/(a)>"
    assert destination("http://e/<a>\n\\") == "http://e/%3Ca%3E%0A%5C"
    assert destination("http://e/[[a]]?b==&copy;%%c::d") == "http://e/%5B[a%5D]?b%3D=&amp;copy;%25%25c%3A:d"


def test_an_alias_cannot_end_its_link() -> None:
    assert wikilink("N", "a]]b|c\n[d] <% ::") == "[[N|a))b/c (d) <\u200b% :\u200b:]]"
    assert wikilink("m/a.png", embed=True) == "![[m/a.png]]"


def test_messages_of_channels_have_links_and_others_none() -> None:
    assert message_link(_CHANNEL, "club", 5) == "https://t.me/club/5"
    assert message_link(_CHANNEL, "", 5) == "https://t.me/c/5/5"
    assert message_link(7, "anna", 5) == message_link(-5, "", 5) == ""
