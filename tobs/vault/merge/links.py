"""Comparison of links by their target: Obsidian rewrites links when a note is moved, which is no edit of the owner."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

#: Where the note or file is now that a link's target named (path without `.md`), None for what tobs does not know.
NoteLocations = Callable[[str], str | None]

# Target, heading or block, alias. In a table the bar is escaped.
_WIKILINK = re.compile(r"\[\[([^\[\]\n|#]+?)((?:#[^\[\]\n|]*?)?(?:\\?\|[^\[\]\n]*)?)\]\]")


def link_targets(text: str) -> Iterator[str]:
    """Return the targets of all wikilinks and embeds of a text, as written."""
    return (match[1] for match in _WIKILINK.finditer(text))


def with_new_places(text: str, note_locations: NoteLocations) -> str:
    """Return ``text`` with the links updated that name an earlier path of a note. Other links stay as written."""

    def moved(match: re.Match[str]) -> str:
        target = match[1]
        suffix = ".md" if target.endswith(".md") else ""
        path = note_locations(target.removesuffix(suffix))
        return match[0] if path is None or path + suffix == target else f"[[{path}{suffix}{match[2]}]]"

    return _WIKILINK.sub(moved, text) if "[[" in text else text


def aligner(texts: Iterable[str], note_locations: NoteLocations) -> Callable[[str], str]:
    """Return a function that writes every link of a text with the present path of its note.

    ``texts`` are those of tobs: a short link that Obsidian made (`[[note]]`) is the link in them whose path ends so.
    """
    known: dict[str, str | None] = {}
    ends: dict[str, str | None] = {}

    def place(target: str) -> str | None:
        if target not in known:
            known[target] = note_locations(target)
        return known[target]

    for target in {target for text in texts for target in link_targets(text)}:
        path = place(target) or target
        parts = path.casefold().split("/")
        for first in range(1, len(parts)):
            end = "/".join(parts[first:])
            # Two notes of one name: such a link says nothing.
            ends[end] = path if ends.get(end, path) == path else None

    def aligned(match: re.Match[str]) -> str:
        target = match[1].strip()
        target = target.removesuffix(".md")
        return f"[[{place(target) or ends.get(target.casefold()) or target}{match[2]}]]"

    return lambda text: _WIKILINK.sub(aligned, text) if "[[" in text else text
