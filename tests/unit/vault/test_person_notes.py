"""Whom the owner's own notes are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from tobs.vault.person_notes import person_notes


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ('telegram: "@Anna_b"', ["anna_b"]),
        ("telegram: anna", ["anna"]),
        ("Telegram: 12345", ["12345"]),
        ("telegram: '-1001234567890'", ["-1001234567890"]),
        ("telegram: https://t.me/anna", ["anna"]),
        ('telegram: "[Anna](https://t.me/anna/)"', ["anna"]),
        ("telegram:\n  - '@anna'\n  - 12345", ["anna", "12345"]),
        ("telegram: [anna, 12345]", ["anna", "12345"]),
        ("telegram:", []),
        ("telegram_bot: anna", []),
        ("telegram: anna@example.org", []),
        ("telegram: anna\ntobs_id: person/5", []),
        ("name: x\ntext: |\n  telegram: anna", []),
    ],
)
def test_the_property_names_a_person_in_many_ways(tmp_path: Path, told: str, names: list[str]) -> None:
    write(tmp_path, "Friends/Anna.md", f"---\n{told}\n---\nA friend\n")
    assert person_notes(tmp_path) == dict.fromkeys(names, "Friends/Anna.md")


def test_only_the_owners_own_notes_are_looked_at(tmp_path: Path) -> None:
    head = "---\ntelegram: anna\n---\n"
    for name in (".trash/A.md", "Telegram/Club/A.md", "Telegram/x.md", "A.txt", "B [1].md", "C.md/D.md"):
        write(tmp_path, name, head)
    write(tmp_path, "E.md", "telegram: anna\n")
    assert person_notes(tmp_path) == {"anna": "C.md/D.md"}
    write(tmp_path, "Telegram/People/A.md", head)
    write(tmp_path, "B.md", "\ufeff" + head.replace("\n", "\r\n"))
    assert person_notes(tmp_path) == {"anna": "B.md"}
    assert person_notes(tmp_path / "gone") == {}
