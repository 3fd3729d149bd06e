"""Obsidian Bases: tables over the notes of a chat or of the whole vault. Text in, text out, like the notes.

A base starts with every file of the vault, so each view filters by folder. Properties may have a prefix, so expressions
name them as ``note["…"]``. Format: Obsidian help, 'Bases syntax'.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct

from tobs.render.catalogue import Translate, catalogue
from tobs.render.frontmatter import property_name
from tobs.render.views import RenderOptions

# Formulas: the picture of a card; the sender of a message or of a day's messages, for a channel's posts the channel.
_PICTURE = "formula.picture"
_SENDER = "formula.sender"
_AUDIO = ("title", "performer", "album", "genre", "year", "duration", "format", "date")
_SHOWN = (
    *_AUDIO,
    "chat",
    _SENDER,
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
    """A view of a base. All ``filters`` must hold; ``columns``, ``newest`` and ``group`` name properties or
    formulas.
    """

    name: str
    filters: Sequence[str]
    columns: Sequence[str]
    kind: str = "table"
    newest: str = "date"
    group: str = ""


def chat_base(folder: str, note: str, audio_folder: str, options: RenderOptions) -> str:
    """Render the base of a chat.

    ``folder`` contains the notes of the chat; ``note`` is the path of the note of the chat itself, without ``.md``.
    """
    translate = catalogue(options.language)
    here = f"file.inFolder({_string(folder)})"
    audio = (f"file.inFolder({_string(audio_folder)})", f"file.hasLink({_string(note)})")
    return _base([*_message_views(here, (_SENDER,), options), *_audio_views(audio, translate)], options)


def vault_base(folder: str, people_folder: str, audio_folder: str, options: RenderOptions) -> str:
    """Render the base of everything exported from Telegram."""
    translate = catalogue(options.language)
    here = f"file.inFolder({_string(folder)})"
    views = [
        *_message_views(here, ("chat", _SENDER), options),
        *_audio_views((f"file.inFolder({_string(audio_folder)})",), translate),
        View(
            translate("base.chats"),
            (here, _has("chat_kind", options)),
            ("chat_kind", "messages", "members", "last_message"),
            newest="last_message",
        ),
        View(
            translate("base.people"),
            (f"file.inFolder({_string(people_folder)})",),
            ("username", "messages"),
            newest="messages",
        ),
    ]
    return _base(views, options)


def _message_views(here: str, names: Sequence[str], options: RenderOptions) -> list[View]:
    """Views of messages: a table, cards of their pictures and files, grouped by sender, and those with reactions."""
    translate = catalogue(options.language)
    # Notes of messages, days and months have this property; those of chats, people and audio do not.
    messages = (here, _has("chat", options))
    views = [
        View(translate("base.messages"), messages, ("date", *names, "reactions", "tags")),
        View(translate("base.media"), (*messages, _has("media", options)), ("date", *names), kind="cards"),
        View(translate("base.by_sender"), messages, ("date", *names), group=_SENDER),
    ]
    if options.counters:
        reacted = (*messages, _has("reactions", options))
        views.append(View(translate("base.reactions"), reacted, ("reactions", "date", *names, "views")))
    return views


def _audio_views(filters: Sequence[str], translate: Translate) -> list[View]:
    """Views of music, voice messages and podcasts: a table, and cards with their covers or waveforms."""
    return [
        View(translate("base.audio"), filters, _AUDIO),
        View(translate("base.covers"), filters, ("title", "performer", "duration"), kind="cards"),
    ]


def _has(name: str, options: RenderOptions) -> str:
    return f"file.hasProperty({_string(property_name(name, options.property_prefix))})"


def _base(views: Sequence[View], options: RenderOptions) -> str:
    """Render the views as YAML: strings double-quoted, keys in a fixed order."""
    translate = catalogue(options.language)
    media, cover, sender, senders, chat = (
        f"note[{_string(property_name(name, options.property_prefix))}]"
        for name in ("media", "cover", "sender", "senders", "chat")
    )
    formulas = {
        _PICTURE: f"if({cover}, {cover}, if({media}, {media}[0]))",
        _SENDER: f"if({sender}, {sender}, if({senders}, {senders}, {chat}))",
    }
    lines = ["formulas:", *(f"  {name.partition('.')[2]}: {_string(made)}" for name, made in formulas.items())]
    lines.append("properties:")
    for name in _SHOWN:
        word = translate(f"column.{name.removeprefix('formula.')}")
        lines += [f"  {_column(name, options)}:", f"    displayName: {_string(word)}"]
    lines.append("views:")
    for view in views:
        lines += _view(view, options)
    return "\n".join(lines) + "\n"


def _view(view: View, options: RenderOptions) -> list[str]:
    lines = [f"  - type: {view.kind}", f"    name: {_string(view.name)}", "    filters:", "      and:"]
    lines += [f"        - {_string(each)}" for each in view.filters]
    if view.kind == "cards":
        lines.append(f"    image: {_PICTURE}")
    if view.group:
        lines += ["    groupBy:", f"      property: {_column(view.group, options)}", "      direction: ASC"]
    lines += ["    order:", "      - file.name"]
    lines += [f"      - {_column(name, options)}" for name in view.columns]
    lines += ["    sort:", f"      - property: {_column(view.newest, options)}", "        direction: DESC"]
    return lines


def _column(name: str, options: RenderOptions) -> str:
    if name.startswith("formula."):
        return name
    return _plain(f"note.{property_name(name, options.property_prefix)}")


def _plain(text: str) -> str:
    """Write a YAML string, without quotes if no parser can read it as another type."""
    return text if text.replace(".", "").replace("_", "").isalnum() and text.isascii() else _string(text)


def _string(text: str) -> str:
    """Write a double-quoted string, valid in YAML and in expressions of a base."""
    return json.dumps(text, ensure_ascii=False)
