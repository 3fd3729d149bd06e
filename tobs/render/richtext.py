"""Inline nodes of rich messages as text with entities, so that a single converter escapes everything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tobs.model import Entity, RichBlock, Text, utf16_length
from tobs.render.marks import PICTURE

#: Placeholder of a picture, replaced by the embed of its entity; without the picture it is invisible.
_PLACE = "\u200b"

# Kinds that are always inline. `anchor`, `math` and `button` can also be blocks, depending on their neighbours.
INLINE = frozenset({
    "plain", "bold", "italic", "underline", "strike", "fixed", "url", "email", "phone", "marked", "subscript",
    "superscript", "custom_emoji", "date", "diff", "hashtag", "cashtag", "mention", "mention_name", "auto_url",
    "auto_email", "auto_phone", "bank_card", "bot_command", "spoiler", "image", "concat", "empty",
})  # fmt: skip
_ENTITIES = {
    "bold": "bold",
    "italic": "italic",
    "underline": "underline",
    "strike": "strikethrough",
    "fixed": "code",
    "math": "code",
    "spoiler": "spoiler",
    "hashtag": "hashtag",
    "mention": "mention",
    "auto_url": "url",
}


def is_inline(nodes: Sequence[RichBlock]) -> bool:
    """Return whether nodes are the text of a paragraph, not blocks."""
    return any(node.kind in INLINE for node in nodes)


def inline_text(nodes: Iterable[RichBlock]) -> Text:
    """Convert inline nodes to a text with entities (UTF-16 offsets)."""
    pieces: list[str] = []
    entities: list[Entity] = []
    _walk(nodes, pieces, entities, 0)
    return Text("".join(pieces), tuple(entities))


def _walk(nodes: Iterable[RichBlock], pieces: list[str], entities: list[Entity], at: int) -> int:
    for node in nodes:
        start = at
        literal = node.text or _literal(node)
        pieces.append(literal)
        at += utf16_length(literal)
        if node.kind == "diff":
            at = _diff(node, pieces, entities, at)
            continue
        at = _walk(node.children, pieces, entities, at)
        if at > start and (entity := _entity(node, start, at - start)):
            entities.append(entity)
    return at


def _literal(node: RichBlock) -> str:
    if node.kind == "image":
        return _PLACE
    value = node.values.get({"custom_emoji": "alt", "math": "source"}.get(node.kind, ""), "")
    return value if isinstance(value, str) else ""


def _diff(node: RichBlock, pieces: list[str], entities: list[Entity], at: int) -> int:
    """Convert a change: the old text struck out, the new text underlined."""
    for kind, children in (
        ("diff_delete", [child for child in node.children if child.kind == "old_text"]),
        ("diff_insert", [child for child in node.children if child.kind != "old_text"]),
    ):
        start = at
        at = _walk(children, pieces, entities, at)
        if at > start:
            entities.append(Entity(kind, start, at - start))
    return at


def _entity(node: RichBlock, start: int, length: int) -> Entity | None:
    kind = _ENTITIES.get(node.kind)
    if kind is not None:
        return Entity(kind, start, length)
    values = node.values
    match node.kind:
        case "url" if isinstance(url := values.get("url"), str) and not url.startswith("#"):
            return Entity("text_link", start, length, url=url)
        case "email" if isinstance(email := values.get("email"), str):
            return Entity("text_link", start, length, url=f"mailto:{email}")
        case "phone" if isinstance(phone := values.get("phone"), str):
            return Entity("text_link", start, length, url=f"tel:{phone}")
        case "mention_name" if isinstance(user := values.get("user_id"), int):
            return Entity("text_mention", start, length, user_id=user)
        case "image" if isinstance(picture := values.get("document_id"), int):
            return Entity(PICTURE, start, length, url=_size(values), custom_emoji_id=picture)
    return None


def _size(values: Mapping[str, Any]) -> str:
    """Return the size of a picture for an embed (``20x14``); empty if unknown."""
    sides = [values.get(name, values.get(name[0])) for name in ("width", "height")]
    return "x".join(str(side) for side in sides) if all(isinstance(side, int) and side > 0 for side in sides) else ""


def rich_texts(blocks: Iterable[RichBlock]) -> Iterator[Text]:
    """Yield every paragraph of text in a tree of blocks, for its hashtags."""
    for block in blocks:
        if is_inline(block.children):
            yield inline_text(block.children)
        else:
            yield from rich_texts(block.children)
