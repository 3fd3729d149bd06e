"""What the note of a message is called."""

from __future__ import annotations

from typing import Any

import pytest

from tobs.model import (
    Action,
    Contact,
    Dice,
    FileItem,
    Game,
    Location,
    Media,
    Message,
    Poll,
    RichBlock,
    StoryRef,
    Text,
    TodoList,
    UnknownMedia,
    WebPage,
)
from tobs.render.naming import title_candidates
from tobs.render.views import RenderOptions

_NAMES = {7: "Anna_B", 8: "Bo"}


def called(*messages: Message, language: str = "en") -> tuple[str, str]:
    return title_candidates(messages, lambda marked: _NAMES.get(marked, ""), RenderOptions(language=language))


def message(**fields: Any) -> Message:
    return Message(chat_id=-1000000000005, id=5, date=0, **fields)


def test_a_note_is_called_by_what_is_said_first() -> None:
    assert called(message(text=" "), message(text="Said"))[0] == "Said"
    block = RichBlock("paragraph", children=(RichBlock("plain", "Rich words"),))
    assert called(message(blocks=(block,)))[0] == "Rich words"


@pytest.mark.parametrize(
    ("media", "name"),
    [
        (None, "Message"),
        (FileItem("photo"), "Photo"),
        (FileItem("round"), "Video message"),
        (FileItem("document", name="Plan of the house.v2.pdf"), "Plan of the house.v2"),
        (FileItem("document", name=".bashrc"), ".bashrc"),
        (FileItem("audio", name="a.mp3", title="T", performer="P"), "P - T"),
        (FileItem("sticker", emoji="👋"), "Sticker 👋"),
        (Poll(Text("What first?")), "What first?"),
        (TodoList(Text("Winter")), "Winter"),
        (Location(1.0, 2.0, title="Lime tree"), "Lime tree"),
        (Location(1.0, 2.0), "Location"),
        (Contact("Traude", "Vale"), "Traude Vale"),
        (Dice("🎲", 4), "🎲 4"),
        (Game("Chess"), "Chess"),
        (WebPage("https://a.example", title="Page"), "Page"),
        (StoryRef(8, 1), "Story of Bo"),
        (UnknownMedia("hologram"), "hologram"),
    ],
)
def test_a_note_without_words_is_called_by_what_it_carries(media: Media | None, name: str) -> None:
    assert called(message(media=media)) == ("", name)


def test_an_album_without_a_caption_is_called_album() -> None:
    assert called(message(media=FileItem("photo")), message(media=FileItem("photo"))) == ("", "Album")


@pytest.mark.parametrize(
    ("action", "name"),
    [
        (Action("chat_edit_title", {"title": "A_b *c*"}), "Anna_B changed the title to “A_b *c*”"),
        (Action("pin_message"), "Anna_B pinned an earlier message"),
        (Action("chat_add_user", {"users": [8, 9]}), "Anna_B added Bo and Someone"),
    ],
)
def test_a_service_message_is_called_by_its_sentence(action: Action, name: str) -> None:
    assert called(message(sender_id=7, action=action)) == ("", name)


def test_names_are_in_the_language_of_the_vault() -> None:
    assert called(message(media=FileItem("photo")), language="de") == ("", "Foto")
