"""Types of messages, in the words of ``--type``."""

from __future__ import annotations

from tobs.model import (
    Contact,
    Dice,
    FileItem,
    Game,
    Giveaway,
    GiveawayResults,
    Invoice,
    Location,
    Message,
    PaidMedia,
    Poll,
    StoryRef,
    TodoList,
    WebPage,
)

_FILES = ("photo", "video", "round", "gif", "sticker", "audio", "voice", "document")
_MEDIA = {
    Poll: "poll",
    TodoList: "todo",
    Location: "location",
    Contact: "contact",
    Game: "game",
    Invoice: "invoice",
    PaidMedia: "paid",
    Giveaway: "giveaway",
    GiveawayResults: "giveaway",
    Dice: "dice",
    StoryRef: "story",
}
TYPES = ("text", *_FILES, *dict.fromkeys(_MEDIA.values()), "service", "other")
"""Every word ``message_type`` may answer."""


def message_type(message: Message) -> str:
    """Return the type of a message, one of ``TYPES``. A link with its preview is text."""
    if message.kind in ("service", "story"):
        return message.kind
    match message.media:
        case None | WebPage():
            return "text" if message.kind == "message" else "other"
        case FileItem(kind=kind):
            return kind
        case media:
            return _MEDIA.get(type(media), "other")
