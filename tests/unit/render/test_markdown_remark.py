"""A second party reads Markdown back: remark, with GitHub's extensions and formulas.

Texts and entities are drawn from a seed; ``TOBS_MARKDOWN_SEED`` and ``TOBS_MARKDOWN_CASES`` draw others and more.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.unit.render.reading import IGNORED
from tests.unit.render.reading import read as commonmark
from tests.unit.render.test_markdown_read_back import ALPHABET, LINES, STYLES, expected
from tobs.model import Entity
from tobs.render.markdown import to_markdown

_JS = Path(__file__).parents[2] / "js"
_URL = "https://e.example/a_b?c=(d)&e"
_MORE = (
    "www.e.example", "a@b.example", "[x]: y", "[^1]", "$$", "$$ x", "~a~", "a | b", "- | -", "&#35;", "</b>", "<b",
    "b>", "]:", "[", "![", "](x)", "<https://x.y>", "<a@b.c>", "#t", "*", "_", "**", "__", "~~", "`", "``", "==", "%%",
    "::",
)  # fmt: skip

_KINDS = [
    *STYLES, "blockquote", "expandable_blockquote", "pre", "url", "hashtag", "mention", "text_mention", "cashtag",
    "email", "bot_command", "custom_emoji", "date_time", "diff_insert", "diff_delete",
]  # fmt: skip
_PASSAGES = (
    ("url", "https://e.x/a_b"), ("url", "https://e.x/*a*"), ("url", "e.x/q"), ("hashtag", "#tag"), ("hashtag", "#a_b_"),
    ("hashtag", "#_x"), ("mention", "@bob"), ("code", "a`b"), ("code", " `"), ("blockquote", "q\nr"), ("pre", "p\n\nq"),
    ("expandable_blockquote", "e"), ("text_mention", "B]b"),
)  # fmt: skip
_BEFORE = ("", "x ", "(", "*", "\n", "- ", "#", "!", "[", "a", "> ", "~~")
_AFTER = ("", " y", ")", "*", "_", "-z", "\n- q", "]", "😀", " ^a", "::", "(b)")


def remark(sources: list[str]) -> list[dict[str, Any]]:
    """What remark reads in each: ``{runs, kinds}``. One process for all of them."""
    node = shutil.which("node")
    if node is None or not (_JS / "node_modules" / "remark-parse").is_dir():
        reason = "remark is not installed: run `make test`, or `npm install` in tests/js"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    done = subprocess.run(
        [node, "read_markdown.mjs"], input=json.dumps(sources), cwd=_JS, capture_output=True, text=True, check=True
    )
    read: list[dict[str, Any]] = json.loads(done.stdout)
    return read


def drawn(random: Random, kinds: list[str]) -> tuple[str, list[Entity]]:
    """A text, and up to four entities anywhere over it."""
    match random.randrange(3):
        case 0:
            text = "".join(random.choices(ALPHABET, k=random.randint(1, 24)))
        case 1:
            text = "\n".join(random.choices(LINES + _MORE, k=random.randint(1, 5)))
        case _:
            text = "".join(random.choices((*LINES, *_MORE, " ", "\n"), k=random.randint(1, 6)))
    spans = [(random.choice(kinds), random.randint(0, len(text)), random.randint(0, len(text))) for _ in range(4)]
    entities = [Entity(kind, at, length, url=_URL if kind == "text_link" else "") for kind, at, length in spans]
    return text, entities[: random.randint(0, 4)]


def shown(read: dict[str, Any]) -> list[tuple[str, frozenset[str]]]:
    """The characters that are no space, each with its styles; addresses that remark finds by itself are no links."""
    characters = []
    for text, told in read["runs"]:
        styles = {"link" if style == f"link {_URL}" else style for style in told}
        styles = {style for style in styles if not style.startswith("link ")}
        characters += [(char, frozenset(styles)) for char in text if not char.isspace() and char not in IGNORED]
    return characters


def bare(styles: set[str] | frozenset[str]) -> frozenset[str]:
    """Code that HTML could read has no HTML styles around it, and what would have to be HTML there is left out."""
    return frozenset({"code"} if "code" in styles else styles)


def test_remark_reads_back_the_text_and_its_styles_and_nothing_else() -> None:
    random = Random(int(os.environ.get("TOBS_MARKDOWN_SEED", "1")))
    cases = [drawn(random, list(STYLES)) for _ in range(int(os.environ.get("TOBS_MARKDOWN_CASES", "3000")))]
    found = remark([to_markdown(text, entities) for text, entities in cases])
    for (text, entities), read in zip(cases, found, strict=True):
        wanted = expected(text, entities)
        assert read["kinds"] == [], (text, entities)
        if not re.search("[<&]", text):
            assert shown(read) == wanted, (text, entities)
        elif not any({"spoiler", "code"} <= styles for _, styles in wanted):
            told = [(char, bare(styles)) for char, styles in shown(read)]
            assert told == [(char, bare(styles)) for char, styles in wanted], (text, entities)


def test_text_with_entities_of_every_kind_is_read_back_by_both_parties() -> None:
    """Quotes, blocks of code, addresses, tags and mentions too, anywhere and over one another."""
    random = Random(int(os.environ.get("TOBS_MARKDOWN_SEED", "2")))
    cases = [
        _with_a_passage(*drawn(random, _KINDS), random)
        for _ in range(int(os.environ.get("TOBS_MARKDOWN_CASES", "1500")))
    ]
    sources = [to_markdown(text, entities) for text, entities in cases]
    for (text, entities), source, told in zip(cases, sources, remark(sources), strict=True):
        wanted = _letters(text)
        assert told["kinds"] == [], (text, entities)
        assert _letters("".join(run for run, _ in told["runs"])) == wanted, (text, entities)
        characters, blocks = commonmark(source)
        assert _letters("".join(char for char, _ in characters)) == wanted, (text, entities)
        assert blocks <= {"p", "blockquote", "fence"}, (text, entities)


def _with_a_passage(text: str, entities: list[Entity], random: Random) -> tuple[str, list[Entity]]:
    """The text, in half of the cases with a passage at its end that is what its entity says."""
    if random.random() < 0.5:
        before, (kind, passage), after = random.choice(_BEFORE), random.choice(_PASSAGES), random.choice(_AFTER)
        offset, length = (len(each.encode("utf-16-le")) // 2 for each in (text + before, passage))
        return text + before + passage + after, [*entities, Entity(kind, offset, length, user_id=7, language="py")]
    return text, entities


def _letters(text: str) -> str:
    """A text without what is no text: blanks, and the heads of folded quotes."""
    bare = "".join(char for char in text if not char.isspace() and char not in IGNORED)
    return bare.replace("[!quote]-", "")


def test_remark_sees_what_is_live() -> None:
    [read] = remark(["# a\n\n| b |\n| - |\n\n$c$ <script>"])
    assert {"heading", "table", "inlineMath"} <= set(read["kinds"])
    [read] = remark(["**a** `b`"])
    assert read["runs"] == [["a", ["bold"]], [" ", []], ["b", ["code"]]]
