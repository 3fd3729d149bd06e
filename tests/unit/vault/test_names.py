"""The rules of a name: a table of what people call things, and properties for what nobody would."""

from __future__ import annotations

import re
from itertools import islice
from unicodedata import is_normalized

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tobs.model import path_key
from tobs.vault.names import (
    MAX_BYTES,
    MAX_PATH,
    MAX_TITLE,
    MAX_WORDS,
    candidates,
    clean_name,
    first_words,
    fit,
    shorten,
)

ANYTHING = st.text(alphabet=st.one_of(st.characters(), st.characters(categories=["Cs", "Cc", "Cf"])), max_size=300)
NASTY = st.text(alphabet='.% #^[]|\\/:*?"<>\u200d\u202e\u3164\u0301\n\x00conaux1é👍', max_size=40)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Plain name", "Plain name"),
        ("AC/DC\\live", "AC-DC-live"),
        ("What? Yes: 10:30 *now*", "What Yes 10 30 now"),
        ("C# [draft] | news ^1", "C draft news 1"),
        ("50%% off, 100% sure", "50 off, 100% sure"),
        ("He said “Hello?” and rang", "He said “Hello” and rang"),
        ('Line 57: "baker". Yes', "Line 57 baker. Yes"),
        ("[draft], news", "draft, news"),
        ("either*or", "either or"),
        ("  ..hidden.. ", "hidden"),
        ("../../etc/passwd", "-..-etc-passwd"),
        ("..", ""),
        ("line\nbreak\ttab", "line break tab"),
        ("nul\x00in\x1bside", "nulinside"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("\u3164\u2800", ""),
        ("\ud83d lone", "lone"),
        ("Cafe\u0301", "Café"),
        ("con", "con_"),
        ("NUL.txt", "NUL_.txt"),
        ("Com1 .log", "Com1_ .log"),
        ("COM¹", "COM¹_"),
        ("Console", "Console"),
        ("👨‍👩‍👧 family", "👨‍👩‍👧 family"),
        ("می‌خواهم", "می‌خواهم"),
        ("Trailing joiner\u200d", "Trailing joiner"),
    ],
)
def test_a_title_becomes_a_legal_name(title: str, name: str) -> None:
    assert clean_name(title) == name


@given(ANYTHING | NASTY)
def test_whatever_comes_in_a_clean_name_breaks_no_rule(text: str) -> None:
    name = clean_name(text)
    assert not re.search(r'[\\/:*?"<>|#^\[\]\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|%%|  ', name)
    assert name == name.strip(" .")
    assert is_normalized("NFC", name)
    assert len(name.encode()) <= MAX_BYTES
    assert len(name.encode("utf-16-le")) // 2 <= MAX_TITLE
    assert not re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d) *(\..*)?", name)


@given(ANYTHING | NASTY, st.integers(16, 80))
def test_a_clean_name_stays_the_same_when_cleaned_again(text: str, limit: int) -> None:
    name = clean_name(text, limit=limit)
    assert clean_name(name, limit=limit) == name


@given(st.text(alphabet="aß é漢👍", min_size=1, max_size=300), st.integers(16, 300), st.integers(16, 300))
def test_a_shortened_name_keeps_both_limits_and_is_a_beginning(name: str, limit: int, max_bytes: int) -> None:
    short = shorten(name.strip() or "a", limit, max_bytes)
    assert name.strip().startswith(short.rstrip()) or name.strip() == ""
    assert len(short.encode("utf-16-le")) // 2 <= limit
    assert len(short.encode()) <= max_bytes


def test_a_name_of_seventy_thousand_characters_is_cut_at_a_space() -> None:
    name = clean_name("word " * 14_000)
    assert name == ("word " * 12).strip()


def test_a_taken_name_gets_its_id_then_numbers() -> None:
    assert list(islice(candidates("Anna", 7), 4)) == ["Anna", "Anna (7)", "Anna (7) 2", "Anna (7) 3"]


@pytest.mark.parametrize("name", ["People", "people", "MEDIA", "Inbox", "Topics", "Comments", "Audio"])
def test_a_reserved_name_starts_with_its_id(name: str) -> None:
    assert next(candidates(name, -1000000000005)) == f"{name} (-1000000000005)"


def test_a_name_without_anything_legible_is_untitled() -> None:
    assert list(islice(candidates("\u2800", 9), 2)) == ["Untitled", "Untitled (9)"]


def test_the_id_survives_a_long_title() -> None:
    second = list(islice(candidates("Long " * 50, -1001234567890), 2))[1]
    assert second.endswith(" (-1001234567890)")
    assert len(second) <= MAX_TITLE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, world!", "Hello, world!"),
        ("Hello,\n\nworld", "Hello, world"),
        ("- a list\n- of things", "a list - of things"),
        ("**bold** start", "bold start"),
        ("see https://user:pw@example.com/a/very/long?path=1#x now", "see example.com now"),
        ("", "photo"),
        ("???", "photo"),
        ("—", "photo"),
        ("👍", "👍"),
        ("Привет, мир", "Привет, мир"),
        ("A sentence that is much longer than the name of a note", "A sentence that is much longer than the name of"),
        ("[[Forged]] link #tag ^block", "Forged link tag block"),
    ],
)  # fmt: skip
def test_a_note_is_called_by_the_first_words_of_its_message(text: str, words: str) -> None:
    assert first_words(text, "photo") == words


@pytest.mark.parametrize(("otherwise", "words"), [("../../evil.pdf", "-..-evil.pdf"), ("", "Untitled")])
def test_what_a_note_is_called_otherwise_is_not_believed_either(otherwise: str, words: str) -> None:
    assert first_words("", otherwise) == words


@given(ANYTHING | NASTY)
def test_first_words_are_never_empty_and_never_too_long(text: str) -> None:
    words = first_words(text, "photo")
    assert words
    assert len(words.encode("utf-16-le")) // 2 <= MAX_WORDS
    assert "/" not in words


@given(st.text(alphabet="ab 漢👍", max_size=200).map(clean_name), st.integers(1, 100))
def test_a_path_keeps_its_budget_while_its_folder_leaves_room(name: str, depth: int) -> None:
    folder = "x" * depth
    path = fit(folder, f"2024 {name}".strip(), ".md")
    assert path.startswith(f"{folder}/2024")
    assert path.endswith(".md")
    assert len(path.encode("utf-16-le")) // 2 <= MAX_PATH
    assert len(path.rpartition("/")[2].encode()) <= MAX_BYTES


def test_paths_that_differ_in_case_or_composition_have_one_key() -> None:
    assert path_key("A/Straße.md") == path_key("a/STRASSE.MD")
    assert path_key("Cafe\u0301") == path_key("CAFÉ")
    assert path_key("a") != path_key("b")
