"""The note of a day or month: its blocks, and taking it apart again."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import yaml
from hypothesis import given
from hypothesis import strategies as st

from tobs.model import Action, Chat, Entity, FileItem, Message, Reaction
from tobs.render import Attachment, Links, PeriodNote, RenderOptions, Templates, load_builtin, render_period
from tobs.vault.merge.blocks import split_body

_CHAT = Chat(-1000000000005, "supergroup", "Club", username="club", migrated_from=-9)
_OLD = Chat(-9, "group", "Circle")
_LINKS = Links(
    message=lambda chat, message: f"Telegram/Club/2023/2023-11-14#^m{message}" if message < 10 else None,
    person=lambda marked: (f"Telegram/People/{marked}", f"P{marked}") if marked in (7, 8) else None,
    chat=lambda marked: ("Telegram/Club/Club", "Club") if marked == _CHAT.id else None,
    attachment=lambda message, index: Attachment("placed", f"Telegram/Club/media/{message.id}.jpg"),
)
_TEMPLATES = Templates(load_builtin)
_NOON = 1_700_000_000  # 2023-11-14 23:13 in Berlin


def text_of(*units: list[Message], period: str = "2023-11-14", zone: str = "Europe/Berlin") -> str:
    note = PeriodNote(f"{_CHAT.id}/{period}", period, _CHAT, units, _OLD)
    return render_period(note, _LINKS, RenderOptions(timezone=ZoneInfo(zone)), _TEMPLATES).text


def message(number: int, text: str = "", **fields: Any) -> Message:
    fields = {"chat_id": _CHAT.id, "sender_id": 7, "date": _NOON, **fields}
    return Message(id=number, text=text, **fields)


def test_a_block_has_who_and_when_and_what() -> None:
    note = text_of(
        [message(20, "Hello #tea", entities=(Entity("hashtag", 6, 4),), reactions=(Reaction(2, "👍"),), views=5)],
        [message(n, "Two" if n == 21 else "", media=FileItem("photo"), album_id=4, sender_id=8) for n in (21, 22)],
        [message(23, kind="service", action=Action("pin_message"), edited=_NOON + 60)],
    )
    head, _, body = note.partition("\n---\n\n")
    assert body == (
        "**[[Telegram/People/7|P7]]** [23:13](https://t.me/club/20) ^m20\n\nHello #tea\n\n*👍 2, 5 views*\n\n"
        "**[[Telegram/People/8|P8]]** [23:13](https://t.me/club/21) ^m21\n\n![[Telegram/Club/media/21.jpg]]\n\n"
        "![[Telegram/Club/media/22.jpg]]\n\nTwo\n\n"
        "[23:13](https://t.me/club/23), *edited 2023-11-14 23:14* ^m23\n\n"
        "[[Telegram/People/7|P7]] pinned an earlier message\n"
    )
    properties = yaml.safe_load(head.removeprefix("---\n"))
    assert properties["tobs_id"] == f"{_CHAT.id}/2023-11-14"
    assert properties["date"].isoformat() == "2023-11-14T00:00:00" and properties["date_unix"] == 1699916400
    assert properties["messages"] == 4 and properties["tags"] == ["tea"]
    assert properties["senders"] == ["[[Telegram/People/7|P7]]", "[[Telegram/People/8|P8]]"]
    assert properties["media"] == ["[[Telegram/Club/media/21.jpg]]", "[[Telegram/Club/media/22.jpg]]"]


def test_messages_of_the_old_group_have_a_mark_of_their_own_and_no_address() -> None:
    note = text_of([message(5, "old", chat_id=_OLD.id)], [message(5, "new")])
    assert "**[[Telegram/People/7|P7]]** 23:13 ^g5\n\nold" in note
    assert "[23:13](https://t.me/club/5) ^m5\n\nnew" in note


def test_a_month_has_a_heading_for_each_day() -> None:
    note = text_of([message(1, "a")], [message(2, "b")], [message(3, "c", date=_NOON + 86_400)], period="2023-11")
    assert note.count("\n## 2023-11-14\n") == note.count("\n## 2023-11-15\n") == 1
    marks = [block.message or block.text for block in split_body(note).blocks if block.message or "## " in block.text]
    assert marks == ["## 2023-11-14", "m1", "m2", "## 2023-11-15", "m3"]
    assert "date: 2023-11-01T00:00:00" in note


_LINES = st.sampled_from(
    ["x ^m7", "**A** 10:00 ^m8", "## 2023-11-14", "```", "~~~~", "> q", "- l ^g1", "", "plain", "`c ^m9`", "    ^m3"]
)
_KINDS = st.sampled_from(["pre", "code", "bold", "spoiler", "blockquote", "italic"])


@given(st.lists(st.tuples(st.lists(_LINES, min_size=1, max_size=6), _KINDS), min_size=1, max_size=4))
def test_no_message_can_forge_a_block(told: list[tuple[list[str], str]]) -> None:
    units = []
    for number, (lines, kind) in enumerate(told, 1):
        text = "\n".join(lines)
        units.append([message(number, text, entities=(Entity(kind, 0, len(text)),) if text else ())])
    note = text_of(*units)
    found = [block.message for block in split_body(note).blocks if block.message]
    assert found == [f"m{number}" for number in range(1, len(told) + 1)]
