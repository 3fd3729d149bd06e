"""Formatted text: strings with entities, and the blocks of rich messages."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Entity(Struct, frozen=True, omit_defaults=True, rename={"kind": "type"}):
    """A formatted span. ``offset`` and ``length`` count UTF-16 code units, as Telegram does.

    ``kind`` is the Bot API's name: bold, italic, underline, strikethrough, spoiler, code, pre,
    text_link, text_mention, mention, hashtag, cashtag, bot_command, url, email, phone_number,
    bank_card, blockquote, expandable_blockquote, custom_emoji, date_time, diff_insert, diff_delete,
    diff_replace; any other kind is plain text.
    Source: https://core.telegram.org/api/entities
    """

    kind: str
    offset: int
    length: int
    url: str = ""
    language: str = ""
    user_id: int = 0
    custom_emoji_id: int = 0
    date: int = 0
    old_text: str = ""


class Text(Struct, frozen=True, omit_defaults=True):
    """A string with its entities."""

    text: str = ""
    entities: tuple[Entity, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text)


def utf16_length(text: str) -> int:
    """Return the length of ``text`` in UTF-16 code units, as Telegram counts offsets and lengths."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


class RichBlock(Struct, frozen=True, omit_defaults=True):
    """A block or inline node of a rich message (headings, lists, tables, media ...), which replaces the flat text.

    ``kind`` is the TL name in snake case without its prefix (``heading``, ``list``, ``bold`` ...), ``text`` the literal
    text of a leaf node, ``values`` the plain fields (level, language, url ...) and ``children`` the nested nodes in
    reading order.
    """

    kind: str
    text: str = ""
    values: dict[str, Any] = {}
    children: tuple[RichBlock, ...] = ()
