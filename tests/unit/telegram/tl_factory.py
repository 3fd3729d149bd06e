"""Builds any TL object of the layer from its constructor's signature, with every optional field set or none."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

from telethon.tl import types

DATE = datetime(2024, 3, 1, 12, 30, 5, tzinfo=UTC)
_NAMES = re.compile(r"Type[A-Z]\w*")
_LEAVES = {"Peer": types.PeerChannel, "RichText": types.TextPlain, "PageBlock": types.PageBlockDivider}


def constructors(parent: type) -> list[type]:
    """Every constructor of the same TL type as ``parent``, as the reader would make them."""
    found = (getattr(types, name) for name in sorted(dir(types)))
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


def build(constructor: type, *, full: bool, depth: int = 0) -> Any:
    """An instance of ``constructor``; ``full`` sets every optional field (down to a few levels)."""
    values = {}
    for name, parameter in list(inspect.signature(constructor.__init__).parameters.items())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        text = str(parameter.annotation)
        if parameter.default is None and not (full and depth < 3):
            continue
        values[name] = _value(name, text, full, depth)
    return constructor(**values)


def _value(name: str, text: str, full: bool, depth: int) -> Any:
    if "List[" in text:
        inner = text[text.index("List[") + 5 :]
        return [] if depth > 4 else [_value(name, inner, full, depth + 1)]
    if found := _NAMES.search(text):
        return _object(found[0].removeprefix("Type"), full, depth)
    if "datetime" in text:
        return DATE
    for kind, value in (("bytes", b"\x01\x02\x03\x04"), ("bool", True), ("float", 1.5), ("str", f"{name} ☃")):
        if kind in text:
            return value
    return 7


def _object(type_name: str, full: bool, depth: int) -> Any:
    if type_name in _LEAVES:
        leaf = _LEAVES[type_name]
        return leaf(5) if leaf is types.PeerChannel else leaf("leaf") if leaf is types.TextPlain else leaf()
    members = _members(type_name)
    wanted = members[-1] if depth < 2 else members[0]
    return build(wanted, full=full and depth < 2, depth=depth + 1)
