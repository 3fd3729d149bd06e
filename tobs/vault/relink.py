"""Links that people wrote, updated to the present places: wikilinks and Markdown links of notes, files of canvases.

Only the links change; every other byte stays as its owner has it.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

#: Where a link to a note of the old layout leads now: its path with `.md` and the block it names (`^m5`, or empty) in,
#: the new path without `.md` and with its block out; None for every other link.
Successors = Callable[[str, str], str | None]

_WIKILINK = re.compile(r"(!?)\[\[([^\[\]\n|#]+?)(#[^\[\]\n|]*?)?((?:\\?\|)[^\[\]\n]*)?\]\]")
# Obsidian writes spaces as %20 and leaves brackets as they are; people put a target with spaces into <>.
_LINK = re.compile(r"(\]\()((?:[^()<>\s#]|\([^()<>\s#]*\))+?\.md)(#[^()<>\s]*)?(?=[)\s])")
_POINTED = re.compile(r"(\]\(<)([^<>\n#]+?\.md)(#[^<>\n]*)?(?=>)")
# An object without objects in it, as the nodes of a canvas are; a string may hold brackets.
_STRING = r'"(?:[^"\\]|\\.)*"'
_FLAT = re.compile(rf'\{{(?:[^{{}}"]|{_STRING})*\}}')
_SUBPATH = re.compile(rf'(?P<before>,\s*)?"subpath"\s*:\s*{_STRING}(?(before)|\s*,)')


def relinked(text: str, successors: Successors, folder: str = "") -> str:
    """Return ``text`` of a note in ``folder`` with its links to notes of the old layout changed to the new ones. A link
    without a text of its own gets the old note's name as text."""

    def found_at(target: str, part: str | None) -> str | None:
        path = target if target.endswith(".md") else f"{target}.md"
        if path.startswith("."):
            path = posixpath.normpath(posixpath.join(folder, path))
        return successors(path, (part or "").removeprefix("#"))

    def wikilink(match: re.Match[str]) -> str:
        mark, target, part, alias = match[1], match[2], match[3] or "", match[4] or ""
        found = found_at(target.removesuffix(".md"), part)
        if found is None:
            return match[0]
        name = target.removesuffix(".md").rpartition("/")[2]
        return f"{mark}[[{found}{alias or ('' if mark or '#' not in found else f'|{name}')}]]"

    def link(match: re.Match[str]) -> str:
        found = found_at(unquote(match[2]), match[3])
        if found is None:
            return match[0]
        path, _, part = found.partition("#")
        return f"{match[1]}{quote(path)}.md{f'#{part}' if part else ''}"

    def pointed(match: re.Match[str]) -> str:
        found = found_at(unquote(match[2]), match[3])
        if found is None:
            return match[0]
        path, _, part = found.partition("#")
        return f"{match[1]}{path}.md{f'#{part}' if part else ''}"

    text = _WIKILINK.sub(wikilink, text) if "[[" in text else text
    return _POINTED.sub(pointed, _LINK.sub(link, text)) if ".md" in text else text


def relinked_canvas(text: str, successors: Successors) -> str:
    """Return ``text`` of a canvas (JSON Canvas 1.0) with its files and the links on its cards changed to the new notes;
    unchanged if it is not a canvas."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _FLAT.sub(lambda match: _relinked_node(match[0], successors), text)


def _relinked_node(source: str, successors: Successors) -> str:
    """Return a node of a canvas in its own JSON, with updated links."""
    try:
        node: dict[str, Any] = json.loads(source)
    except ValueError:
        return source  # brackets within a string
    kind, file, card = (node.get(name) for name in ("type", "file", "text"))
    if kind == "text" and isinstance(card, str):
        new = relinked(card, successors)
        return source if new == card else _with_value(source, "text", new)
    if kind != "file" or not isinstance(file, str):
        return source
    part = node.get("subpath")
    found = successors(file, part.removeprefix("#") if isinstance(part, str) else "")
    if found is None:
        return source
    path, _, block = found.partition("#")
    source = _with_value(source, "file", f"{path}.md")
    if "subpath" not in node:
        added = f',"subpath":{json.dumps(f"#{block}")}' if block else ""
        return _value_of("file").sub(lambda match: match[0] + added, source, count=1)
    return _with_value(source, "subpath", f"#{block}") if block else _SUBPATH.sub("", source, count=1)


def _with_value(source: str, name: str, value: str) -> str:
    """Return a flat JSON object with another text as the value of ``name``, which it has."""
    written = json.dumps(value, ensure_ascii=False)
    return _value_of(name).sub(lambda match: match[1] + written, source, count=1)


def _value_of(name: str) -> re.Pattern[str]:
    """Return the pattern of a key and its text; within a string the quotes would have backslashes."""
    return re.compile(rf'("{name}"\s*:\s*){_STRING}')
