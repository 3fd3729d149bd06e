"""Front matter: a small writer of flat properties, and the hash of the text written by tobs.

Strings are always double-quoted, so that YAML 1.1 and 1.2 parsers read the same; date-times are written without quotes
(``2024-01-02T03:04:05``), as Obsidian expects. The emitters of PyYAML would take longer than the rest of a note and
leave ``1e3`` unquoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from math import isfinite
from typing import Any

from tobs.render.escape import ZERO_WIDTH


class Link(str):
    """A property value that is a wikilink made by tobs (``[[path|name]]``); in all other strings brackets are
    separated.
    """

    __slots__ = ()


Value = str | int | float | bool | datetime | Sequence[str] | None

# Characters that a YAML parser would read differently or that a plugin would interpret in a property.
_NEEDS_ESCAPE = re.compile(
    r'["\\\x00-\x1f\x7f-\xa0\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]'
    r"|<%|\[(?=\[)"
)
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "<%": "<\\x25", "[": f"[{ZERO_WIDTH}"}
_UNPREFIXED = frozenset({"tobs_id", "tobs_hash", "tags", "aliases", "cssclasses"})
_HASH_LINE = re.compile(r'^tobs_hash: "?[0-9a-f]*"?\r?\n', re.MULTILINE)
_HASH_LENGTH = 32


def _escape(match: re.Match[str]) -> str:
    token = match[0]
    short = _ESCAPES.get(token)
    if short is not None:
        return short
    code = ord(token)
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _escape_in_link(match: re.Match[str]) -> str:
    return "[" if match[0] == "[" else _escape(match)


def quoted(text: str) -> str:
    """Write a YAML double-quoted scalar that reads back as ``text``."""
    # Fast path for plain text: the regular expression is slower.
    is_plain = text.isascii() and text.isprintable() and '"' not in text and "\\" not in text and "<%" not in text
    if is_plain and (type(text) is Link or "[[" not in text):
        return f'"{text}"'
    return f'"{_NEEDS_ESCAPE.sub(_escape_in_link if type(text) is Link else _escape, text)}"'


def _number(value: float) -> str:
    text = repr(value)
    if "e" in text and "." not in text:
        return text.replace("e", ".0e")  # YAML 1.1 takes 1e+21 for a string.
    return text


#: Writers of values by type.
_WRITERS: dict[type, Callable[[Any], str]] = {
    str: quoted,
    Link: quoted,
    int: repr,
    float: _number,
    bool: lambda value: "true" if value else "false",
    datetime: lambda value: value.replace(tzinfo=None).isoformat("T", "seconds"),
}


def front_matter(properties: Iterable[tuple[str, Value]], prefix: str = "") -> str:
    """Write the front matter with its ``---`` lines. Empty values (None, "", []) are left out.

    A list is always written as a list, one item per line. ``prefix`` is added to every name except ``tobs_id``,
    ``tobs_hash`` and the names Obsidian defines.
    """
    lines = ["---\n"]
    for name, value in properties:
        if value is None or value == "" or value == ():
            continue
        if prefix and name not in _UNPREFIXED:
            name = prefix + name
        if (write := _WRITERS.get(type(value))) is not None:
            if type(value) is not float or isfinite(value):
                lines.append(f"{name}: {write(value)}\n")
        elif isinstance(value, Sequence) and value:
            lines.append(f"{name}:\n")
            lines += [f"  - {quoted(item)}\n" for item in value]
    lines.append("---\n")
    return "".join(lines)


def property_name(name: str, prefix: str) -> str:
    """Return the name of a property in a vault with this prefix."""
    return name if name in _UNPREFIXED else prefix + name


def with_hash(text: str) -> str:
    """Insert ``tobs_hash`` after the first property of a note."""
    at = text.index("\n", 4) + 1
    return f'{text[:at]}tobs_hash: "{_digest(text)}"\n{text[at:]}'


def body_of(text: str) -> str:
    """Return the text below the front matter of a rendered note."""
    return text[text.index("\n---\n", 3) + 5 :].strip("\n")


def with_body(text: str, body: str, *, failed: Sequence[str] = (), prefix: str = "") -> str:
    """Replace the body of a rendered note; names in ``failed`` are added to its property ``plugins_failed``."""
    end = text.index("\n---\n", 3) + 1
    head = _HASH_LINE.sub("", text[:end], count=1)
    if failed:
        name = f"{property_name('plugins_failed', prefix)}:\n"
        items = "".join(f"  - {quoted(one)}\n" for one in failed)
        head = head.replace(f"\n{name}", f"\n{name}{items}", 1) if f"\n{name}" in head else f"{head}{name}{items}"
    return with_hash(f"{head}---\n\n{body}\n" if body else f"{head}---\n")


def managed_hash(text: str) -> str:
    """Hash a note without the ``tobs_hash`` line of its front matter."""
    end = text.find("\n---", 3) + 1
    match = _HASH_LINE.search(text, 0, end) if end else None
    return _digest(text[: match.start()] + text[match.end() :] if match else text)


def stored_hash(text: str) -> str:
    """Return the ``tobs_hash`` of a note; empty if it has none."""
    end = text.find("\n---", 3) + 1
    match = _HASH_LINE.search(text, 0, end) if end else None
    return match[0].partition(":")[2].strip().strip('"') if match else ""


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
