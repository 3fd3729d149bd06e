"""Plugin fields of a file or message as parts of a note: sections, tags, properties, links.

``fields`` is the mapping stored in the archive: properties by name, and ``sections``, ``tags``, ``related`` (names of
notes), ``files`` (made from the file, each with a role and a path) and ``embed`` (the path of another form of the file,
shown instead of it). Fields of a message have ``notes`` (paths of notes made by plugins) in place of files.
``failures`` lists plugins that failed, ``plays`` is the measured duration in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tobs.render.catalogue import Translate, has_text
from tobs.render.escape import escape_name, legal_tag, one_line
from tobs.render.frontmatter import Link, Value
from tobs.render.links import wikilink
from tobs.render.markdown import quote, to_markdown

#: Fields that are not properties. A transcript is shown as text.
NO_PROPERTY = frozenset({"sections", "tags", "related", "files", "embed", "notes", "failures", "transcript", "plays"})

#: Number of passages with a player each; further ones are links to their time.
_MOST_PLAYERS = 60

#: Characters that would end a link and are removed from names.
_NO_NAME = dict.fromkeys(map(ord, "[]|#^"))


def sections_markdown(fields: Mapping[str, Any], translate: Translate, path: str = "") -> str:
    """Render the sections about the file at ``path``, each under its heading; a folded one is a closed callout.

    Headings written by the plugins of tobs are translated.
    """
    parts = []
    for section in fields.get("sections", ()):
        title, text = one_line(str(section["title"])), str(section["text"]).strip()
        if has_text(known := f"section.{title.lower()}"):
            title = translate(known)
        if section.get("plain"):
            text = to_markdown(text)
        text = "\n\n".join(part for part in (text, _passages(section.get("passages", ()), path)) if part)
        if not text:
            continue
        parts.append(quote(text, folded=True, title=title) if section.get("folded") else f"### {title}\n\n{text}")
    return "\n\n".join(parts)


def _passages(passages: Sequence[Mapping[str, Any]], path: str) -> str:
    """Render a list of passages with their times.

    The first ones have a player each; a note with hundreds of players is slow.
    """
    lines = []
    for number, passage in enumerate(passages):
        start = int(passage["start"])
        at, time = f"{path}#t={start}", _clock(start)
        if not path:
            player = time
        elif number < _MOST_PLAYERS:
            player = f"{time} {wikilink(at, embed=True)}"
        else:
            player = wikilink(at, time)
        lines.append(f"- {player} {escape_name(passage['text'])}".rstrip())
    return "\n".join(lines)


def _clock(seconds: int) -> str:
    """Format seconds as ``1:05`` or ``2:00:07``."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def field_tags(fields: Mapping[str, Any], prefix: str) -> list[str]:
    """Return the valid Obsidian tags with the prefix of the vault."""
    return [prefix + tag for tag in fields.get("tags", ()) if legal_tag(tag)]


def field_properties(files: Sequence[Mapping[str, Any]]) -> list[tuple[str, Value]]:
    """Merge the properties of several files by name; for a name that occurs twice the first value wins."""
    found: dict[str, Value] = {}
    related: dict[str, None] = {}
    failures: dict[str, None] = {}
    for fields in files:
        for name, value in fields.items():
            if name not in NO_PROPERTY:
                found.setdefault(name, value)
        related.update(dict.fromkeys(_note_link(str(note)) for note in fields.get("related", ())))
        related.update(
            dict.fromkeys(Link(wikilink(str(path), str(path).rpartition("/")[2])) for path in fields.get("notes", ()))
        )
        failures.update(dict.fromkeys(str(plugin) for plugin in fields.get("failures", ())))
    if failures:
        found["plugins_failed"] = list(failures)
    return [*sorted(found.items()), *([("related", list(related))] if related else [])]


def _note_link(name: str) -> Link:
    return Link(wikilink(one_line(name.translate(_NO_NAME))))


def produced_file(fields: Mapping[str, Any], role: str) -> str:
    """Return the path of the file that a processor made in a role (``cover``); empty if there is none."""
    return next((str(file["path"]) for file in fields.get("files", ()) if file["role"] == role), "")


def produced_paths(fields: Mapping[str, Any]) -> list[str]:
    """Return the paths of all files that processors made from a file."""
    embedded = [str(fields["embed"])] if fields.get("embed") else []
    return embedded + [str(file["path"]) for file in fields.get("files", ())]
