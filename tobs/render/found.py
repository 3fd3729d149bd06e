"""What processors found out about a file, as parts of a note: sections, tags, properties, links.

``fields`` is what the archive keeps of a file: properties by their names, and beside them ``sections``, ``tags``,
``related`` (names of notes), ``files`` (made from it, each with a role and a path) and ``embed`` (the path of
another form of the file, which is shown instead).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tobs.render.escape import legal_tag, one_line
from tobs.render.frontmatter import Link, Value
from tobs.render.links import wikilink
from tobs.render.markdown import quote

#: Entries that are no properties. A transcript is shown as text.
NO_PROPERTY = frozenset({"sections", "tags", "related", "files", "embed", "transcript"})

#: What no note's name holds, because it would end a link.
_NO_NAME = dict.fromkeys(map(ord, "[]|#^"))


def sections_markdown(fields: Mapping[str, Any]) -> str:
    """The sections, each under its heading; a folded one is a closed callout."""
    parts = []
    for section in fields.get("sections", ()):
        title, text = one_line(str(section["title"])), str(section["text"]).strip()
        if not text:
            continue
        parts.append(quote(text, folded=True, title=title) if section.get("folded") else f"### {title}\n\n{text}")
    return "\n\n".join(parts)


def found_tags(fields: Mapping[str, Any], prefix: str) -> list[str]:
    """The tags that Obsidian takes for one, with the vault's prefix."""
    return [prefix + tag for tag in fields.get("tags", ()) if legal_tag(tag)]


def found_properties(files: Sequence[Mapping[str, Any]]) -> list[tuple[str, Value]]:
    """The properties of several files, by name; of one that two files have, the first one's counts."""
    found: dict[str, Value] = {}
    related: dict[str, None] = {}
    for fields in files:
        for name, value in fields.items():
            if name not in NO_PROPERTY:
                found.setdefault(name, value)
        related.update(dict.fromkeys(_note_link(str(note)) for note in fields.get("related", ())))
    return [*sorted(found.items()), *([("related", list(related))] if related else [])]


def _note_link(name: str) -> Link:
    return Link(wikilink(one_line(name.translate(_NO_NAME))))


def made_file(fields: Mapping[str, Any], role: str) -> str:
    """The path of the file a processor made in a role (``cover``); empty when there is none."""
    return next((str(file["path"]) for file in fields.get("files", ()) if file["role"] == role), "")


def made_paths(fields: Mapping[str, Any]) -> list[str]:
    """The paths of all files that processors made from one."""
    embedded = [str(fields["embed"])] if fields.get("embed") else []
    return embedded + [str(file["path"]) for file in fields.get("files", ())]
