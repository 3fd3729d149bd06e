"""docs/reference/templates.md: every variable of every template, read from the structs that templates get."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

from msgspec import Struct

from tobs.model import Message
from tobs.render.index import INDEX_TEMPLATE, IndexView
from tobs.render.notes import MESSAGE_TEMPLATE
from tobs.render.overview import AUDIO_TEMPLATE, CHAT_TEMPLATE, PERSON_TEMPLATE, AudioView, ChatView, PersonView
from tobs.render.period import PERIOD_TEMPLATE
from tobs.render.topics import TOPIC_TEMPLATE, TopicView
from tobs.render.views import MessageView, NoteView, PeriodView

#: Template -> its variables and what they are.
VARIABLES: dict[str, dict[str, Any]] = {
    MESSAGE_TEMPLATE: {"note": NoteView, "messages": tuple[MessageView, ...]},
    PERIOD_TEMPLATE: {"note": PeriodView},
    CHAT_TEMPLATE: {"chat": ChatView},
    TOPIC_TEMPLATE: {"topic": TopicView},
    PERSON_TEMPLATE: {"person": PersonView},
    AUDIO_TEMPLATE: {"audio": AudioView},
    INDEX_TEMPLATE: {"index": IndexView},
}


def template_reference() -> str:
    """The page: a table of the variables, and one for each struct that they lead to."""
    lines = [
        "# Variables of templates",
        "",
        "Made from the code by `make reference`. How to write a template, and what the variables hold in words, is told"
        " in [templates](../user/templates.md). Every template has `blocks(...)` and `words(...)` as well.",
        "",
        "| Template | Variable | |",
        "|---|---|---|",
    ]
    for template, names in VARIABLES.items():
        lines += [f"| `{template}` | `{name}` | {_spelled(kind)} |" for name, kind in names.items()]
    for struct in _structs():
        told = " ".join((struct.__doc__ or "").split()).replace("``", "`")
        hints = get_type_hints(struct)
        rows = [f"| `{name}` | {_spelled(hints[name])} |" for name in struct.__struct_fields__]
        lines += ["", f"## {_HEADINGS[struct]}", "", told, "", "| | |", "|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _structs() -> list[type[Struct]]:
    """The structs that variables lead to, in the order in which they are met. What a message carries is not taken
    apart: its kinds stand in the reference of Telegram."""
    found: dict[type[Struct], None] = {}
    waiting = [struct for names in VARIABLES.values() for kind in names.values() for struct in _in(kind)]
    while waiting:
        struct = waiting.pop(0)
        if struct in found:
            continue
        found[struct] = None
        if struct is not Message:
            waiting += [inner for hint in get_type_hints(struct).values() for inner in _in(hint)]
    return list(found)


def _in(kind: Any) -> Iterator[type[Struct]]:
    """The structs that a type is made of."""
    if inspect.isclass(kind) and issubclass(kind, Struct):
        yield kind
    for part in get_args(kind):
        yield from _in(part)


def _spelled(kind: Any) -> str:
    """A type in the words of the pages: ``[Chat](#chat) or nothing``, ``list of text``."""
    if kind is type(None):
        return "nothing"
    parts = [part for part in get_args(kind) if part is not Ellipsis]
    if getattr(kind, "__origin__", None) is tuple:
        return "list of " + (_spelled(parts[0]) if len(set(parts)) == 1 else f"({', '.join(map(_spelled, parts))})")
    if getattr(kind, "__origin__", None) is dict:
        return "mapping"
    if parts and not inspect.isclass(kind):
        if all(isinstance(part, str) for part in parts):
            return " or ".join(f"`{part}`" for part in parts)
        return " or ".join(dict.fromkeys(map(_spelled, parts)))
    if kind in _HEADINGS:
        return f"[{_HEADINGS[kind]}](#{_HEADINGS[kind].lower().replace(' ', '-')})"
    return _WORDS.get(kind, getattr(kind, "__name__", str(kind)))


def _headings() -> dict[Any, str]:
    """What each struct is called on the page; of two with one name the second has a number."""
    names = [struct.__name__ for struct in _structs()]
    before = [names[:n].count(name) for n, name in enumerate(names)]
    return {
        struct: f"{struct.__name__} {n + 1}" if n else struct.__name__
        for struct, n in zip(_structs(), before, strict=True)
    }


_WORDS = {str: "text", int: "number", float: "number", bool: "true or false"}
_HEADINGS = _headings()
