"""What each entity becomes within one line: a style, a link, or a leaf that stands instead of its text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from tobs.render.escape import SPECIAL, TAG_CHAR, escape_label, escape_name, legal_tag, one_line
from tobs.render.links import LinkTargets, destination, web_url
from tobs.render.spans import Span


class Mark(Struct, frozen=True, gc=False):
    """A style, link or leaf over part of a line (offsets of the line); ``value`` is its address, path or text."""

    style: str
    start: int
    end: int
    value: str = ""


#: An entity of tobs' own: a picture within a line (``custom_emoji_id`` its file, ``url`` its size, ``20x14``).
PICTURE = "picture"

# Outermost first among ranges of one length. Underline and spoiler have no delimiters and are HTML.
RANK = {"bold": 0, "italic": 1, "strike": 2, "link": 3, "unsafe": 3}
HTML_RANK = {"bold": 0, "italic": 1, "underline": 2, "spoiler": 3}
_STYLES = {
    "bold": "bold",
    "italic": "italic",
    "strikethrough": "strike",
    "diff_delete": "strike",
    "diff_insert": "underline",
    "diff_replace": "underline",
    "underline": "underline",
    "spoiler": "spoiler",
}
_LEAF_RANK = {"code": 0, "picture": 1, "wiki": 2, "url": 3, "tag": 4}
_TAG_NEXT = re.compile(f"[{TAG_CHAR}]")
# One that may begin emphasis. Those that may only end it end nothing: no other is left unescaped.
_OPEN_UNDERSCORE = re.compile(r"(?:^|\W)_")
_HTTP = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
_AUTOLINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>\x00-\x1f]*")
# What a parser leaves out of an address that it finds bare; what is written with a backslash would be taken in.
_BARE_NEXT = re.compile(r"(?:[?!.,)]|:(?!:))*(?:\s|$)")
_BARE_BEFORE = frozenset(" \t\n(\"'«“„")
_NOT_IN_ANGLES = re.compile(r"\[\[|\]\]|%%|::|\\|&#?\w{1,31};")


def line_marks(
    line: str, offset: int, found: Sequence[Span], prefix: str, targets: LinkTargets
) -> tuple[list[Mark], list[Mark]]:
    """The styles (links among them) and the leaves of a line that begins at ``offset`` of the text."""
    styles: list[Mark] = []
    leaves: list[Mark] = []
    length = len(line)
    for span in found:
        start = max(span.start - offset, 0)
        end = min(span.end - offset, length)
        if start >= end:
            continue
        style = _STYLES.get(span.kind)
        if style is not None:
            styles.append(Mark(style, start, end))
        elif (make := MAKERS.get(span.kind)) is not None:
            mark = make(line, start, end, span, prefix, targets)
            if mark is not None:
                (styles if mark.style in RANK else leaves).append(mark)
    if styles:
        styles = _trim(line, _merge(styles) if len(styles) > 1 else styles)
    if leaves and (styles or len(leaves) > 1):
        return _settle(line, styles, leaves)
    return styles, leaves


def _code(line: str, start: int, end: int, span: Span, prefix: str, targets: LinkTargets) -> Mark | None:
    return None if line[start:end].isspace() else Mark("code", start, end)


def _text_link(line: str, start: int, end: int, span: Span, prefix: str, targets: LinkTargets) -> Mark | None:
    address = span.entity.url.strip()
    url = web_url(address)
    if url is None:
        address = escape_free(address)
        return Mark("unsafe", start, end, address) if address else None
    path = None if targets.is_empty else targets.url(url)
    return Mark("wiki", start, end, path) if path else Mark("link", start, end, url)


def escape_free(text: str) -> str:
    """An address that is only shown: one line, no control characters."""
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]+", " ", text).strip()


def _text_mention(line: str, start: int, end: int, span: Span, prefix: str, targets: LinkTargets) -> Mark | None:
    user = span.entity.user_id
    if not user:
        return None
    path = targets.user(user)
    return Mark("wiki", start, end, path) if path else Mark("link", start, end, f"tg://user?id={user}")


def _mention(line: str, start: int, end: int, span: Span, prefix: str, targets: LinkTargets) -> Mark | None:
    path = None if targets.is_empty else targets.username(line[start:end].lstrip("@"))
    return Mark("wiki", start, end, path) if path else None


def _url(line: str, start: int, end: int, span: Span, prefix: str, targets: LinkTargets) -> Mark | None:
    raw = line[start:end]
    url = web_url(raw)
    if url is None:
        return Mark("code", start, end)
    if not targets.is_empty and (path := targets.url(url)):
        return Mark("wiki", start, end, path)
    return Mark("url", start, end) if url == raw else Mark("link", start, end, url)


def _hashtag(line: str, start: int, end: int, span: Span, prefix: str, targets: LinkTargets) -> Mark | None:
    name, at, rest = line[start + 1 : end].partition("@")
    if line[start] != "#" or not legal_tag(name) or _OPEN_UNDERSCORE.search(name):
        return None
    tail = escape_name(f"{at}{rest}") if at else ""
    if not at and end < len(line) and _TAG_NEXT.match(line, end):
        # The tag would go on into what follows; a backslash ends it where one may stand.
        if line[end] not in "-_/":
            return None
        tail = ""
    return Mark("tag", start, end, f"#{prefix}{name}{tail}")


def _picture(line: str, start: int, end: int, span: Span, prefix: str, targets: LinkTargets) -> Mark | None:
    path = targets.picture(span.entity.custom_emoji_id)
    size = f"|{span.entity.url}" if span.entity.url else ""
    return Mark("picture", start, end, f"![[{path}{size}]]") if path else None


MAKERS = {
    PICTURE: _picture,
    "code": _code,
    "pre": _code,
    "text_link": _text_link,
    "text_mention": _text_mention,
    "mention": _mention,
    "url": _url,
    "hashtag": _hashtag,
}


def url_markdown(line: str, mark: Mark) -> str:
    """A web address: bare where every parser finds just it, else in angles, else as a link."""
    raw = line[mark.start : mark.end]
    before = line[mark.start - 1] if mark.start else " "
    if before in _BARE_BEFORE and _BARE_NEXT.match(line, mark.end) and not SPECIAL.search(raw) and _HTTP.fullmatch(raw):
        return raw
    if _AUTOLINK.fullmatch(raw) and not _NOT_IN_ANGLES.search(raw):
        return f"<{raw}>"
    label = escape_label(one_line(raw))
    if label.endswith("\\]"):
        label = f"{label[:-2]}&#93;"
    return f"[{label}]({destination(raw)})"


def _merge(styles: list[Mark]) -> list[Mark]:
    """Marks of one style that touch or overlap become one; of two links that overlap the first stays."""
    kinds: dict[tuple[str, str], list[Mark]] = {}
    linked_to = 0
    for mark in sorted(styles, key=lambda mark: (mark.start, -mark.end)):
        if mark.value:
            if mark.start < linked_to:
                if mark.end <= linked_to:
                    continue
                mark = replace(mark, start=linked_to)
            linked_to = mark.end
        row = kinds.setdefault((mark.style, mark.value), [])
        if row and row[-1].end >= mark.start:
            row[-1] = replace(row[-1], end=max(row[-1].end, mark.end))
        else:
            row.append(mark)
    return [mark for row in kinds.values() for mark in row]


def _trim(line: str, styles: list[Mark]) -> list[Mark]:
    """Without the spaces at their edges; those of nothing but space vanish."""
    trimmed: list[Mark] = []
    for mark in styles:
        text = line[mark.start : mark.end]
        bare = text.strip()
        if len(bare) == len(text):
            trimmed.append(mark)
        elif bare:
            start = mark.start + len(text) - len(text.lstrip())
            trimmed.append(replace(mark, start=start, end=start + len(bare)))
    return trimmed


def _settle(line: str, styles: list[Mark], leaves: list[Mark]) -> tuple[list[Mark], list[Mark]]:
    """No leaf overlaps another, stands in a link (but code, and a picture, which parts it), or is cut by a style."""
    kept: list[Mark] = []
    leaves = _join_code(sorted(leaves, key=lambda leaf: leaf.start))
    links = [mark for mark in styles if mark.value]
    for leaf in sorted(leaves, key=lambda leaf: (_LEAF_RANK[leaf.style], leaf.start)):
        if any(leaf.start < other.end and other.start < leaf.end for other in kept):
            continue
        if leaf.style not in ("code", "picture") and any(
            leaf.start < link.end and link.start < leaf.end for link in links
        ):
            continue
        if leaf.style == "wiki":
            styles = [_around(mark, leaf) for mark in styles]
        elif leaf.style not in ("code", "picture") and any(
            _cuts(mark, leaf) or _in_html(mark, leaf) for mark in styles
        ):
            if leaf.style == "url":
                links.append(Mark("link", leaf.start, leaf.end, line[leaf.start : leaf.end]))
                styles.append(links[-1])
            continue
        kept.append(leaf)
    return styles, sorted(kept, key=lambda leaf: leaf.start)


def _in_html(mark: Mark, leaf: Mark) -> bool:
    """Whether an address would stand in an HTML element, where it would be escaped."""
    return (
        leaf.style == "url"
        and mark.style in ("underline", "spoiler")
        and mark.start < leaf.end
        and leaf.start < mark.end
    )


def _cuts(mark: Mark, leaf: Mark) -> bool:
    return leaf.start < mark.start < leaf.end or leaf.start < mark.end < leaf.end


def _around(mark: Mark, leaf: Mark) -> Mark:
    """``mark`` with no border inside ``leaf``."""
    start = leaf.start if leaf.start < mark.start < leaf.end else mark.start
    end = leaf.end if leaf.start < mark.end < leaf.end else mark.end
    return replace(mark, start=start, end=end)


def _join_code(leaves: list[Mark]) -> list[Mark]:
    """Code that touches or overlaps code becomes one."""
    joined: list[Mark] = []
    code = -1
    for leaf in leaves:
        if leaf.style != "code":
            joined.append(leaf)
        elif code >= 0 and joined[code].end >= leaf.start:
            joined[code] = replace(joined[code], end=max(joined[code].end, leaf.end))
        else:
            code = len(joined)
            joined.append(leaf)
    return joined


__all__ = ["HTML_RANK", "MAKERS", "RANK", "Mark", "line_marks", "url_markdown"]
