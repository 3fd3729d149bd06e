"""Front matter reads back the same in PyYAML and in npm's strict parser, and carries a hash of the note."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tobs.render.frontmatter import Link, Value, front_matter, managed_hash, stored_hash, with_hash

_JS = Path(__file__).parents[2] / "js"
_TRICKY = [
    "1e3", "12e5", "0o17", "0x1f", "1_000", "1:30", "yes", "No", "null", "~", "", " ", "- a", "a: b", "a #b", "#a", "'",
    '"', "\\", "\\n", "a\nb", "\ta", "[[a]]", "[[[", "[a](b)", "<% x %>", "{a}", "%a", "@a", "`a`", "!a", "&a", "*a",
    "|", ">", "?", "---", "...", "2024-01-02", "2024-01-02T03:04:05", "é", "\u0085", "\u2028", "\ufeff", "\x7f", "\x00",
    "\x9f", "😀", "\u200f", "\ud800", "\uffff", "=", "<<", "1234567890123456789",
    "\u202a", "a\u202eb", "\u2066", "\u061c", "on", "a" * 300, "trailing ", "a  b",
]  # fmt: skip
_STRINGS = st.one_of(st.sampled_from(_TRICKY), st.text(max_size=20))
_VALUES: st.SearchStrategy[Value] = st.one_of(
    _STRINGS,
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)).map(
        lambda at: at.replace(microsecond=0)
    ),
    st.lists(_STRINGS, max_size=4),
    st.booleans(),
)
_PROPERTIES = st.dictionaries(
    st.sampled_from(["date", "title", "tags", "views", "media", "reply_to"]), _VALUES, max_size=6
)


def _safe(text: str) -> str:
    """What a string becomes: lone surrogates cannot be kept, brackets of links and Templater's mark are parted."""
    text = "".join("\ufffd" if 0xD800 <= ord(char) <= 0xDFFF else char for char in text)
    while "[[" in text:
        text = text.replace("[[", "[\u200b[")
    return text


def _expected(properties: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in properties.items() if value != "" and value != []}
    return {name: _plain(value) for name, value in kept.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_safe(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return _safe(value) if isinstance(value, str) else value


@pytest.mark.parametrize(
    "mark", [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C, 0x2028, 0x2029]
)
def test_marks_that_would_reorder_or_break_a_property_on_the_screen_are_escaped(mark: int) -> None:
    text = front_matter({"title": f"a{chr(mark)}b"}.items())
    assert chr(mark) not in text and f"a\\u{mark:04x}b" in text
    assert yaml.safe_load(text.removesuffix("---\n"))["title"] == f"a{chr(mark)}b"


@given(_PROPERTIES)
def test_pyyaml_reads_back_what_was_written(properties: dict[str, Value]) -> None:
    text = front_matter(properties.items())
    assert text.startswith("---\n") and text.endswith("---\n") and "<%" not in text and "\r" not in text
    read = yaml.safe_load(text.removesuffix("---\n")) or {}
    assert {name: _plain(value) for name, value in read.items()} == _expected(properties)
    assert text.encode("utf-8")


def _node() -> str:
    """Node with the parser installed; without them the test fails where it must run, and says so where it may not."""
    node = shutil.which("node")
    if node and (_JS / "node_modules" / "yaml").is_dir():
        return node
    reason = "npm's yaml is not installed: run `make test`, or `npm install` in tests/js"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def test_the_strict_parser_of_npm_reads_the_same_as_pyyaml() -> None:
    node = _node()
    notes = [
        {"title": text, "aliases": [text, text], "date": datetime(2024, 1, 2, 3, 4, 5), "views": 3} for text in _TRICKY
    ]
    notes += [{"duration": number} for number in (0.5, 1e21, 1.5e-7, 12, -3)]
    sources = [front_matter(note.items()).removeprefix("---\n").removesuffix("---\n") for note in notes]
    answer = subprocess.run(
        [node, "read_front_matter.mjs"], cwd=_JS, input=json.dumps(sources), capture_output=True, text=True, check=True
    )
    for source, read in zip(sources, json.loads(answer.stdout), strict=True):
        assert not read["problems"], source
        assert read["value"] == {name: _plain(value) for name, value in yaml.safe_load(source).items()}


def test_links_keep_their_brackets_and_others_lose_them() -> None:
    assert front_matter([("a", Link("[[N|x]]")), ("b", "[[N]]")]) == '---\na: "[[N|x]]"\nb: "[\u200b[N]]"\n---\n'


def test_the_prefix_spares_the_ids_and_obsidians_own_properties() -> None:
    text = front_matter([("tobs_id", "1"), ("date_unix", 1), ("tags", ["a"]), ("aliases", ["b"])], "tg_")
    assert [line.partition(":")[0] for line in text.split("\n") if ":" in line] == [
        "tobs_id", "tg_date_unix", "tags", "aliases"
    ]  # fmt: skip


def test_a_note_carries_the_hash_of_itself() -> None:
    text = with_hash(front_matter([("tobs_id", "1"), ("title", "x")]) + "\nBody with\ntobs_hash: abc\n")
    assert text.split("\n")[2].startswith("tobs_hash: ")
    assert managed_hash(text) == stored_hash(text)
    assert managed_hash(text.replace("Body", "Other")) != stored_hash(text)
    assert managed_hash(text.replace('title: "x"', 'title: "y"')) != stored_hash(text)


def test_a_text_without_front_matter_has_a_hash_but_carries_none() -> None:
    assert stored_hash("Just words\n") == ""
    assert managed_hash("Just words\n") == managed_hash("Just words\n") != managed_hash("Other words\n")
