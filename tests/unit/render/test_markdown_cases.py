"""The converter against the cases of markdown-cases.json: exact Markdown, or an accepted variant."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tobs.model import Entity
from tobs.render.markdown import hashtags, to_markdown

_CASES = json.loads((Path(__file__).parent / "markdown-cases.json").read_text("utf-8"))["cases"]
_LIVE_TAG = re.compile(r"(?:^|(?<=\s))#([^\s\u2000-\u206f\u2e00-\u2e7f'!\"#$%&()*+,.:;<=>?@^`{|}~\[\]\\]+)")


def _entities(case: dict[str, Any]) -> list[Entity]:
    return [
        Entity(
            one["type"],
            one["offset"],
            one["length"],
            url=one.get("url", ""),
            language=one.get("language", ""),
            user_id=one.get("user_id", 0),
        )
        for one in case["entities"]
    ]


@pytest.mark.parametrize("case", _CASES, ids=[case["id"] for case in _CASES])
def test_a_case_becomes_the_expected_markdown(case: dict[str, Any]) -> None:
    markdown = to_markdown(case["text"], _entities(case))
    assert markdown in [case["expected"], *case["accept"]]
    invariants = case["invariants"]
    assert not [forbidden for forbidden in invariants.get("forbid", []) if forbidden in markdown]
    if not case["entities"] or "tags" in invariants:
        assert _LIVE_TAG.findall(markdown) == invariants.get("tags", [])
        assert list(hashtags(case["text"], _entities(case))) == invariants.get("tags", [])
