"""Obsidian's settings: added to, never decided for the owner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tobs.vault.obsidian import PROPERTY_TYPES, SNIPPET, TYPES, merge_types, property_types, snippet, update_settings


def files(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file()
    }


def test_both_files_are_made_once_and_then_left_alone(tmp_path: Path) -> None:
    assert update_settings(tmp_path) == {TYPES: "created", SNIPPET: "created"}
    before = files(tmp_path)
    assert set(before) == {TYPES, SNIPPET}
    assert json.loads(before[TYPES][0])["types"] == PROPERTY_TYPES
    assert update_settings(tmp_path) == {TYPES: "unchanged", SNIPPET: "unchanged"}
    assert files(tmp_path) == before


def test_a_type_the_owner_has_set_stays_and_the_rest_is_added() -> None:
    found = b'{"types": {"Date": "date", "mine": "checkbox"}, "later": 1}'
    text = merge_types(found, {"date": "datetime", "views": "number"})
    assert text is not None
    assert json.loads(text) == {"types": {"Date": "date", "mine": "checkbox", "views": "number"}, "later": 1}


def test_a_file_that_has_every_type_stays_to_the_byte() -> None:
    found = b'{ "types":{"views":"text"} }'
    assert merge_types(found, {"views": "number"}) == found.decode()


@pytest.mark.parametrize("found", [b"{not json", b"[]", b'{"types": 5}', b"\xff"])
def test_a_file_that_cannot_be_understood_is_preserved(tmp_path: Path, found: bytes) -> None:
    path = tmp_path / TYPES
    path.parent.mkdir()
    path.write_bytes(found)
    assert update_settings(tmp_path)[TYPES] == "preserved"
    assert path.read_bytes() == found


def test_a_prefix_goes_before_all_but_the_names_that_are_not_ours_to_choose() -> None:
    types = property_types("tg_", {"mood": "text"})
    assert {"tobs_id", "tobs_hash", "tags", "aliases", "tg_date", "tg_mood"} <= types.keys()
    assert "date" not in types


def test_an_older_style_sheet_of_ours_is_brought_up_to_date_and_an_edited_one_is_the_owners() -> None:
    ours = snippet(None)
    assert ours is not None
    head, _, css = ours.partition("\n")
    assert snippet(ours.encode()) == ours
    assert snippet(f"{head}\n{css}/* mine */\n".encode()) is None
    assert snippet(css.encode()) is None


def test_an_empty_types_file_is_filled(tmp_path: Path) -> None:
    path = tmp_path / TYPES
    path.parent.mkdir()
    path.write_text("")
    assert update_settings(tmp_path)[TYPES] == "updated"
    assert json.loads(path.read_text())["types"]["views"] == "number"


def test_every_property_a_note_may_have_by_the_interface_has_a_type() -> None:
    wanted = "chat_kind chat_username username messages members first_message last_message related"
    assert set(wanted.split()) <= set(PROPERTY_TYPES)
    assert {PROPERTY_TYPES[name] for name in ("messages", "members", "views")} == {"number"}
    assert {PROPERTY_TYPES[name] for name in ("first_message", "last_message", "date")} == {"datetime"}
