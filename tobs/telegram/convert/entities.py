"""Message entities: TL constructor to the Bot API's name (``tobs.model.Entity``)."""

from __future__ import annotations

from typing import Any

from telethon.tl import types

from tobs.model import Entity, Text
from tobs.telegram.convert.basics import unix_time

KINDS: dict[type, str] = {
    types.MessageEntityUnknown: "unknown",
    types.MessageEntityMention: "mention",
    types.MessageEntityHashtag: "hashtag",
    types.MessageEntityBotCommand: "bot_command",
    types.MessageEntityUrl: "url",
    types.MessageEntityEmail: "email",
    types.MessageEntityBold: "bold",
    types.MessageEntityItalic: "italic",
    types.MessageEntityCode: "code",
    types.MessageEntityPre: "pre",
    types.MessageEntityTextUrl: "text_link",
    types.MessageEntityMentionName: "text_mention",
    types.InputMessageEntityMentionName: "text_mention",
    types.MessageEntityPhone: "phone_number",
    types.MessageEntityCashtag: "cashtag",
    types.MessageEntityUnderline: "underline",
    types.MessageEntityStrike: "strikethrough",
    types.MessageEntityBankCard: "bank_card",
    types.MessageEntitySpoiler: "spoiler",
    types.MessageEntityCustomEmoji: "custom_emoji",
    types.MessageEntityBlockquote: "blockquote",
    types.MessageEntityFormattedDate: "date_time",
    types.MessageEntityDiffInsert: "diff_insert",
    types.MessageEntityDiffReplace: "diff_replace",
    types.MessageEntityDiffDelete: "diff_delete",
}


#: Entities with more fields than offset and length.
_WITH_FIELDS = {
    types.MessageEntityTextUrl,
    types.MessageEntityPre,
    types.MessageEntityMentionName,
    types.InputMessageEntityMentionName,
    types.MessageEntityCustomEmoji,
    types.MessageEntityBlockquote,
    types.MessageEntityFormattedDate,
    types.MessageEntityDiffReplace,
}
_PLAIN = {kind: name for kind, name in KINDS.items() if kind not in _WITH_FIELDS}


def entity_of(value: Any) -> Entity:
    """Convert one entity; offsets stay UTF-16 units. A constructor not in the table gets the kind ``unknown``."""
    kind = type(value)
    if (plain := _PLAIN.get(kind)) is not None:
        return Entity(plain, value.offset, value.length)
    name = KINDS.get(kind, "unknown")
    offset, length = value.offset, value.length
    if kind is types.MessageEntityTextUrl:
        return Entity(name, offset, length, url=value.url)
    if kind is types.MessageEntityPre:
        return Entity(name, offset, length, language=value.language)
    if kind is types.MessageEntityMentionName:
        return Entity(name, offset, length, user_id=value.user_id)
    if kind is types.InputMessageEntityMentionName:
        return Entity(name, offset, length, user_id=getattr(value.user_id, "user_id", 0))
    if kind is types.MessageEntityCustomEmoji:
        return Entity(name, offset, length, custom_emoji_id=value.document_id)
    if kind is types.MessageEntityBlockquote and value.collapsed:
        return Entity("expandable_blockquote", offset, length)
    if kind is types.MessageEntityFormattedDate:
        return Entity(name, offset, length, date=unix_time(value.date))
    if kind is types.MessageEntityDiffReplace:
        return Entity(name, offset, length, old_text=value.old_text)
    return Entity(name, offset, length)


def entities_of(values: Any) -> tuple[Entity, ...]:
    """Convert a message's entities; () for none."""
    return tuple([entity_of(value) for value in values]) if values else ()


def text_of(value: Any) -> Text:
    """Convert a ``textWithEntities``; empty for none."""
    return Text(value.text, entities_of(value.entities)) if value is not None else Text()
