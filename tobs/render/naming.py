"""Titles for the notes of messages: from the text, else from the media or the service action.

The package ``vault`` makes file names of them (``first_words``). A name is given once, so nothing that changes later
(votes, download states) is part of it.
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
from tobs.render.catalogue import Translate, catalogue
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
    translate, first = catalogue(options.language), messages[0]
    text = next((found for message in messages if (found := _message_text(message))), "")
    if first.action is not None:
        return text, _service_title(first, name, options)
    if len(messages) > 1:
        return text, translate("album")
    return text, _media_title(first.media, translate, name) or translate("message")


def _message_text(message: Message) -> str:
    if message.text.strip():
        return message.text
    return next((text.text for text in rich_texts(message.blocks) if text.text.strip()), "")


def _service_title(message: Message, name: Callable[[int], str], options: RenderOptions) -> str:
    """Return the sentence of a service message without Markdown."""
    translate = catalogue(options.language)
    sentence = SentenceContext(
        translate,
        lambda marked: name(marked) or translate("someone"),
        lambda: translate("reply.earlier"),
        lambda unix: datetime.fromtimestamp(unix, options.timezone).date().isoformat(),
    )
    assert message.action is not None
    return _ESCAPE.sub("", service_sentence(message.action, message, sentence))


def _media_title(media: Media | None, translate: Translate, name: Callable[[int], str]) -> str:
    """Return the title of media; empty if it has none."""
    match media:
        case FileItem():
            return _file(media, translate)
        case Poll():
            return media.question.text or translate("poll")
        case TodoList():
            return media.title.text or translate("todo")
        case Location():
            return media.title or translate("location")
        case Contact():
            return f"{media.first_name} {media.last_name}".strip() or translate("contact")
        case Game() | Invoice() | WebPage():
            return media.title
        case Dice():
            return f"{media.emoji} {media.value}" if media.value else media.emoji
        case StoryRef():
            return media.caption.text or translate("story", who=name(media.peer) or translate("someone"))
        case Giveaway():
            return translate("giveaway")
        case GiveawayResults():
            return translate("giveaway_results")
        case PaidMedia():
            return translate("paid", n=media.stars)
        case UnknownMedia():
            return media.name.removeprefix("MessageMedia").replace("Unsupported", "")
    return ""


def _file(item: FileItem, translate: Translate) -> str:
    """Return the name of a file if a person named it, else its kind."""
    if item.kind == "audio" and item.title:
        return f"{item.performer} - {item.title}" if item.performer else item.title
    if item.kind in ("audio", "document") and item.name:
        return _EXTENSION.sub("", item.name)
    kind = translate(f"kind.{item.kind}")
    return f"{kind} {item.emoji}" if item.kind == "sticker" and item.emoji else kind
