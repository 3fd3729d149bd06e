"""Rich messages: Telegram's page blocks and rich texts as a tree of ``RichBlock``.

A ``TextPlain`` is a leaf of kind ``plain``; ``PageBlockHeading2`` is ``heading`` with ``level`` 2; lists, rows and
cells become children; a caption, title or credit that is not empty is a child of that kind.
"""

from __future__ import annotations

import re
from typing import Any

from telethon.tl import TLObject, types

from tobs.model import RichBlock
from tobs.telegram.convert.basics import plain, snake

_HEADING = re.compile(r"PageBlockHeading(\d)$")
_PREFIXES = ("PageBlock", "PageList", "Page", "Text", "InlineButtonType")
_KINDS = {
    "PageListItemText": "list_item",
    "PageListItemBlocks": "list_item",
    "PageListOrderedItemText": "list_item",
    "PageListOrderedItemBlocks": "list_item",
    "PageBlockBlockquoteBlocks": "blockquote",
}
_INLINE = {"text", "texts", "blocks", "items", "rows", "cells", "buttons", "articles"}


def blocks_of(rich: Any) -> tuple[RichBlock, ...]:
    """Convert the blocks of a ``RichMessage``; () for none."""
    return tuple(_block(block) for block in rich.blocks) if rich is not None else ()


def _kind(name: str) -> str:
    if name in _KINDS:
        return _KINDS[name]
    for prefix in _PREFIXES:
        if name.startswith(prefix) and name != prefix:
            return snake(name.removeprefix(prefix))
    return snake(name)


def _is_node(value: Any) -> bool:
    """Return whether a TL object belongs to the tree (blocks, rich texts, list items) and is no plain field."""
    return isinstance(value, TLObject) and type(value).__name__.startswith(("Page", "Text"))


def _nodes(value: Any) -> list[RichBlock]:
    """Convert a field's nodes in reading order; concatenations are flattened, empty texts dropped."""
    if isinstance(value, list):
        return [node for item in value for node in _nodes(item)]
    if isinstance(value, types.TextEmpty):
        return []
    if isinstance(value, types.TextConcat):
        return _nodes(value.texts)
    return [_block(value)]


def _block(value: Any) -> RichBlock:
    name = type(value).__name__
    if isinstance(value, types.TextPlain):
        return RichBlock("plain", value.text)
    values: dict[str, Any] = {}
    children: list[RichBlock] = []
    for field, item in vars(value).items():
        if item is None:
            continue
        if isinstance(item, list) and item and all(map(_is_node, item)):
            children += _nodes(item) if field in _INLINE else [RichBlock(snake(field), children=tuple(_nodes(item)))]
        elif _is_node(item):
            nodes = _nodes(item)
            if field in _INLINE:
                children += nodes
            elif isinstance(item, types.PageCaption):
                children += _caption(nodes[0])
            elif nodes:
                children.append(RichBlock(snake(field), children=tuple(nodes)))
        elif (found := plain(field, item)) is not None:
            values[field] = found
    if heading := _HEADING.match(name):
        return RichBlock("heading", values={"level": int(heading[1])}, children=tuple(children))
    return RichBlock(_kind(name), values=values, children=tuple(children))


def _caption(caption: RichBlock) -> list[RichBlock]:
    """Return a page caption as a ``caption`` child; empty for a caption without text."""
    return [caption] if caption.children else []
