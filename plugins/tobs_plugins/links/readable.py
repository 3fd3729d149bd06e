"""The readable text of a web page as Markdown, without menus, banners and scripts (by trafilatura)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from msgspec import Struct

from tobs.plugin import escaped

if TYPE_CHECKING:
    from lxml.etree import _Element

#: Deepest level of nesting; real pages have fewer levels.
_DEEPEST = 40

#: Character pairs that plugins of Obsidian interpret in raw text.
_PAIRS = frozenset(["::", "==", "%%", "<%"])

_MARKS = {"#b": "**", "#i": "*"}
_MAX_TEXT = 200

#: The opening tag of Templater, disabled with a zero-width space.
_PARTED = "<\u200b%"


class Readable(Struct, frozen=True):
    """A page: its ``title`` (plain text, may be empty), its ``text`` (Markdown), its author and date."""

    title: str
    text: str
    author: str = ""
    published: str = ""


def readable(body: bytes, charset: str, url: str) -> Readable | None:
    """Extract the readable text of the page ``body``; None if there is none."""
    from lxml.etree import LxmlError
    from trafilatura import bare_extraction

    try:
        content = body.decode(charset, "replace") if charset else body
    except LookupError:
        content = body
    try:
        found = bare_extraction(
            content,
            url=url,
            include_comments=False,
            include_formatting=True,
            include_links=True,
            include_tables=True,
            with_metadata=True,
        )
    except (LxmlError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return None  # errors of the parsers for broken pages
    if found is None or isinstance(found, dict) or found.body is None:
        return None
    text = "\n\n".join(_blocks(found.body, 0)).strip()
    if not text:
        return None
    return Readable(_line(found.title), text, _line(found.author), _line(found.date))


def destination(url: str) -> str:
    """Format ``url`` as the destination of a Markdown link; empty if it is no web address."""
    if urlsplit(url).scheme.lower() not in ("http", "https"):
        return ""
    return (
        quote(url, safe="/?#@!$&'*+,;=%~-._:").replace("::", "%3A%3A").replace("==", "%3D%3D").replace("%%", "%25%25")
    )


def _line(text: object) -> str:
    return " ".join(str(text or "").split())[:_MAX_TEXT]


def _blocks(parent: _Element, depth: int) -> Iterator[str]:
    """Return the blocks in ``parent``, each as Markdown."""
    if depth > _DEEPEST:
        return
    for element in parent:
        match element.tag:
            case "head":
                level = str(element.get("rend") or "h3")[-1]
                if text := _inline(element):
                    yield f"{'#' * min(6, max(2, int(level) if level.isdigit() else 3))} {text}"
            case "list":
                yield _list(element)
            case "quote":
                inner = "\n\n".join(_blocks(element, depth + 1)) if len(element) else _inline(element)
                yield "\n".join(f"> {line}".rstrip() for line in inner.splitlines())
            case "code":
                yield _code("".join(element.itertext()))
            case "table":
                yield _table(element)
            case "div" | "body" | "main" | "section":
                yield from _blocks(element, depth + 1)
            case _:
                if text := _inline(element):
                    yield text


def _inline(element: _Element, depth: int = 0) -> str:
    """Return the text of ``element`` and its children; only ``lb`` starts a new line."""
    text = _plain(element.text)
    for child in element if depth < _DEEPEST else ():
        for part in (_span(child, depth), _plain(child.tail)):
            # Pairs are escaped inside each part; here also between two parts.
            text += f"\\{part}" if text[-1:] + part[:1] in _PAIRS else part
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _span(child: _Element, depth: int) -> str:
    if child.tag == "lb":
        return "\n"
    if child.tag == "code":
        code = " ".join("".join(child.itertext()).split()).replace("`", "'").replace("<%", _PARTED)
        return f"`{code}`" if code and not code.startswith(("=", "$=")) else escaped(code)
    text = _inline(child, depth + 1).replace("\n", " ")
    if not text:
        return ""
    if child.tag == "ref":
        target = destination(str(child.get("target") or ""))
        return f"[{text}]({target})" if target else text
    mark = _MARKS.get(str(child.get("rend")), "") if child.tag == "hi" else ""
    return f"{mark}{text}{mark}"


def _plain(text: str | None) -> str:
    """Escape text between elements: line ends in it are spaces, spaces at its ends stay."""
    if not text:
        return ""
    words = " ".join(text.split())
    return f"{' ' if text[:1].isspace() else ''}{escaped(words)}{' ' if words and text[-1:].isspace() else ''}"


def _list(element: _Element) -> str:
    is_numbered = element.get("rend") == "ol"
    items = [_inline(item).replace("\n", " ") for item in element if item.tag == "item"]
    return "\n".join(f"{f'{n}.' if is_numbered else '-'} {text}" for n, text in enumerate(items, 1) if text)


def _code(code: str) -> str:
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence, code.replace("<%", _PARTED).strip("\n"), fence])


def _table(element: _Element) -> str:
    rows = [[_inline(cell).replace("\n", " ") for cell in row if cell.tag == "cell"] for row in element.iter("row")]
    rows = [row for row in rows if any(row)]
    if not rows:
        return ""
    width = max(len(row) for row in rows)
    lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in rows]
    return "\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])
