"""Rich messages: a tree of blocks (headings, lists, tables, media ...) that replaces the flat text."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class RichBlock(Struct, frozen=True, omit_defaults=True):
    """One block or inline node of a rich message.

    ``kind`` is the TL name in snake case without its prefix (``heading``, ``list``, ``bold`` ...),
    ``text`` the literal text of a leaf, ``values`` the plain fields (level, language, url ...) and
    ``children`` the nested nodes in reading order.
    """

    kind: str
    text: str = ""
    values: dict[str, Any] = {}
    children: tuple[RichBlock, ...] = ()
