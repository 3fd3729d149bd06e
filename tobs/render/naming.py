"""What the note of a message is called, in plain words: what it says, else what it carries or tells.

The vault room makes a file name of it (``first_words``). A name is given once, so nothing that changes later (votes,
download states) is part of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from tobs.model import (
    Contact,
    Dice,
    FileItem,
    Game,
    Giveaway,
    GiveawayResults,
    Invoice,
    Location,
    Media,
    Message,
    PaidMedia,
    Poll,
    StoryRef,
    TodoList,
    UnknownMedia,
    WebPage,
)
from tobs.render.catalogue import Words, catalogue
from tobs.render.richtext import rich_texts
from tobs.render.service import SentenceContext, service_sentence
from tobs.render.views import RenderOptions

_ESCAPE = re.compile(r"\\(?=[^\w\s])")
_EXTENSION = re.compile(r"(?<=[^.])\.\w{1,10}$")


def title_candidates(
    messages: Sequence[Message], name: Callable[[int], str], options: RenderOptions
) -> tuple[str, str]:
    """Return the text of a message or album, and a title for the case that the text has no words.

    ``name`` gives the name of a marked peer id, empty when unknown.
    """
    words, first = catalogue(options.language), messages[0]
    said = next((text for message in messages if (text := _said(message))), "")
    if first.action is not None:
        return said, _told(first, name, options)
    if len(messages) > 1:
        return said, words("album")
    return said, _carried(first.media, words, name) or words("message")


def _said(message: Message) -> str:
    if message.text.strip():
        return message.text
    return next((text.text for text in rich_texts(message.blocks) if text.text.strip()), "")


def _told(message: Message, name: Callable[[int], str], options: RenderOptions) -> str:
    """The sentence of a service message without its Markdown."""
    words = catalogue(options.language)
    sentence = SentenceContext(
        words,
        lambda marked: name(marked) or words("someone"),
        lambda: words("reply.earlier"),
        lambda unix: datetime.fromtimestamp(unix, options.timezone).date().isoformat(),
    )
    assert message.action is not None
    return _ESCAPE.sub("", service_sentence(message.action, message, sentence))


def _carried(media: Media | None, words: Words, name: Callable[[int], str]) -> str:
    """What media is called."""
    match media:
        case FileItem():
            return _file(media, words)
        case Poll():
            return media.question.text or words("poll")
        case TodoList():
            return media.title.text or words("todo")
        case Location():
            return media.title or words("location")
        case Contact():
            return f"{media.first_name} {media.last_name}".strip() or words("contact")
        case Game() | Invoice() | WebPage():
            return media.title
        case Dice():
            return f"{media.emoji} {media.value}" if media.value else media.emoji
        case StoryRef():
            return media.caption.text or words("story", who=name(media.peer) or words("someone"))
        case Giveaway():
            return words("giveaway")
        case GiveawayResults():
            return words("giveaway_results")
        case PaidMedia():
            return words("paid", n=media.stars)
        case UnknownMedia():
            return media.name.removeprefix("MessageMedia").replace("Unsupported", "")
    return ""


def _file(item: FileItem, words: Words) -> str:
    """A file's own name where somebody gave it one, else its kind."""
    if item.kind == "audio" and item.title:
        return f"{item.performer} - {item.title}" if item.performer else item.title
    if item.kind in ("audio", "document") and item.name:
        return _EXTENSION.sub("", item.name)
    kind = words(f"kind.{item.kind}")
    return f"{kind} {item.emoji}" if item.kind == "sticker" and item.emoji else kind
