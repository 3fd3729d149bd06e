"""Builds any TL object of the layer from its constructor's signature, with every optional field set or none."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

from telethon.tl import types

DATE = datetime(2024, 3, 1, 12, 30, 5, tzinfo=UTC)
_NAMES = re.compile(r"Type[A-Z]\w*")
_CLASSES = re.compile(r"telethon\.tl\.types\.(\w+)")
_LEAVES = {"Peer": types.PeerChannel, "RichText": types.TextPlain, "PageBlock": types.PageBlockDivider}


def constructors(parent: type) -> list[type]:
    """Every constructor of the same TL type as ``parent``, as the reader would make them."""
    found = (getattr(types, name) for name in sorted(dir(types)) if not name.startswith("Type"))
    return [
        item for item in found if inspect.isclass(item) and getattr(item, "SUBCLASS_OF_ID", 0) == parent.SUBCLASS_OF_ID
    ]


@cache
def _members(type_name: str) -> tuple[type, ...]:
    union = getattr(types, f"Type{type_name}", None)
    if union is None:  # a type whose only constructor lives under messages.
        return (getattr(types.messages, type_name),)
    names = getattr(union, "__args__", (union,))
    plain = [item if isinstance(item, type) else getattr(types, item.__forward_arg__) for item in names]
    return tuple(sorted(plain, key=lambda item: (len(inspect.signature(item.__init__).parameters), item.__name__)))


class Plain:
    """Values that are always the same: ``title ☃`` for a field of that name."""

    def text(self, name: str) -> str:
        return f"{name} ☃"

    def number(self, name: str) -> int:
        return 7

    def pick(self, members: tuple[type, ...]) -> type | None:
        return None

    def more(self) -> bool:
        return True


class Drawn:
    """Values drawn from a seed: texts that could break out of a note, small and large numbers, any constructor."""

    TEXTS = ("a", "[[x]] #t", "<% b %>", "**c** `d`", "%% e %%\n---\n# f", "| g |", "![](http://h)", "$i$ ==j== ^k", "")

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def text(self, name: str) -> str:
        return self._random.choice(self.TEXTS)

    def number(self, name: str) -> int:
        return self._random.choice((0, 1, 2, 7, 900, 86_400, 1_700_000_000))

    def pick(self, members: tuple[type, ...]) -> type | None:
        return self._random.choice(members)

    def more(self) -> bool:
        return self._random.random() < 0.7


PLAIN = Plain()


def build(constructor: type, *, full: bool, depth: int = 0, values: Plain | Drawn = PLAIN) -> Any:
    """An instance of ``constructor``; ``full`` sets every optional field (down to a few levels)."""
    fields = {}
    more = full and depth < 3 and values.more()  # of one object all or none: some fields share a flag
    for name, parameter in list(inspect.signature(constructor.__init__).parameters.items())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        text = str(parameter.annotation)
        if parameter.default is None and not more:
            continue
        fields[name] = _value(name, text, full, depth, values)
    return constructor(**fields)


def _value(name: str, text: str, full: bool, depth: int, values: Plain | Drawn) -> Any:
    if "List[" in text:
        inner = text[text.index("List[") + 5 :]
        return [] if depth > 4 else [_value(name, inner, full, depth + 1, values)]
    if named := _CLASSES.findall(text):  # Telethon's own Message names the classes themselves
        kinds = tuple(getattr(types, each) for each in named)
        return _one_of(kinds, full, depth, values)
    if found := _NAMES.search(text):
        return _object(found[0].removeprefix("Type"), full, depth, values)
    if "datetime" in text:
        return DATE
    for kind, value in (("bytes", b"\x01\x02\x03\x04"), ("bool", True), ("float", 1.5)):
        if kind in text:
            return value
    return values.text(name) if "str" in text else values.number(name)


def _object(type_name: str, full: bool, depth: int, values: Plain | Drawn) -> Any:
    if type_name in _LEAVES:
        leaf = _LEAVES[type_name]
        return leaf(5) if leaf is types.PeerChannel else leaf("leaf") if leaf is types.TextPlain else leaf()
    return _one_of(_members(type_name), full, depth, values)


def _one_of(kinds: tuple[type, ...], full: bool, depth: int, values: Plain | Drawn) -> Any:
    wanted = values.pick(kinds) if depth < 2 else None
    wanted = wanted or (kinds[-1] if depth < 2 else kinds[0])
    return build(wanted, full=full and depth < 2, depth=depth + 1, values=values)
