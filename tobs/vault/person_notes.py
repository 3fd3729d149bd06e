"""Notes of the owner about people: notes with a property ``telegram`` that names a person.

`telegram: "@anna"`, `telegram: 12345` and `telegram: https://t.me/anna` are understood, and a list of them. Links to
the person then lead to that note.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tobs.vault.decide import read_properties
from tobs.vault.layout import PEOPLE, TELEGRAM

_HEAD = 16_384
_FRONT_MATTER = re.compile(r"\ufeff?---\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_PROPERTY = re.compile(r"^telegram[ \t]*:(.*(?:\n[ \t]*-[ \t].*)*)", re.MULTILINE | re.IGNORECASE)
_NAMED = re.compile(
    r"(?<![\w@./-])(?:(?:https?://)?(?:www\.)?(?:t|telegram)\.me/|@)?"
    r"(?:(?P<id>-?\d{3,15})|(?P<name>[A-Za-z]\w{3,31}))/?(?![\w./@-])"
)
# A note with one of these in its path cannot be linked to.
_BREAKS = re.compile(r"[\[\]|#^]")


def person_notes(root: Path) -> dict[str, str]:
    """Find the owner's notes about people: a username in lower case, or a number as text -> path.

    Of two notes about one person the first by path counts. Reads the beginning of every note that is not tobs's.
    """
    found: dict[str, str] = {}
    for path in sorted(_notes(root, "")):
        for name in _names(root / path):
            found.setdefault(name, path)
    return found


def _notes(root: Path, folder: str) -> Iterator[str]:
    """Yield the notes that may be the owner's: all outside tobs's folder, and those in its folder of people."""
    try:
        with os.scandir(root / folder) as entries:
            inside = sorted(entries, key=lambda entry: entry.name)
    except OSError:  # gone meanwhile, or closed to us
        return
    for entry in inside:
        path = f"{folder}/{entry.name}" if folder else entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if folder != TELEGRAM or path == PEOPLE:
                yield from _notes(root, path)
        elif entry.name.endswith(".md") and folder != TELEGRAM and not _BREAKS.search(path):
            yield path


def _names(path: Path) -> list[str]:
    """Return the people that a note names in its property; none for a note of tobs."""
    try:
        with path.open("rb") as file:
            text = file.read(_HEAD).decode("utf-8", "replace")
    except OSError:
        return []
    front = _FRONT_MATTER.match(text)
    value = _PROPERTY.search(front[1]) if front else None
    if value is None or read_properties(text.replace("\r\n", "\n")).tobs_id:
        return []
    return [match["id"] or match["name"].lower() for match in _NAMED.finditer(value[1])]
