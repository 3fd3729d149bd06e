"""Custom emoji: documents that name the emoji standing for each."""

from __future__ import annotations

import datetime as dt
from typing import Any

from telethon.tl import functions, types

from tobs.sandbox.rpc import Call, serves


@serves(functions.messages.GetCustomEmojiDocumentsRequest)
def get_custom_emoji_documents(call: Call, request: Any) -> Any:
    """Those the world knows; of the others nothing is said."""
    known = [(id, call.world.emoji[id]) for id in request.document_id if id in call.world.emoji]
    return [_document(id, emoji) for id, emoji in known]


def _document(id: int, emoji: str) -> Any:
    attributes = [types.DocumentAttributeCustomEmoji(emoji, types.InputStickerSetEmpty())]
    return types.Document(
        id, 0, b"", dt.datetime(2024, 1, 1, tzinfo=dt.UTC), "application/x-tgsticker", 0, 2, attributes
    )
