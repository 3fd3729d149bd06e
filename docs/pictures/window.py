"""Notes of a vault as HTML, laid out the way Obsidian shows them: file tree, properties, rendered Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from markdown_it import MarkdownIt
from mutagen import File as read_audio

_PICTURES = (".jpg", ".png", ".webp", ".svg")
_SOUNDS = (".mp3", ".ogg", ".flac", ".m4a", ".opus")

#: Line icons, 24 × 24.
_ICONS = {
    "text": '<path d="M4 7h16M4 12h16M4 17h10"/>',
    "number": '<path d="M5 9h15M4 15h15M10 4 8 20M16 4l-2 16"/>',
    "datetime": '<rect x="4" y="5" width="16" height="16" rx="2"/><path d="M4 10h16M8 3v4M16 3v4M12 14v3h2"/>',
    "multitext": '<path d="M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01"/>',
    "tags": '<path d="M3 4h8l10 10-8 7L3 12z"/><path d="M7.5 8h.01"/>',
    "aliases": '<path d="M14 5l6 6-6 6M20 11H9a5 5 0 0 0-5 5v3"/>',
    "open": '<path d="m6 9 6 6 6-6"/>',
    "shut": '<path d="m9 6 6 6-6 6"/>',
    "vault": '<path d="m8 10 4-4 4 4M8 14l4 4 4-4"/>',
    "new": '<path d="M12 4H4v16h16v-8"/><path d="M18.400 3.600a2 2 0 0 1 2.800 2.800L13 14.600l-4 1 1-4z"/>',
    "folder": '<path d="M3 19V5h6l2.5 3H21v11zM12 11v5M9.500 13.500h5"/>',
    "sort": '<path d="m4 16 3 3 3-3M7 19V5M13 5h8M13 10h6M13 15h4"/>',
}


class Pane(NamedTuple):
    """A note to show, with its properties open or folded."""

    path: str
    folded: bool = False


class Window(NamedTuple):
    """A vault, its notes to show (the first is the active one) and the folders open in the file tree."""

    vault: Path
    panes: tuple[Pane, ...]
    open_folders: tuple[str, ...]


def window_html(window: Window, css: str) -> str:
    """The whole window."""
    main, *others = window.panes
    right = "".join(
        f'<div class="pane{" bottom" if number else ""}">{_note(window.vault, pane)}</div>'
        for number, pane in enumerate(others)
    )
    return (
        f'<!doctype html><meta charset="utf-8"><style>{css}</style>'
        f'<div class="pane tree">{_tree(window)}</div><div class="pane">{_note(window.vault, main)}</div>'
        f'<div class="pane right">{right}</div>{_status(window.vault, main)}'
    )


def _icon(name: str, size: int = 15) -> str:
    return f'<svg width="{size}" height="{size}" viewBox="0 0 24 24">{_ICONS[name]}</svg>'


# The file tree


def _tree(window: Window) -> str:
    icons = "".join(_icon(name, 18) for name in ("new", "folder", "sort", "vault"))
    rows = "".join(_rows(window, window.vault, 0))
    vault = f"{_icon('vault', 16)}{escape(window.vault.name)}"
    return f'<div class="icons">{icons}</div><ol>{rows}</ol><div class="vault">{vault}</div>'


def _rows(window: Window, folder: Path, depth: int) -> Iterator[str]:
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    for entry in sorted(entries, key=lambda entry: (entry.is_file(), _natural(entry.name))):
        path = entry.relative_to(window.vault).as_posix()
        is_open = path in window.open_folders
        mark = _icon("open" if is_open else "shut", 13) if entry.is_dir() else '<svg width="13"></svg>'
        name = entry.stem if entry.suffix == ".md" else entry.name
        kind = "" if entry.is_dir() or entry.suffix == ".md" else f"<small>{escape(entry.suffix[1:].upper())}</small>"
        shown = " class=open" if path == window.panes[0].path else ""
        indent = f"padding-left:{6 + 15 * depth}px"
        yield f'<li{shown} style="{indent}">{mark}<span>{escape(name)}</span>{kind}</li>'
        if is_open:
            yield from _rows(window, entry, depth + 1)


def _natural(name: str) -> list[Any]:
    """Obsidian sorts 2 before 10."""
    return [int(part) if part.isdecimal() else part.casefold() for part in re.split(r"(\d+)", name)]


# A note


def _read(vault: Path, path: str) -> tuple[dict[str, Any], str]:
    """Properties and body."""
    _, front_matter, body = (vault / path).read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(front_matter), body


def _note(vault: Path, pane: Pane) -> str:
    properties, body = _read(vault, pane.path)
    path = Path(pane.path)
    crumbs = " / ".join([*map(escape, path.parts[:-1]), f"<b>{escape(path.stem)}</b>"])
    heading = f'<div class="heading">{_icon("shut" if pane.folded else "open", 14)}Properties</div>'
    table = "" if pane.folded else _properties(vault, properties)
    return (
        f'<div class="tab"><span>{escape(path.stem)}</span></div><div class="crumbs">{crumbs}</div>'
        f'<div class="note"><h1 class="name" dir="auto">{escape(path.stem)}</h1>{heading}{table}'
        f"{_html(vault, body)}</div>"
    )


def _properties(vault: Path, properties: dict[str, Any]) -> str:
    types = json.loads((vault / ".obsidian" / "types.json").read_text(encoding="utf-8"))["types"]
    rows = []
    for name, value in properties.items():
        kind = types.get(name, "text")
        values = value if isinstance(value, list) else [value]
        shown = "".join(_value(item, kind) for item in values)
        rows.append(f"<dt>{_icon(kind)}{escape(name)}</dt><dd>{shown}</dd>")
    return f'<dl class="properties">{"".join(rows)}</dl>'


def _value(value: Any, kind: str) -> str:
    if kind == "datetime":
        return escape(f"{value:%Y-%m-%d, %H:%M:%S}")
    text = str(value)
    link = re.fullmatch(r"\[\[(?:[^|\]]*/)?([^|\]]*?)(?:\|([^\]]*))?\]\]", text)
    shown = escape((link[2] or link[1]) if link else text)
    if kind in ("multitext", "tags", "aliases"):
        return f'<span class="pill{"" if link or kind == "tags" else " plain"}">{shown}</span>'
    return f"<a>{shown}</a>" if link or text.startswith("https://") else shown


def _html(vault: Path, body: str) -> str:
    """The body as Obsidian's reading view shows it. The notes are tobs's own, so their HTML may pass."""
    body = re.sub(r"!\[\[([^|\]]+)\]\]", lambda found: _embed(vault, found[1]), body)
    body = re.sub(r"\[\[([^|\]]+)(?:\|([^\]]+))?\]\]", lambda found: f"<a>{escape(found[2] or found[1])}</a>", body)
    body = re.sub(r"(?<!\S)#([\w/-]+)", r'<span class="tag">#\1</span>', body)
    return MarkdownIt("commonmark", {"html": True, "breaks": True}).enable("table").render(body)


def _embed(vault: Path, path: str) -> str:
    suffix = Path(path).suffix
    if suffix in _PICTURES:
        return f'<img src="{(vault / path).as_uri()}">'
    assert suffix in _SOUNDS, path
    length = round(read_audio(vault / path).info.length)
    play = '<svg width="14" height="14" viewBox="0 0 14 14"><path d="M2 1v12l10-6z"/></svg>'
    waves = '<path d="M4 9v6h4l5 5V4L8 9zM17 8a6 6 0 0 1 0 8"/>'
    loud = f'<svg class="line" width="18" height="18" viewBox="0 0 24 24">{waves}</svg>'
    return f'<span class="player">{play}0:00 / {length // 60}:{length % 60:02}<i></i>{loud}</span>'


def _status(vault: Path, pane: Pane) -> str:
    """What Obsidian counts of the active note."""
    properties, body = _read(vault, pane.path)
    target = pane.path.removesuffix(".md")
    notes = (note for note in vault.rglob("*.md") if note != vault / pane.path)
    backlinks = sum(
        len(re.findall(rf"\[\[{re.escape(target)}[|\]]", note.read_text(encoding="utf-8"))) for note in notes
    )
    counts = (
        f"{backlinks} backlink{'s' * (backlinks != 1)}",
        f"{len(properties)} properties",
        f"{len(body.split())} words",
        f"{len(body)} characters",
    )
    return f'<div class="status">{"".join(f"<span>{count}</span>" for count in counts)}</div>'
