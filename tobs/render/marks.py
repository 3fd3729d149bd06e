"""Entities inside one line as marks: a style, a link, or an atom written instead of the text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from tobs.render.escape import SPECIAL, TAG_CHAR, escape_label, escape_name, legal_tag, one_line
from tobs.render.links import LinkTargets, destination, web_url
from tobs.render.spans import Span


class Mark(Struct, frozen=True, gc=False):
    """A style, link or atom over part of a line (offsets in the line); ``value`` is its address, path or text."""

    style: str
    start: int
    end: int
    value: str = ""


#: Entity kind defined by tobs: a picture inside a line (``custom_emoji_id`` its file, ``url`` its size, ``20x14``).
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
_ATOM_RANK = {"code": 0, "picture": 1, "wiki": 2, "url": 3, "tag": 4}
_TAG_NEXT = re.compile(f"[{TAG_CHAR}]")
# Underscore that may begin emphasis. One that can only end it has no effect, because all others are escaped.
_OPEN_UNDERSCORE = re.compile(r"(?:^|\W)_")
_HTTP = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
_AUTOLINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>\x00-\x1f]*")
# Text after a bare address that parsers exclude from it; an escaped character would be included.
_BARE_NEXT = re.compile(r"(?:[?!.,)]|:(?!:))*(?:\s|$)")
_BARE_BEFORE = frozenset(" \t\n(\"'«“„")
_NOT_IN_ANGLES = re.compile(r"\[\[|\]\]|%%|::|\\|&#?\w{1,31};")


def line_marks(
    line: str, offset: int, spans: Sequence[Span], prefix: str, targets: LinkTargets
) -> tuple[list[Mark], list[Mark]]:
    """Return the styles (including links) and the atoms of a line that begins at ``offset`` of the text."""
    styles: list[Mark] = []
    atoms: list[Mark] = []
    length = len(line)
    for span in spans:
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
                (styles if mark.style in RANK else atoms).append(mark)
    if styles:
        styles = _trim(line, _merge(styles) if len(styles) > 1 else styles)
    if atoms and (styles or len(atoms) > 1):
        return _resolve_overlaps(line, styles, atoms)
    return styles, atoms


def _code(line: str, start: int, end: int, span: Span, prefix: str, targets: LinkTargets) -> Mark | None:
    return None if line[start:end].isspace() else Mark("code", start, end)


def _text_link(line: str, start: int, end: int, span: Span, prefix: str, targets: LinkTargets) -> Mark | None:
    address = span.entity.url.strip()
    url = web_url(address)
    if url is None:
        address = _one_line_address(address)
        return Mark("unsafe", start, end, address) if address else None
    path = None if targets.is_empty else targets.url(url)
    return Mark("wiki", start, end, path) if path else Mark("link", start, end, url)


def _one_line_address(text: str) -> str:
    """Return an address for display: one line, no control characters."""
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
        # The following text would extend the tag; a backslash ends it before these characters.
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
    """Render a web address: bare if every parser finds exactly it, else in angle brackets, else as a link."""
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
    """Merge touching or overlapping marks of one style; of two overlapping links the first wins."""
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
    """Remove spaces at the edges of styles, and styles of nothing but spaces."""
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


def _resolve_overlaps(line: str, styles: list[Mark], atoms: list[Mark]) -> tuple[list[Mark], list[Mark]]:
    """Remove atoms that overlap another atom, stand in a link, or are cut by a style.

    Code and pictures may stand in a link; a picture splits it.
    """
    accepted: list[Mark] = []
    atoms = _join_code(sorted(atoms, key=lambda atom: atom.start))
    links = [mark for mark in styles if mark.value]
    for atom in sorted(atoms, key=lambda atom: (_ATOM_RANK[atom.style], atom.start)):
        if any(atom.start < other.end and other.start < atom.end for other in accepted):
            continue
        if atom.style not in ("code", "picture") and any(
            atom.start < link.end and link.start < atom.end for link in links
        ):
            continue
        if atom.style == "wiki":
            styles = [_widened(mark, atom) for mark in styles]
        elif atom.style not in ("code", "picture") and any(
            _cuts(mark, atom) or _in_html(mark, atom) for mark in styles
        ):
            if atom.style == "url":
                links.append(Mark("link", atom.start, atom.end, line[atom.start : atom.end]))
                styles.append(links[-1])
            continue
        accepted.append(atom)
    return styles, sorted(accepted, key=lambda atom: atom.start)


def _in_html(mark: Mark, atom: Mark) -> bool:
    """Return whether an address would stand in an HTML element, where it would be escaped."""
    return (
        atom.style == "url"
        and mark.style in ("underline", "spoiler")
        and mark.start < atom.end
        and atom.start < mark.end
    )


def _cuts(mark: Mark, atom: Mark) -> bool:
    return atom.start < mark.start < atom.end or atom.start < mark.end < atom.end


def _widened(mark: Mark, atom: Mark) -> Mark:
    """Move a border of ``mark`` that lies inside ``atom`` to the edge of the atom."""
    start = atom.start if atom.start < mark.start < atom.end else mark.start
    end = atom.end if atom.start < mark.end < atom.end else mark.end
    return replace(mark, start=start, end=end)


def _join_code(atoms: list[Mark]) -> list[Mark]:
    """Merge code that touches or overlaps code."""
    joined: list[Mark] = []
    code = -1
    for atom in atoms:
        if atom.style != "code":
            joined.append(atom)
        elif code >= 0 and joined[code].end >= atom.start:
            joined[code] = replace(joined[code], end=max(joined[code].end, atom.end))
        else:
            code = len(joined)
            joined.append(atom)
    return joined


__all__ = ["HTML_RANK", "MAKERS", "RANK", "Mark", "line_marks", "url_markdown"]
