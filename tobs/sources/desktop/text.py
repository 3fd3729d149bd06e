"""Text of Telegram Desktop: a flat list of styled pieces."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tobs.model import Entity, Text, utf16_length
from tobs.sources.desktop.values import Json, as_int, as_text

_KINDS = {
    "mention": "mention",
    "hashtag": "hashtag",
    "bot_command": "bot_command",
    "link": "url",
    "email": "email",
    "bold": "bold",
    "italic": "italic",
    "code": "code",
    "pre": "pre",
    "text_link": "text_link",
    "mention_name": "text_mention",
    "phone": "phone_number",
    "cashtag": "cashtag",
    "underline": "underline",
    "strikethrough": "strikethrough",
    "blockquote": "blockquote",
    "bank_card": "bank_card",
    "spoiler": "spoiler",
    "custom_emoji": "custom_emoji",
}


def text_of(value: Any) -> Text:
    """Convert a string, a piece, or a list of both; anything else gives an empty text."""
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, dict):
        return text_of([value])
    if not isinstance(value, list):
        return Text()
    parts: list[str] = []
    entities: list[Entity] = []
    offset = 0
    for piece in value:
        inner = text_of(piece.get("text") if isinstance(piece, dict) else piece)
        if not inner.text:
            continue
        length = utf16_length(inner.text)
        if isinstance(piece, dict) and (kind := _KINDS.get(as_text(piece.get("type")))):
            entities.append(_entity(kind, offset, length, piece))
        entities += [replace(entity, offset=entity.offset + offset) for entity in inner.entities]
        parts.append(inner.text)
        offset += length
    return Text("".join(parts), tuple(entities))


def _entity(kind: str, offset: int, length: int, piece: Json) -> Entity:
    match kind:
        case "text_link":
            return Entity(kind, offset, length, url=str(piece.get("href") or ""))
        case "pre":
            return Entity(kind, offset, length, language=str(piece.get("language") or ""))
        case "text_mention":
            return Entity(kind, offset, length, user_id=as_int(piece.get("user_id")))
        case "blockquote" if piece.get("collapsed"):
            return Entity("expandable_blockquote", offset, length)
        case "custom_emoji":
            # Its id is the path of a file, which differs between exports.
            return Entity(kind, offset, length, custom_emoji_id=as_int(piece.get("document_id")))
    return Entity(kind, offset, length)
