"""The exporter's text, a flat list of runs, as a string with entities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from telethon.tl import types

from tobs.sandbox.worlds.markup import utf16
from tobs.sandbox.worlds.seeds import splitmix64
from tobs.sandbox.worlds.tdesktop.reader import Json
from tobs.sandbox.worlds.tl import Tl

Maker = Callable[[int, int, Json], Tl]


def custom_emoji_id(value: Any) -> int:
    """Return a custom emoji's id, a number in rare exports; else computed from the path of its file."""
    text = str(value or "")
    return int(text) if text.isdigit() else splitmix64(*text.encode()) >> 2


def _simple(kind: type) -> Maker:
    return lambda offset, length, run: kind(offset, length)


_MAKERS: dict[str, Maker] = {
    "mention": _simple(types.MessageEntityMention),
    "hashtag": _simple(types.MessageEntityHashtag),
    "bot_command": _simple(types.MessageEntityBotCommand),
    "link": _simple(types.MessageEntityUrl),
    "email": _simple(types.MessageEntityEmail),
    "bold": _simple(types.MessageEntityBold),
    "italic": _simple(types.MessageEntityItalic),
    "code": _simple(types.MessageEntityCode),
    "phone": _simple(types.MessageEntityPhone),
    "cashtag": _simple(types.MessageEntityCashtag),
    "underline": _simple(types.MessageEntityUnderline),
    "strikethrough": _simple(types.MessageEntityStrike),
    "bank_card": _simple(types.MessageEntityBankCard),
    "spoiler": _simple(types.MessageEntitySpoiler),
    "pre": lambda offset, length, run: types.MessageEntityPre(offset, length, run.get("language") or ""),
    "text_link": lambda offset, length, run: types.MessageEntityTextUrl(offset, length, run.get("href") or ""),
    "mention_name": lambda offset, length, run: types.MessageEntityMentionName(offset, length, int(run["user_id"])),
    "blockquote": lambda offset, length, run: types.MessageEntityBlockquote(
        offset, length, collapsed=run.get("collapsed") or None
    ),
    "custom_emoji": lambda offset, length, run: types.MessageEntityCustomEmoji(
        offset, length, custom_emoji_id(run.get("document_id"))
    ),
}


def read_text(value: Any) -> tuple[str, list[Tl]]:
    """Return the string and its entities. ``value``: a string, a run, or a nested array of both."""
    words: list[str] = []
    entities: list[Tl] = []
    _collect(value, words, entities, 0)
    return "".join(words), entities


def _collect(value: Any, words: list[str], entities: list[Tl], offset: int) -> int:
    """Append the text and entities of ``value``, which begins at ``offset``; return the offset after it."""
    if isinstance(value, list):
        for item in value:
            offset = _collect(item, words, entities, offset)
        return offset
    if isinstance(value, dict):
        end = _collect(value.get("text") or "", words, entities, offset)
        make = _MAKERS.get(value.get("type", ""))
        if make is not None and end > offset:
            entities.append(make(offset, end - offset, value))
        return end
    text = str(value)
    words.append(text)
    return offset + utf16(text)


def styled(value: Any) -> Tl:
    """Return a string or array as ``TextWithEntities``."""
    return types.TextWithEntities(*read_text(value or ""))
