"""The catalogue is whole in each language, and every service message has its sentence."""

from __future__ import annotations

from string import Formatter
from typing import Any

import pytest
from telethon.tl import types

from tobs.model import Action, Chat, Message, Reply
from tobs.render.builtin import load_builtin
from tobs.render.catalogue import LANGUAGES, catalogue, has_text
from tobs.render.notes import render_message
from tobs.render.templates import Templates
from tobs.render.views import Links, RenderOptions

_CHAT = Chat(-1000000000005, "supergroup", "Club", username="club")
_NAMES = {7: ("People/Anna", "Anna"), 8: ("", "Bob *b*"), 9: ("People/Cy", "Cy")}
_LINKS = Links(
    message=lambda chat, message: "Club/5" if message == 5 else None, person=_NAMES.get, chat=lambda chat: ("", "Club")
)


def sentence(kind: str, values: dict[str, Any] | None = None, language: str = "en", **fields: Any) -> str:
    """The body of the note of a service message that Anna (7) caused."""
    message = Message(
        chat_id=_CHAT.id, id=6, date=0, kind="service", sender_id=7, action=Action(kind, values or {}), **fields
    )
    note = render_message([message], _CHAT, _LINKS, RenderOptions(language=language), Templates(load_builtin))
    return note.text.partition("\n---\n\n")[2].strip()


@pytest.mark.parametrize(
    ("kind", "values", "text"),
    [
        ("chat_add_user", {"users": [7]}, "[[People/Anna|Anna]] joined"),
        ("chat_add_user", {"users": [8, 9]}, "[[People/Anna|Anna]] added Bob \\*b\\* and [[People/Cy|Cy]]"),
        ("chat_delete_user", {"user_id": 7}, "[[People/Anna|Anna]] left"),
        ("chat_edit_title", {"title": "A [[b]]"}, "[[People/Anna|Anna]] changed the title to “A \\[\\[b\\]\\]”"),
        ("chat_joined_by_link", {"inviter_id": 9}, "[[People/Anna|Anna]] joined by an invite link of [[People/Cy|Cy]]"),
        ("phone_call", {"video": True, "duration": 75}, "Video call, 1:15"),
        ("phone_call", {"reason": "missed"}, "Missed call"),
        ("group_call", {"duration": 7200}, "The call ended after 2 hours"),
        ("set_messages_ttl", {"period": 86400}, "[[People/Anna|Anna]] set messages to disappear after 1 day"),
        ("set_messages_ttl", {}, "[[People/Anna|Anna]] turned disappearing messages off"),
        ("payment_sent", {"currency": "EUR", "total_amount": 1250}, "[[People/Anna|Anna]] paid 12.50 EUR"),
        ("gift_stars", {"stars": 50}, "[[People/Anna|Anna]] gave 50 stars"),
        ("paid_messages_refunded", {"stars": {"amount": 3}}, "[[People/Anna|Anna]] paid back 3 stars"),
        ("topic_edit", {"closed": False}, "[[People/Anna|Anna]] reopened the topic"),
        ("channel_create", {"title": "Club"}, "[[People/Anna|Anna]] created the group “Club”"),
        ("custom_action", {"message": "Hi <% x"}, "Hi <\\% x"),
        (
            "gift_premium",
            {"days": 90, "message": "For *you*\n"},
            "[[People/Anna|Anna]] gave Telegram Premium for 90 days: “For \\*you\\*”",
        ),
        (
            "suggested_post_approval",
            {"rejected": True, "reject_comment": "no"},
            "[[People/Anna|Anna]] rejected the suggested post: “no”",
        ),
        ("giveaway_results", {"winners_count": 1}, "The giveaway ended: 1 winner"),
        ("dance", {}, "A service message of a kind that tobs has no words for yet (dance); it is kept in the archive."),
    ],
)
def test_an_action_is_told_in_a_sentence(kind: str, values: dict[str, Any], text: str) -> None:
    assert sentence(kind, values) == text


def test_a_pinned_message_is_linked() -> None:
    assert sentence("pin_message", reply=Reply(5)) == "[[People/Anna|Anna]] pinned [[Club/5|message 5]]"
    assert sentence("pin_message", reply=Reply(4)) == "[[People/Anna|Anna]] pinned [message 4](https://t.me/club/4)"
    assert sentence("pin_message") == "[[People/Anna|Anna]] pinned an earlier message"


def test_tasks_that_were_ticked_off_are_counted() -> None:
    text = sentence("todo_completions", {"completed": [1, 2]}, reply=Reply(5))
    assert text == "[[People/Anna|Anna]] ticked off 2 tasks of [[Club/5|message 5]]"


def test_every_action_of_the_layer_has_a_sentence() -> None:
    from tobs.telegram.convert.basics import snake

    names = [name for name in dir(types) if name.startswith("MessageAction")]
    kinds = [snake(name.removeprefix("MessageAction")) for name in names]
    assert len(kinds) > 50
    assert [kind for kind in kinds if not has_text(f"action.{kind}")] == []
    for kind in kinds:
        for language in LANGUAGES:
            assert sentence(kind, language=language) or kind == "custom_action"


def test_the_languages_have_the_same_words_with_the_same_places() -> None:
    places = {
        language: {key: {name for _, name, _, _ in Formatter().parse(text) if name} for key, text in words.items()}
        for language, words in LANGUAGES.items()
    }
    assert places["de"] == places["en"]


def test_the_second_language_says_all_of_it_in_its_own_words() -> None:
    """What is the same in both is so because people say it the same; a sentence that nobody translated is not."""
    english, german = LANGUAGES["en"], LANGUAGES["de"]
    same = {text for key, text in english.items() if german[key] == text and any(map(str.isalpha, text))}
    same = {text for text in same if not text.startswith("{")}
    kept = {"Album", "Audio", "Bot", "Chat", "Chats", "Format", "GIF", "Genre", "Link", "Quiz", "Sticker", "Text"}
    assert same <= kept | {"Video"}


def test_a_language_is_found_by_its_code_and_english_stands_in() -> None:
    assert catalogue("de-AT")("poll") == "Umfrage"
    assert catalogue("xx")("poll") == "Poll"
    assert [catalogue("en")("votes", n=n) for n in (0, 1, 2)] == ["0 votes", "1 vote", "2 votes"]
    assert sentence("chat_add_user", {"users": [7]}, language="de") == "[[People/Anna|Anna]] ist beigetreten"
