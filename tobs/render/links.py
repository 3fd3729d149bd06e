"""Links: safe web destinations, t.me addresses, and wikilinks to other notes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from tobs.model import bare_id, is_channel_id, marked_channel, story_peer
from tobs.render.escape import ZERO_WIDTH, one_line

_SCHEMES = frozenset({"http", "https", "tg", "ton", "mailto", "tel"})
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+\-]*):(?![0-9]+(?:[/?#]|$))")
# Host at the beginning of an address without a scheme; not a folder, the name of a note or a fragment.
_HOST = re.compile(r"(?://)?[^\s/?#\[\]\\|<>\x00-\x1f\x7f]+(?:[/?#]|$)")
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f<>\\\ud800-\udfff]|&(?=#?\w{1,31};)|!(?=\[)|\[(?=\[)|\](?=\])|%(?![0-9A-Fa-f]{2})|:(?=:)|=(?==)"
)
_ANGLE = re.compile(r"[\s()]")
_ALIAS = str.maketrans({"[": "(", "]": ")", "|": "/"})
_ALIAS_BREAKS = re.compile(r"(?<=<)(?=%)|(?<=%)(?=%)|(?<=:)(?=:)|(?<==)(?==)")


def web_url(url: str) -> str | None:
    """Return ``url`` with a scheme; None if a note must not link to it (``javascript:``, ``obsidian://`` ...)."""
    url = url.strip()
    if not url:
        return None
    match = _SCHEME.match(url)
    if match is not None:
        return url if match[1].lower() in _SCHEMES else None
    if not _HOST.match(url):
        return None
    return f"http:{url}" if url.startswith("//") else f"http://{url}"


def _percent(match: re.Match[str]) -> str:
    if match[0] == "&":
        return "&amp;"
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace"))


def destination(url: str) -> str:
    """Encode ``url`` as the destination of a Markdown link."""
    safe = _UNSAFE.sub(_percent, url)
    return f"<{safe}>" if _ANGLE.search(safe) else safe


@lru_cache(maxsize=4096)  # links to the chat and to people are in every note
def wikilink(path: str, alias: str = "", *, embed: bool = False) -> str:
    """Render a link to ``path`` (from the root of the vault, notes without ``.md``).

    An alias is shown literally: characters that would end it are replaced, and adjacent characters that a plugin could
    read are separated.
    """
    mark = "!" if embed else ""
    if not alias:
        return f"{mark}[[{path}]]"
    label = _ALIAS_BREAKS.sub(ZERO_WIDTH, one_line(alias).translate(_ALIAS))
    return f"{mark}[[{path}|{label}]]"


class LinkTargets(Struct, frozen=True):
    """Lookups of link targets in the vault. Each returns the path of a note (with ``#^block`` for a block), or None.

    ``user`` takes a marked id, ``username`` a name without ``@``, ``url`` an address (``https://t.me/...``),
    ``picture`` the id of a file inside a line.
    """

    user: Callable[[int], str | None] = lambda _id: None
    username: Callable[[str], str | None] = lambda _name: None
    url: Callable[[str], str | None] = lambda _url: None
    picture: Callable[[int], str | None] = lambda _id: None
    is_empty: bool = False


NO_TARGETS = LinkTargets(is_empty=True)


class TelegramAddress(NamedTuple):
    """Target of a t.me link: a username or marked channel id, and a message id (0: none).

    ``comment`` is the id of a message in the discussion group of the channel (0: none).
    """

    username: str
    chat_id: int
    message_id: int
    comment: int = 0


_TELEGRAM = re.compile(
    r"(?:https?://)?(?:(?P<sub>(?!www\.)[A-Za-z][A-Za-z0-9_]{3,31})\.t\.me(?![^/?#])"
    r"|(?:www\.)?(?:t|telegram)\.(?:me|dog)/(?:s/)?"
    r"(?:c/(?P<private>\d{1,15})|(?P<name>[A-Za-z][A-Za-z0-9_]{3,31})))"
    r"(?:/(?:(?P<topic>\d{1,10})/)?(?P<id>\d{1,10}))?/?(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.IGNORECASE,
)
_DEEP = re.compile(
    r"tg://(?:resolve/?\?domain=(?P<name>[A-Za-z]\w{3,31})(?:&post=(?P<id>\d{1,10}))?"
    r"|privatepost/?\?channel=(?P<private>\d{1,15})&post=(?P<post>\d{1,10}))(?:&.*)?"
)
_COMMENT = re.compile(r"(?:^|&)comment=(\d{1,10})(?:&|$)")
_RESERVED = frozenset(
    [
        "addemoji",
        "addlist",
        "addstickers",
        "addtheme",
        "bg",
        "boost",
        "confirmphone",
        "contact",
        "giftcode",
        "invoice",
        "iv",
        "joinchat",
        "login",
        "m",
        "nft",
        "proxy",
        "setlanguage",
        "share",
        "socks",
    ]
)


def telegram_address(url: str) -> TelegramAddress | None:
    """Parse the chat or message in a t.me (or ``tg://``) link; None for every other link."""
    match = _TELEGRAM.fullmatch(url)
    if match is not None:
        query, name = match["query"] or "", match["name"] or match["sub"] or ""
        if name.lower() in _RESERVED or "start=" in query:
            return None
        comment_match = _COMMENT.search(query)
        comment = int(comment_match[1]) if comment_match else 0
        if match["private"]:
            return TelegramAddress("", marked_channel(int(match["private"])), int(match["id"] or 0), comment)
        return TelegramAddress(name, 0, int(match["id"] or 0), comment)
    match = _DEEP.fullmatch(url)
    if match is None:
        return None
    if match["private"]:
        return TelegramAddress("", marked_channel(int(match["private"])), int(match["post"]))
    return TelegramAddress(match["name"], 0, int(match["id"] or 0))


def message_link(chat_id: int, username: str, message_id: int) -> str:
    """Return the t.me link of a message of a channel or supergroup; empty for other chats, which have none."""
    if story_peer(chat_id):
        return f"https://t.me/{username}/s/{message_id}" if username else ""
    if not is_channel_id(chat_id):
        return ""
    return f"https://t.me/{username or f'c/{bare_id(chat_id)}'}/{message_id}"
