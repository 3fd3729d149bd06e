"""Files of tobs in Obsidian's own folder: types of properties, and a style sheet for spoilers. Nothing else.

The owner's choices stay: only a property without a type gets one, and an edited style sheet is not changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from tobs.model.outcomes import NoteOutcome
from tobs.vault.decide import plain_text
from tobs.vault.read import read_batch
from tobs.vault.writer import NoteFile, write_batch

TYPES = ".obsidian/types.json"
SNIPPET = ".obsidian/snippets/tobs.css"

PropertyType = Literal["text", "multitext", "number", "checkbox", "date", "datetime", "tags", "aliases"]

#: Obsidian knows these names by itself; like the marks by which tobs knows a note, they never carry a prefix.
UNPREFIXED = frozenset({"tobs_id", "tobs_hash", "tags", "aliases", "cssclasses"})

#: The type of every property tobs writes: one for a name in the whole vault. Links are text.
PROPERTY_TYPES: dict[str, PropertyType] = {
    "tobs_id": "text",
    "tobs_hash": "text",
    "aliases": "aliases",
    "tags": "tags",
    "date": "datetime",
    "date_unix": "number",
    "chat": "text",
    "sender": "text",
    "senders": "multitext",
    "topic": "text",
    "post": "text",
    "saved_from": "text",
    "story_id": "number",
    "reply_to": "text",
    "forwarded_from": "text",
    "kept_from": "text",
    "link": "text",
    "message_id": "number",
    "edited": "datetime",
    "deleted": "checkbox",
    "views": "number",
    "forwards": "number",
    "reactions": "multitext",
    "media": "multitext",
    "cover": "text",
    "related": "multitext",
    "plugins_failed": "multitext",
    "title": "text",
    "performer": "text",
    "album": "text",
    "genre": "text",
    "year": "number",
    "track": "number",
    "duration": "number",
    "bitrate": "number",
    "loudness": "number",
    "replaygain_track_gain": "number",
    "replaygain_album_gain": "number",
    "size": "number",
    "format": "text",
    "sha256": "text",
    "transcript_language": "text",
    "pages": "number",
    "chat_kind": "text",
    "chat_username": "text",
    "username": "text",
    "icon": "text",
    "closed": "checkbox",
    "pinned": "checkbox",
    "hidden": "checkbox",
    "messages": "number",
    "members": "number",
    "first_message": "datetime",
    "last_message": "datetime",
}

_CSS = """\
.tg-spoiler {
  background-color: var(--text-normal);
  border-radius: var(--radius-s);
  color: transparent;
  transition: background-color 0.15s, color 0.15s;
}

.tg-spoiler:hover,
.tg-spoiler:active,
.cm-active .tg-spoiler {
  background-color: transparent;
  color: inherit;
}
"""


def update_settings(root: Path, *, prefix: str = "", more: Mapping[str, PropertyType] = {}) -> dict[str, NoteOutcome]:
    """Update the two files; return the outcome of each. ``more`` are properties of templates and plugins.

    A file that is up to date is not written; a file that tobs does not understand is left alone (`preserved`). Raises
    VaultUnwritable.
    """
    types_found, css_found = read_batch(root, (TYPES, SNIPPET))
    new = {TYPES: merge_types(types_found, property_types(prefix, more)), SNIPPET: snippet(css_found)}
    found = {TYPES: types_found, SNIPPET: css_found}
    outcomes: dict[str, NoteOutcome] = {}
    files = []
    for path, text in new.items():
        if text is None:
            outcomes[path] = "preserved"
        elif found[path] is not None and plain_text(found[path] or b"") == text:
            outcomes[path] = "unchanged"
        else:
            outcomes[path] = "created" if found[path] is None else "updated"
            files.append(NoteFile(path, text))
    write_batch(root, files)
    return outcomes


def property_types(prefix: str = "", more: Mapping[str, PropertyType] = {}) -> dict[str, PropertyType]:
    """Return the types of all properties under the names they have in this vault."""
    merged = PROPERTY_TYPES | {name: kind for name, kind in more.items() if name not in PROPERTY_TYPES}
    return {name if name in UNPREFIXED else prefix + name: kind for name, kind in merged.items()}


def merge_types(found: bytes | None, wanted: Mapping[str, PropertyType]) -> str | None:
    """Return the text of types.json with ``wanted`` added where the owner has set no type; None if it cannot be read.

    A file that needs nothing is returned unchanged, to the byte.
    """
    text = "" if found is None else plain_text(found)
    if text is None:
        return None
    try:
        whole: Any = json.loads(text) if text.strip() else {}
    except ValueError:
        return None
    types = whole.setdefault("types", {}) if isinstance(whole, dict) else None
    if not isinstance(types, dict):
        return None
    # Obsidian compares property names without case.
    taken = {name.casefold() for name in types}
    lacking = {name: kind for name, kind in wanted.items() if name.casefold() not in taken}
    if not lacking and found is not None:
        return text
    types.update(lacking)
    return json.dumps(whole, indent=2, ensure_ascii=False)


def snippet(found: bytes | None) -> str | None:
    """Return the style sheet as it should be; None if the owner has edited the present one.

    Its first line has the hash of the rest, which separates an older one of tobs from an edited one.
    """
    if found is None:
        return _signed(_CSS)
    text = plain_text(found)
    if text is None or text != _signed(text.partition("\n")[2]):
        return None
    return _signed(_CSS)


def _signed(css: str) -> str:
    digest = hashlib.sha256(css.encode()).hexdigest()[:16]
    return f"/* Written by tobs ({digest}). Edit it and it is yours: tobs then leaves it alone. */\n{css}"
