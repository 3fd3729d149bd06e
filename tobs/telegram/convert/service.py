"""Service messages: every action as its snake-case name and plain fields."""

from __future__ import annotations

from typing import Any

from telethon.tl import types

from tobs.model import Action, FileItem
from tobs.telegram.convert.basics import plain_fields, snake
from tobs.telegram.convert.files import photo_of

_PREFIX = "MessageAction"
_REASON = "phone_call_discard_reason_"


def action_of(action: Any) -> Action:
    """Any ``MessageAction``: ``chat_add_user`` with ``{"users": [5]}``."""
    values = plain_fields(action)
    reason = values.get("reason")
    if isinstance(reason, str):
        values["reason"] = reason.removeprefix(_REASON)
    return Action(snake(type(action).__name__.removeprefix(_PREFIX)), values)


def action_photo(action: Any) -> FileItem | None:
    """The picture an action brings along (a chat's new photo)."""
    photo = getattr(action, "photo", None)
    return photo_of(photo) if isinstance(photo, types.Photo) else None
