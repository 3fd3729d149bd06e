"""Every constructor of the layer, with values drawn from seeds, goes the whole way: TL bytes, model, note, parser."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from telethon.tl import types

from tests.tl_factory import DATE, Drawn, build, constructors
from tests.unit.render.reading import read
from tobs.model import Chat, Message
from tobs.render.builtin import load_builtin
from tobs.render.notes import render_message
from tobs.render.templates import Templates
from tobs.render.views import Links, RenderOptions
from tobs.telegram.convert import message_of
from tobs.telegram.net.reader import parse

MEDIA = constructors(types.MessageMediaEmpty)
ACTIONS = constructors(types.MessageActionEmpty)
ENTITIES = constructors(types.MessageEntityBold)
BLOCKS = constructors(types.PageBlockDivider)
RICH = constructors(types.TextPlain)
REPLIES = constructors(types.MessageReplyHeader)
BUTTONS = constructors(types.InlineButtonTypeUrl)
SEEDS = range(2)

_CHAT = Chat(-1000000000005, "supergroup", "Club", username="club")
_TEMPLATES = Templates(load_builtin)
_LINKS = Links(chat=lambda chat: ("Telegram/Club/Club", "Club") if chat == _CHAT.id else None)


def converted(**fields: Any) -> Message:
    """A message with these fields as the reader makes it of its bytes."""
    raw = types.Message(**{"id": 9, "peer_id": types.PeerChannel(5), "date": DATE, "message": "hello", **fields})
    message = message_of(parse(bytes(raw)))
    assert message is not None
    return message


def body(message: Message, language: str = "en") -> str:
    """What the note of a message says, after a stranger has read its front matter and its Markdown."""
    text = render_message([message], _CHAT, _LINKS, RenderOptions(language=language), _TEMPLATES).text
    head, _, shown = text.removeprefix("---\n").partition("\n---\n")
    assert yaml.safe_load(head)["tobs_id"] == f"{_CHAT.id}/9"
    read(shown)
    assert "<%" not in text and "\0" not in text
    return shown.strip()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", MEDIA, ids=lambda kind: kind.__name__)
def test_every_media_is_told_in_a_note(kind: type, seed: int) -> None:
    assert body(converted(media=build(kind, full=True, values=Drawn(seed))))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ACTIONS, ids=lambda kind: kind.__name__)
def test_every_action_is_told_in_one_line_in_each_language(kind: type, seed: int) -> None:
    action = build(kind, full=True, values=Drawn(seed))
    raw = types.MessageService(id=9, peer_id=types.PeerChannel(5), date=DATE, action=action)
    message = message_of(parse(bytes(raw)))
    assert message is not None
    for language in ("en", "de"):
        said = body(message, language)
        if "photo" not in vars(action):
            assert said and "\n" not in said


@pytest.mark.parametrize("kind", ENTITIES, ids=lambda kind: kind.__name__)
def test_every_entity_leaves_its_words_in_the_note(kind: type) -> None:
    entity = build(kind, full=True)
    entity.offset, entity.length = 0, 5
    assert "hello" in body(converted(entities=[entity]))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", BLOCKS + RICH, ids=lambda kind: kind.__name__)
def test_every_rich_block_is_rendered(kind: type, seed: int) -> None:
    node = build(kind, full=True, values=Drawn(seed))
    block = node if kind in BLOCKS else types.PageBlockParagraph(node)
    body(converted(message="", rich_message=types.RichMessage([block], [], [])))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", REPLIES, ids=lambda kind: kind.__name__)
def test_every_reply_is_told(kind: type, seed: int) -> None:
    body(converted(reply_to=build(kind, full=True, values=Drawn(seed))))


@pytest.mark.parametrize("kind", BUTTONS, ids=lambda kind: kind.__name__)
def test_every_button_is_named(kind: type) -> None:
    row = types.KeyboardInlineButtonRow([types.KeyboardInlineButton("Press me", build(kind, full=True))])
    assert "Press me" in body(converted(reply_markup=types.ReplyInlineMarkup([row])))


@pytest.mark.parametrize("seed", range(20))
def test_a_message_with_every_field_at_once_is_rendered(seed: int) -> None:
    drawn = build(types.Message, full=True, values=Drawn(seed))
    drawn.id, drawn.peer_id, drawn.date = 9, types.PeerChannel(5), drawn.date or DATE
    drawn.message = drawn.message or ""
    message = message_of(parse(bytes(drawn)))
    assert message is not None
    body(message)
