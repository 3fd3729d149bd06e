"""Reads Markdown back: the characters a CommonMark parser shows, each with its styles."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["strikethrough", "table"])
_OPEN = {"strong_open": "bold", "em_open": "italic", "s_open": "strike", "link_open": "link"}
_CLOSE = {"strong_close": "bold", "em_close": "italic", "s_close": "strike", "link_close": "link"}
_HTML = {"b": "bold", "i": "italic", "u": "underline", "span": "spoiler"}
IGNORED = "\u200b"

Styled = tuple[str, frozenset[str]]


def read(markdown: str) -> tuple[list[Styled], set[str]]:
    """(characters that are no space, each with its styles), the kinds of blocks they stand in."""
    shown: list[Styled] = []
    blocks: set[str] = set()
    quotes = 0
    for token in _PARSER.parse(markdown):
        quotes += token.nesting if token.type.startswith("blockquote") else 0
        around = {"quote"} if quotes else set()
        if token.type == "inline":
            _inline(token.children or [], shown, around)
        elif token.type in ("fence", "code_block", "html_block"):
            blocks.add(token.type)
            _add(shown, token.content, around | {"pre"})
        elif token.nesting == 1:
            blocks.add(token.tag)
    return shown, blocks


def _inline(tokens: Sequence[Token], shown: list[Styled], around: set[str]) -> None:
    open_styles: list[str] = []
    for token in tokens:
        if token.type in _OPEN:
            open_styles.append(_OPEN[token.type])
        elif token.type in _CLOSE:
            open_styles.remove(_CLOSE[token.type])
        elif token.type == "html_inline":
            name = token.content.strip("</>").split()[0]
            assert name in _HTML, f"foreign HTML {token.content}"
            if token.content.startswith("</"):
                open_styles.remove(_HTML[name])
            else:
                assert token.content in ("<b>", "<i>", "<u>", '<span class="tg-spoiler">')
                open_styles.append(_HTML[name])
        elif token.type == "code_inline":
            _add(shown, token.content, {*open_styles, *around, "code"})
        elif token.type in ("text", "text_special"):
            _add(shown, token.content, {*open_styles, *around})
        else:
            assert token.type in ("softbreak", "hardbreak"), f"live {token.type}"


def _add(shown: list[Styled], text: str, styles: set[str]) -> None:
    shown += [(char, frozenset(styles)) for char in text if not char.isspace() and char not in IGNORED]
