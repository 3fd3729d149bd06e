"""The stream of a JSON file: the same values as json reads, in pieces of any size, and where it breaks."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tobs.sources.desktop import stream as module
from tobs.sources.desktop.stream import JsonStream, NotJson, Truncated

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def read(text: str) -> list[Any]:
    return list(JsonStream(io.StringIO(text)).items())


@given(st.lists(_JSON, max_size=6), st.integers(1, 40), st.booleans())
def test_values_are_read_as_json_reads_them_whatever_the_size_of_the_pieces(
    values: list[Any], chunk: int, pretty: bool
) -> None:
    text = json.dumps(values, indent=2 if pretty else None, ensure_ascii=chunk % 2 == 0)
    before, module.CHUNK = module.CHUNK, chunk
    try:
        assert read(text) == values
    finally:
        module.CHUNK = before


@given(st.dictionaries(st.text(), _JSON, max_size=4))
def test_members_come_with_their_values(value: dict[str, Any]) -> None:
    stream = JsonStream(io.StringIO(json.dumps(value)))
    assert {key: stream.value() for key in stream.members()} == value


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers(), max_size=3), min_size=1, max_size=5), st.data())
def test_a_file_that_ends_too_early_gives_what_is_whole(values: list[Any], data: st.DataObject) -> None:
    text = json.dumps(values)
    cut = data.draw(st.integers(1, len(text) - 1))
    found = []
    with pytest.raises(Truncated):
        for value in JsonStream(io.StringIO(text[:cut])).items():
            found.append(value)
    assert found == values[: len(found)]


def test_control_characters_as_the_exporter_writes_them_are_read() -> None:
    assert read(r'["a\x1Fb", "c\\x41", "\\\x01"]') == ["a\x1fb", r"c\x41", "\\\x01"]


def test_of_a_key_that_is_there_twice_both_values_are_kept() -> None:
    assert read('[{"text": "pressed", "text": ""}]') == [{"text": "", "text#1": "pressed"}]


@pytest.mark.parametrize("text", ['[{"a": nonsense}]' + " " * 100, "[1, 2 3]", "[1}", '{"a" 1}' + " " * 50])
def test_what_is_no_json_is_told_as_such(text: str) -> None:
    with pytest.raises((NotJson, Truncated)) as caught:
        stream = JsonStream(io.StringIO(text))
        if text[0] == "[":
            list(stream.items())
        else:
            for _ in stream.members():
                stream.value()
    assert isinstance(caught.value, NotJson)


def test_garbage_in_a_large_file_is_not_read_to_the_end() -> None:
    class Endless(io.StringIO):
        asked = 0

        def read(self, size: int | None = -1) -> str:
            Endless.asked += 1
            return '[{"a": oops}, ' + " " * 1000 if Endless.asked == 1 else " " * 1000

    with pytest.raises(NotJson):
        list(JsonStream(Endless()).items())
    assert Endless.asked <= 3


def test_a_number_may_be_cut_anywhere() -> None:
    text = "[-1.5, 1e5, 2.5E-3, 3e+2, 0]"
    before = module.CHUNK
    try:
        for module.CHUNK in range(1, len(text)):
            assert read(text) == json.loads(text), module.CHUNK
    finally:
        module.CHUNK = before
