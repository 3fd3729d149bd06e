"""Obsidian Bases: tables over the notes of a chat, or of the whole vault. Text in, text out, like the notes.

A base begins with every file of the vault, so each view says which folder it means. Properties may carry a prefix, so
expressions name them by ``note["…"]``. Source of the format: Obsidian help, 'Bases syntax'.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct

from tobs.render.frontmatter import property_name
from tobs.render.views import RenderOptions
from tobs.render.words import Words, catalogue

_AUDIO = ("title", "performer", "album", "genre", "year", "duration", "format", "date")
_SHOWN = (
    *_AUDIO,
    "chat",
    "sender",
    "reactions",
    "views",
    "tags",
    "messages",
    "members",
    "username",
    "chat_kind",
    "last_message",
)


class View(Struct, frozen=True):
    """One view of a base. ``filters`` all hold; ``columns`` and ``newest`` are property names, ``group`` too."""

    name: str
    filters: Sequence[str]
    columns: Sequence[str]
    kind: str = "table"
    newest: str = "date"
    group: str = ""


def chat_base(folder: str, note: str, audio_folder: str, options: RenderOptions) -> str:
    """The base of the chat whose notes are in ``folder``; ``note`` is the path of the chat's own, without ``.md``."""
    words = catalogue(options.language)
    here = f"file.inFolder({_string(folder)})"
    audio = (f"file.inFolder({_string(audio_folder)})", f"file.hasLink({_string(note)})")
    return _base([*_message_views(here, ("sender",), options), _audio_view(audio, words)], options)


def vault_base(folder: str, people_folder: str, audio_folder: str, options: RenderOptions) -> str:
    """The base of everything that came from Telegram."""
    words = catalogue(options.language)
    here = f"file.inFolder({_string(folder)})"
    views = [
        *_message_views(here, ("chat", "sender"), options),
        _audio_view((f"file.inFolder({_string(audio_folder)})",), words),
        View(
            words("base.chats"),
            (here, _has("chat_kind", options)),
            ("chat_kind", "messages", "members", "last_message"),
            newest="last_message",
        ),
        View(
            words("base.people"),
            (f"file.inFolder({_string(people_folder)})",),
            ("username", "messages"),
            newest="messages",
        ),
    ]
    return _base(views, options)


def _message_views(here: str, names: Sequence[str], options: RenderOptions) -> list[View]:
    """Messages as a table, their pictures and files as cards, by sender, those with reactions."""
    words = catalogue(options.language)
    # Notes of messages, days and months have it; those of chats, people and audio do not.
    messages = (here, _has("chat", options))
    return [
        View(words("base.messages"), messages, ("date", *names, "reactions", "tags")),
        View(words("base.media"), (*messages, _has("media", options)), ("date", *names), kind="cards"),
        View(words("base.by_sender"), (*messages, _has("sender", options)), ("date", *names), group="sender"),
        View(words("base.reactions"), (*messages, _has("reactions", options)), ("reactions", "date", *names, "views")),
    ]


def _audio_view(filters: Sequence[str], words: Words) -> View:
    return View(words("base.audio"), filters, _AUDIO)


def _has(name: str, options: RenderOptions) -> str:
    return f"file.hasProperty({_string(property_name(name, options.property_prefix))})"


def _base(views: Sequence[View], options: RenderOptions) -> str:
    """The YAML: strings double-quoted, in a fixed order."""
    words = catalogue(options.language)
    media = f"note[{_string(property_name('media', options.property_prefix))}]"
    lines = ["formulas:", f"  picture: {_string(f'if({media}, {media}[0])')}", "properties:"]
    for name in _SHOWN:
        lines += [f"  {_column(name, options)}:", f"    displayName: {_string(words(f'column.{name}'))}"]
    lines.append("views:")
    for view in views:
        lines += _view(view, options)
    return "\n".join(lines) + "\n"


def _view(view: View, options: RenderOptions) -> list[str]:
    lines = [f"  - type: {view.kind}", f"    name: {_string(view.name)}", "    filters:", "      and:"]
    lines += [f"        - {_string(each)}" for each in view.filters]
    if view.kind == "cards":
        lines.append("    image: formula.picture")
    if view.group:
        lines += ["    groupBy:", f"      property: {_column(view.group, options)}", "      direction: ASC"]
    lines += ["    order:", "      - file.name"]
    lines += [f"      - {_column(name, options)}" for name in view.columns]
    lines += ["    sort:", f"      - property: {_column(view.newest, options)}", "        direction: DESC"]
    return lines


def _column(name: str, options: RenderOptions) -> str:
    return _plain(f"note.{property_name(name, options.property_prefix)}")


def _plain(text: str) -> str:
    """A YAML string: bare where nothing in it can be anything else."""
    return text if text.replace(".", "").replace("_", "").isalnum() and text.isascii() else _string(text)


def _string(text: str) -> str:
    """A string of YAML and of a base's expressions alike."""
    return json.dumps(text, ensure_ascii=False)
