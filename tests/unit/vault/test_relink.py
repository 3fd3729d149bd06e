"""Links of people led to where things are now: nothing else of a note or canvas changes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tobs.vault.relink import relinked, relinked_canvas

DAY = "Telegram/Choir (5)/2024/2024-03-03.md"
_NOW = {
    (DAY, "^m8"): "Telegram/Choir (5)/2024/03/2024-03-03 8 Come at six",
    (DAY, ""): "Telegram/Choir (5)/2024/03/2024-03-03 7 Hello",
    ("2024-03-03.md", ""): "Telegram/Choir (5)/2024/03/2024-03-03 7 Hello",
    ("Telegram/Choir (5)/2024/03/2024-03-03 8 Come at six.md", ""): "Telegram/Choir (5)/2024/2024-03-03#^m8",
}


def now(path: str, part: str) -> str | None:
    return _NOW.get((path, part))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"[[{DAY[:-3]}]]", "[[Telegram/Choir (5)/2024/03/2024-03-03 7 Hello]]"),
        (f"![[{DAY}#^m8|words]]", "![[Telegram/Choir (5)/2024/03/2024-03-03 8 Come at six|words]]"),
        ("| [[2024-03-03\\|day]] |", "| [[Telegram/Choir (5)/2024/03/2024-03-03 7 Hello\\|day]] |"),
        ("[[../Telegram/Choir (5)/2024/2024-03-03]]", "[[Telegram/Choir (5)/2024/03/2024-03-03 7 Hello]]"),
        (
            "[a](Telegram/Choir%20(5)/2024/2024-03-03.md#^m8)",
            "[a](Telegram/Choir%20%285%29/2024/03/2024-03-03%208%20Come%20at%20six.md)",
        ),
        (
            "[a](../Telegram/Choir%20(5)/2024/2024-03-03.md 'title')",
            "[a](Telegram/Choir%20%285%29/2024/03/2024-03-03%207%20Hello.md 'title')",
        ),
        (f"[a](<{DAY}#^m8>)", "[a](<Telegram/Choir (5)/2024/03/2024-03-03 8 Come at six.md>)"),
        (
            "[[Telegram/Choir (5)/2024/03/2024-03-03 8 Come at six]]",
            "[[Telegram/Choir (5)/2024/2024-03-03#^m8|2024-03-03 8 Come at six]]",
        ),
        (f"[[{DAY[:-3]}#^m9]] [[Elsewhere]] [x](y.md)\r\n", None),
    ],
)
def test_a_link_of_any_form_leads_to_the_new_note(before: str, after: str | None) -> None:
    assert relinked(before, now, "Diary") == (before if after is None else after)


def canvas(*nodes: dict[str, Any], **more: Any) -> str:
    """A canvas as Obsidian writes it."""
    lines = ",\n\t\t".join(json.dumps(node, ensure_ascii=False, separators=(",", ":")) for node in nodes)
    rest = "".join(f",\n\t{json.dumps(name)}:{json.dumps(value)}" for name, value in more.items())
    return f'{{\n\t"nodes":[\n\t\t{lines}\n\t],\n\t"edges":[]{rest}\n}}'


_PLACE = {"x": -40, "y": 8, "width": 400, "height": 1e3}


def test_a_canvas_shows_the_new_note_and_everything_else_in_it_stays_to_the_byte() -> None:
    other = {"id": "c", "type": "file", "file": "Mine \\ {a}.md", **_PLACE}
    braces = {"id": "d", "type": "text", "text": '"file":"x" {"type":"file","file":"' + DAY + '"}', **_PLACE}
    link = {"id": "e", "type": "link", "url": f"https://example.org/{DAY}", **_PLACE}
    before = canvas(
        {"id": "a", "type": "file", "file": DAY, "subpath": "#^m8", **_PLACE},
        {"id": "b", "subpath": "#^m8", "type": "file", **_PLACE, "file": DAY},
        {"id": "f", "type": "text", "text": f'see "[[{DAY[:-3]}#^m8]]" é', **_PLACE},
        other, braces, link, metadata={"version": "1.0", "frontmatter": {}},
    )  # fmt: skip
    new = "Telegram/Choir (5)/2024/03/2024-03-03 8 Come at six"
    after = canvas(
        {"id": "a", "type": "file", "file": f"{new}.md", **_PLACE},
        {"id": "b", "type": "file", **_PLACE, "file": f"{new}.md"},
        {"id": "f", "type": "text", "text": f'see "[[{new}]]" é', **_PLACE},
        other, braces, link, metadata={"version": "1.0", "frontmatter": {}},
    )  # fmt: skip
    assert relinked_canvas(before, now) == after
    back = relinked_canvas(after, now)
    assert [(node["file"], node["subpath"]) for node in json.loads(back)["nodes"][:2]] == [(DAY, "#^m8")] * 2


@pytest.mark.parametrize("text", ["", "{", "[[[[", '{"nodes":[{"type":"file","file":3}]}', '"' * 3, "\ufeff{}"])
def test_what_is_no_canvas_is_left_alone(text: str) -> None:
    assert relinked_canvas(text, now) == text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([DAY, f"[[{DAY[:-3]}]]", "file", "#^m8"]),
    lambda inside: (
        st.lists(inside) | st.dictionaries(st.sampled_from(["type", "file", "text", "subpath", "x"]), inside)
    ),
    max_leaves=12,
)


@given(_JSON)
def test_whatever_json_it_is_it_stays_json_of_the_same_form(value: Any) -> None:
    def strip(one: Any) -> Any:
        if isinstance(one, dict):
            return {name: strip(each) for name, each in one.items() if name not in ("file", "text", "subpath")}
        return [strip(each) for each in one] if isinstance(one, list) else one

    new = relinked_canvas(json.dumps(value), now)
    assert strip(json.loads(new)) == strip(value)
