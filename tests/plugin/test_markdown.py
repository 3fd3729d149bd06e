"""Text from elsewhere stays text: judged by a parser of Markdown, and by what plugins of Obsidian look for."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tobs.plugin import escaped

_MARKS = st.text(alphabet="ab1 \\`*_[]<>#~|$^&!-+=:%.()/\n", max_size=40)


@given(_MARKS)
@example("<% tp %>")
@example("1. [[a]] #b ==c== d:: e %%f%% obsidian://open javascript://x http://x.org ^id")
@example("a\n===\n- b\n&amp; <b> | $x$ ~~c~~ __d__ ![x](y)")
def test_what_is_shown_is_what_was_there(text: str) -> None:
    lines = [" ".join(line.split()) for line in text.split("\n")]
    for line in lines:
        markdown = escaped(line)
        shown = MarkdownIt("gfm-like", {"linkify": False}).render(markdown)
        assert re.fullmatch(r"(<p>[^<]*</p>)?\n?", shown), markdown
        assert " ".join(html.unescape(re.sub(r"<[^>]*>", "", shown)).split()) == line
        for sign in ("[[", "<%", "%%", "::", "==", "obsidian://", "javascript://"):
            assert sign not in markdown


@pytest.mark.parametrize("text", ["one\n- two\n\n# three\n1) four\n\n    code", "a\n---\nb", "| a | b |\n|---|---|"])
def test_several_lines_stay_paragraphs(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(escaped(text))
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
