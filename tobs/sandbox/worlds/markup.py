"""The worlds' markup: a readable source, parsed to a text with Telegram's entities.

**bold** __italic__ ++underline++ ~~strike~~ ||spoiler||   each toggles, so spans may nest and overlap
`code`   ```python⏎…```                                   no markup inside
[text](https://…)   [name](user:12)                        a link; a mention of someone without a username
<q>…</q>   <qx>…</qx>                                       a quote; a collapsed one
{🦉 5400000000000000001}                                    a custom emoji with its fallback
#tag @name https://… a@b.org /command $USD +49 30 901820    detected without markup, as Telegram's server does
\\x                                                         the character x, whatever it is
"""

from __future__ import annotations

import re

from telethon.tl import types

from tobs.sandbox.worlds.tl import Tl

_TOGGLES = {
    "**": types.MessageEntityBold,
    "__": types.MessageEntityItalic,
    "++": types.MessageEntityUnderline,
    "~~": types.MessageEntityStrike,
    "||": types.MessageEntitySpoiler,
}

# An address may hold one pair of brackets: https://example.org/wiki/Relay_(switch)
_TARGET = r"[a-z]+:(?:[^()\s]|\([^()\s]*\))+"
_TOKEN = re.compile(
    r"\\(?P<escaped>.)"
    r"|```(?P<language>[\w+-]*)\n(?P<pre>.*?)\n?```"
    r"|`(?P<code>[^`\n]+)`"
    r"|(?P<toggle>\*\*|__|\+\+|~~|\|\|)"
    r"|(?P<quote></?qx?>)"
    r"|\{(?P<fallback>[^\s{}]+) (?P<custom>\d{6,})\}"
    rf"|(?P<open>\[)(?=[^\[\]]+\]\({_TARGET}\))"
    rf"|\]\((?P<close>{_TARGET})\)",
    re.DOTALL,
)

_DETECTED = (
    (re.compile(r"https?://[^\s<>«»]*[^\s<>«».,;:!?)\]']|(?<![\w@.])t\.me/[\w/]+\w"), types.MessageEntityUrl),
    (re.compile(r"[\w.+-]+@[\w-]+\.[a-z]{2,}"), types.MessageEntityEmail),
    (re.compile(r"(?<![\w@/.])@[A-Za-z]\w{3,31}"), types.MessageEntityMention),
    (re.compile(r"(?<![\w#/])#\w*[^\W\d]\w*"), types.MessageEntityHashtag),
    (re.compile(r"(?<![\w/.:<])/[a-z]\w{2,31}(?![\w/])"), types.MessageEntityBotCommand),
    (re.compile(r"(?<![\w$])\$[A-Z]{3,8}\b"), types.MessageEntityCashtag),
    (re.compile(r"(?<![\w+])\+\d{1,3}(?: \d{1,7}){2,4}\b"), types.MessageEntityPhone),
)


def utf16(text: str) -> int:
    """Return the length of ``text`` in UTF-16 code units, Telegram's unit."""
    return len(text.encode("utf-16-le")) // 2


def parse(source: str) -> tuple[str, list[Tl]]:
    """Return the text and its entities, ordered by offset, longer ones first; raise ValueError for open markup."""
    text = ""
    entities: list[Tl] = []
    plain: list[tuple[int, int]] = []  # ranges without detection: [start, end) in code points
    opened: dict[str, int] = {}
    links: list[int] = []
    at = 0
    for token in _TOKEN.finditer(source):
        text += source[at : token.start()]
        at = token.end()
        here = utf16(text)
        match token.lastgroup:
            case "escaped":
                text += token["escaped"]
            case "pre" | "code":
                body = token[token.lastgroup]
                plain.append((len(text), len(text) + len(body)))
                text += body
                length = utf16(body)
                if token["pre"] is None:
                    entities.append(types.MessageEntityCode(here, length))
                else:
                    entities.append(types.MessageEntityPre(here, length, token["language"]))
            case "toggle":
                mark = token["toggle"]
                if mark in opened:
                    start = opened.pop(mark)
                    entities.append(_TOGGLES[mark](start, here - start))
                else:
                    opened[mark] = here
            case "quote":
                mark = token["quote"].replace("/", "")
                if "/" in token["quote"]:
                    start = opened.pop(mark)
                    entities.append(
                        types.MessageEntityBlockquote(start, here - start, collapsed=mark == "<qx>" or None)
                    )
                else:
                    opened[mark] = here
            case "custom":
                text += token["fallback"]
                entities.append(types.MessageEntityCustomEmoji(here, utf16(token["fallback"]), int(token["custom"])))
            case "open":
                links.append(here)
                opened["["] = len(text)
            case "close":
                start = links.pop()
                plain.append((opened.pop("["), len(text)))
                entities.append(_link(start, here - start, token["close"]))
    text += source[at:]
    if opened:
        raise ValueError(f"not closed: {', '.join(opened)} in {source!r}")
    entities.extend(_detect(text, plain))
    return text, sorted(entities, key=lambda entity: (entity.offset, -entity.length))


def detect_entities(text: str) -> list[Tl]:
    """Return links, mentions, tags ... that Telegram's server detects in a text by itself."""
    return sorted(_detect(text, []), key=lambda entity: entity.offset)


def _link(offset: int, length: int, target: str) -> Tl:
    if target.startswith("user:"):
        return types.MessageEntityMentionName(offset, length, int(target.removeprefix("user:")))
    return types.MessageEntityTextUrl(offset, length, target)


def _detect(text: str, plain: list[tuple[int, int]]) -> list[Tl]:
    """Return links, mentions, tags ... outside the ranges ``plain``."""
    taken = list(plain)
    found = []
    for pattern, kind in _DETECTED:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            taken.append((start, end))
            found.append(kind(utf16(text[:start]), utf16(match[0])))
    return found
