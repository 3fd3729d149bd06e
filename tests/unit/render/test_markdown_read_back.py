"""The converter's semantics: a CommonMark parser gives back the text and the styles of the entities."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.render.reading import IGNORED, read
from tobs.model import Entity
from tobs.render.markdown import to_markdown

ALPHABET = "ab1 \n_*`~[]()<>#+-=.!|\\&;:%$^\"'/@{}«»—…é语😀👍🏽\u00a0€x2y\t"
LINES = (
    "- a", "1. b", "# c", "> d", "```", "~~~", "---", "===", "|a|b|", "|-|-|", "    e", "\tf", "**g**", "z  ",
    "__h__", "[i](j)", "![k](l)", "<b>m</b>", "<!-- n -->", "[^1]: o", "[[p]]", "==q==", "%%r%%", "$s$", "-",
    "a ^t", "u:: v", "&amp;", "\\", "<% w %>", "* * *", "_ _ _", "+ x", "2) y", "=", "--|--", ":--", "",
    "http://a/_b_",
)  # fmt: skip
_TEXTS = st.one_of(
    st.text(st.sampled_from(ALPHABET), max_size=40),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=25),
    st.lists(st.sampled_from(LINES), max_size=6).map("\n".join),
)
STYLES = {"bold": "bold", "italic": "italic", "strikethrough": "strike", "underline": "underline",
           "spoiler": "spoiler", "code": "code", "text_link": "link"}  # fmt: skip
_HTML_ONLY = frozenset({"underline", "spoiler"})


def _entities(kinds: list[str], longest: int = 45) -> st.SearchStrategy[list[Entity]]:
    one = st.builds(
        lambda kind, offset, length: Entity(
            kind, offset, length, url="https://e.example/a_b?c=(d)&e" if kind == "text_link" else ""
        ),
        st.sampled_from(kinds),
        st.integers(0, longest),
        st.integers(0, longest),
    )
    return st.lists(one, max_size=6)


def units(text: str) -> list[int]:
    """For each UTF-16 unit of a text the index of its character."""
    return [n for n, char in enumerate(text) for _ in range(len(char.encode("utf-16-le")) // 2)]


def expected(text: str, entities: list[Entity]) -> list[tuple[str, frozenset[str]]]:
    """The characters that are no space, each with the styles of the entities over it."""
    at = units(text)
    styles: list[set[str]] = [set() for _ in text]
    for entity in entities:
        for unit in range(entity.offset, min(entity.offset + entity.length, len(at))):
            styles[at[unit]].add(STYLES[entity.kind])
    return [
        (char, frozenset(found))
        for char, found in zip(text, styles, strict=True)
        if not char.isspace() and char not in IGNORED
    ]


def comparable(shown: list[tuple[str, Any]]) -> list[tuple[str, frozenset[str]]]:
    """Code that HTML could read has no HTML styles around it, and what would have to be HTML there is left out."""
    return [(char, styles & {"code"} if "code" in styles else styles) for char, styles in shown]


@given(_TEXTS, _entities(["bold", "italic", "strikethrough", "underline", "spoiler"]))
@example("да«нет»да", [Entity("strikethrough", 2, 5)])
@example("да«нет»да", [Entity("bold", 2, 5)])
def test_styles_are_read_back(text: str, entities: list[Entity]) -> None:
    shown, blocks = read(to_markdown(text, entities))
    assert shown == expected(text, entities)
    assert blocks <= {"p"}


@given(_TEXTS, _entities(list(STYLES)))
def test_links_and_code_are_read_back_with_the_styles_around(text: str, entities: list[Entity]) -> None:
    shown, blocks = read(to_markdown(text, entities))
    wanted = expected(text, entities)
    if not re.search("[<&]", text):
        assert shown == wanted
    elif not any({"spoiler", "code"} <= styles for _, styles in wanted):
        assert comparable(shown) == comparable(wanted)
    assert blocks <= {"p"}


@given(_TEXTS)
def test_text_without_entities_is_read_back_as_plain_text(text: str) -> None:
    shown, blocks = read(to_markdown(text, ()))
    assert shown == expected(text, [])
    assert blocks <= {"p"}
