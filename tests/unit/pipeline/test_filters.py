from __future__ import annotations

import re
from datetime import UTC, datetime
from unicodedata import east_asian_width
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tobs.errors import UsageError
from tobs.model import FileItem, Location, Message, Poll, WebPage
from tobs.model.requests import MessageFilter
from tobs.pipeline.select.expression import SAMPLE, TYPES, compile_where, fields_of, message_type
from tobs.pipeline.select.filters import Filters, message_test, read_filters

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC).timestamp()
BERLIN = ZoneInfo("Europe/Berlin")


def message(**fields: object) -> Message:
    return Message(**{"chat_id": 5, "id": 7, "date": int(NOW), "text": "Ring the bell", "sender_id": 9, **fields})


def read(**asked: object) -> Filters:
    return read_filters(MessageFilter(**asked), now=NOW, zone=BERLIN)


def test_a_plain_date_begins_a_since_and_ends_an_until() -> None:
    found = read(since="2024-03-01", until="2024-03-02")
    assert datetime.fromtimestamp(found.since, BERLIN) == datetime(2024, 3, 1, tzinfo=BERLIN)
    assert datetime.fromtimestamp(found.until, BERLIN) == datetime(2024, 3, 3, tzinfo=BERLIN)


def test_ages_and_times_are_understood() -> None:
    assert read(since="7d").since == NOW - 7 * 86_400
    assert read(since="12 h").since == NOW - 12 * 3600
    assert read(until="2024-03-02T10:30").until == datetime(2024, 3, 2, 10, 30, tzinfo=BERLIN).timestamp()
    assert read(until="2024-03-02T10:30+00:00").until == datetime(2024, 3, 2, 10, 30, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"since": "yesterday"}, "--since 'yesterday' is no date"),
        ({"until": "2024-13-01"}, "--until '2024-13-01' is no date"),
        ({"since": "2024-03-05", "until": "2024-03-01"}, "--since is not before --until"),
        ({"min_id": 5, "max_id": 4}, "--min-id is above --max-id"),
        ({"limit": 0}, "--limit 0 is no positive number"),
        ({"types": ("photo,pictures",)}, "--type pictures is not known"),
    ],
)
def test_what_is_wrong_with_a_filter_is_told_with_a_remedy(asked: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        read(**asked)
    assert caught.value.remedy and caught.value.exit_code == 2


def test_no_filter_asked_for_is_no_filter() -> None:
    assert read().is_empty and message_test(read(), (), UTC) is None
    assert not read(limit=5).by_content and read(where="id > 1").by_content


def test_the_type_of_a_message_is_one_word() -> None:
    assert message_type(message()) == "text"
    assert message_type(message(media=WebPage(url="https://x.org"))) == "text"
    assert message_type(message(media=FileItem("voice"))) == "voice"
    assert message_type(message(media=Location(1.0, 2.0))) == "location"
    assert message_type(message(kind="service")) == "service"
    assert {"poll", "sticker", "gif", "round"} <= set(TYPES)


def test_a_message_has_to_pass_every_filter() -> None:
    test = message_test(read(types=("text",), senders=("@x",), where="'bell' in text"), [9], UTC)
    assert test is not None
    assert test(message())
    assert not test(message(sender_id=8))
    assert not test(message(text="Ring"))
    assert not test(message(media=FileItem("photo")))


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("views > 100 and 'bell' in lower(text)", True),
        ("text.startswith('Ring') and not has_media", True),
        ("type in ('photo', 'text')", True),
        ("date >= '2024-03-10' and year == 2024", True),
        ("len(text) < 5", False),
        ("views / 2 > 100 if views else False", False),
    ],
)
def test_where_looks_at_the_fields_of_a_message(expression: str, fits: bool) -> None:
    assert compile_where(expression, UTC)(message(views=120)) is fits


def test_where_knows_every_field_it_names() -> None:
    assert set(fields_of(message(media=Poll("Q?")), UTC)) == set(SAMPLE)


@pytest.mark.parametrize(
    ("expression", "column", "said"),
    [
        ("views > 100 and vews", 17, "no field 'vews'"),
        ("views >", 8, ""),
        ("views > 'x'", 1, "not supported"),
        ("text and (id + text)", 11, "unsupported"),
        ("text.__class__", 1, "'.__class__' is not known"),
        ("text.format(1)", 1, "'.format' is not known"),
        ("open('x')", 1, "no field 'open'"),
        ("[x for x in text]", 1, "not part of this language"),
        ("(lambda: 1)()", 1, ""),
        ("", 1, ""),
        ("a = 1", 1, ""),
        ("import os", 1, ""),
    ],
)
def test_an_error_in_where_points_at_its_place(expression: str, column: int, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_where(expression, UTC)
    assert said in caught.value.message
    place = re.search(r"column (\d+)", caught.value.message)
    if place is None:
        assert "at its end" in caught.value.message and column > len(expression)
    elif said:
        assert int(place[1]) == column
    assert caught.value.remedy


@pytest.mark.parametrize("expression", ["views >", "text ==", "views > 1 and", "not", "1 +", ""])
def test_what_breaks_off_is_pointed_at_where_it_ends(expression: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_where(expression, UTC)
    assert "at its end" in caught.value.message
    shown, caret = caught.value.detail.split("\n")
    assert caret.index("^") == 4 + len(expression), shown


@pytest.mark.parametrize(
    ("expression", "under"),
    [
        ("views > 100 and vews == 1", "vews == 1"),
        ("'Kovač 🥖' in text and vews", "vews"),
        ("'日本' in text and (views >", ""),
        ("(views > 1\n and vews)", "vews)"),
    ],
)
def test_the_place_of_an_error_is_pointed_at(expression: str, under: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_where(expression, UTC)
    shown, caret = caught.value.detail.split("\n")
    cells, wide = caret.index("^"), sum(2 if east_asian_width(letter) in "WF" else 1 for letter in shown)
    assert shown.strip() == " ".join(expression.splitlines())
    rest = shown.removeprefix("    ")
    while sum(2 if east_asian_width(letter) in "WF" else 1 for letter in rest) > wide - cells:
        rest = rest[1:]
    assert not under or rest == under


def test_where_that_fails_on_a_message_names_it() -> None:
    with pytest.raises(UsageError, match="message 7"):
        compile_where("1 / topic_id > 0", UTC)(message())


@given(st.text(alphabet="views text()'\"<>=+-*/.,[]{}:1 and or not in if else lambda", max_size=40))
def test_any_expression_is_compiled_or_refused_as_a_usage_error(expression: str) -> None:
    try:
        test = compile_where(expression, UTC)
        test(message())
    except UsageError as error:
        assert error.remedy
