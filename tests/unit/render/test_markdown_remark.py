"""A second party reads Markdown back: remark, with GitHub's extensions and formulas.

Texts and entities are drawn from a seed; ``TOBS_MARKDOWN_SEED`` and ``TOBS_MARKDOWN_CASES`` draw others and more.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.unit.render.reading import IGNORED
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
    """The characters that are no space with their styles; addresses that remark finds by itself are no links."""
    characters = []
    for text, told in read["runs"]:
        styles = {"link" if style == f"link {_URL}" else style for style in told}
        styles = {style for style in styles if not style.startswith("link ")}
        characters += [(char, bare(styles)) for char in text if not char.isspace() and char not in IGNORED]
    return characters


def bare(styles: set[str] | frozenset[str]) -> frozenset[str]:
    """Code has no HTML styles around it, and what would have to be HTML there is left out."""
    return frozenset({"code"} if "code" in styles else styles)


def test_remark_reads_back_the_text_and_its_styles_and_nothing_else() -> None:
    random = Random(int(os.environ.get("TOBS_MARKDOWN_SEED", "1")))
    cases = [drawn(random, list(STYLES)) for _ in range(int(os.environ.get("TOBS_MARKDOWN_CASES", "3000")))]
    found = remark([to_markdown(text, entities) for text, entities in cases])
    for (text, entities), read in zip(cases, found, strict=True):
        wanted = [(char, styles) for char, styles in expected(text, entities)]
        if any({"spoiler", "code"} <= styles for _, styles in wanted):
            continue  # a spoiler is shown as text
        assert read["kinds"] == [], (text, entities)
        assert shown(read) == [(char, bare(styles)) for char, styles in wanted], (text, entities)


def test_remark_sees_what_is_live() -> None:
    [read] = remark(["# a\n\n| b |\n| - |\n\n$c$ <script>"])
    assert {"heading", "table", "inlineMath"} <= set(read["kinds"])
    [read] = remark(["**a** `b`"])
    assert read["runs"] == [["a", ["bold"]], [" ", []], ["b", ["code"]]]
