"""The owner lives in the vault: what they write, and how their tools write it, against what comes from Telegram."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import ServeInProcess
from tests.e2e.harness import Done, Served, stamps

WORLD = "synthetic:messages=40,chats=1,media=0,seed=9"


def exported(served: Served, vault: Path) -> list[Path]:
    """The notes of an export, oldest first."""
    assert served.tobs("export", served.target, "--vault", str(vault)).code == 0
    return sorted((vault / "Telegram").rglob("20*.md"), key=message_id)


def message_id(note: Path) -> int:
    return int(note.name.split()[1])


def again(served: Served, vault: Path, *options: str) -> Done:
    return served.tobs("export", served.target, "--vault", str(vault), "--json", *options)


def edit(served: Served, note: Path, text: str) -> None:
    served.control("/edit", {"chat": served.target, "id": message_id(note), "text": text})


def test_an_edit_goes_between_the_owners_words(in_process_world: ServeInProcess, tmp_path: Path) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    note = exported(served, vault)[-1]
    mine = note.read_text().replace("---\n", "---\nrating: 5\n", 1) + "\nMy own words, [[elsewhere]].\n"
    note.write_text(mine)
    edit(served, note, "Edited on Telegram.")
    done = again(served, vault)
    assert done.code == 0, done.stderr
    assert {name: done.json["notes"][name] for name in ("updated", "preserved", "conflicts")} == {
        "updated": 1,
        "preserved": 1,
        "conflicts": 0,
    }
    text = note.read_text()
    assert "\nrating: 5\n" in text
    assert "\nedited: 20" in text
    assert text.endswith("\n\nEdited on Telegram.\n\nMy own words, [[elsewhere]].\n")
    before = stamps(vault)
    assert again(served, vault).json["notes"] == dict.fromkeys(done.json["notes"], 0)
    assert stamps(vault) == before


def test_where_both_changed_a_line_the_owners_stays_and_the_other_is_told(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    note = exported(served, vault)[-1]
    head, _, _ = note.read_text().rpartition("\n---\n")
    note.write_text(f"{head}\n---\n\nMy line.\n")
    edit(served, note, "Their line.")
    done = again(served, vault)
    assert done.code == 0, done.stderr
    assert done.json["notes"]["conflicts"] == 1
    name = note.relative_to(vault).as_posix()
    assert done.json["conflicts"] == [{"note": name, "new": "Their line."}]
    assert note.read_text().endswith("\n\nMy line.\n\n> [!warning] tobs: on Telegram it says now\n> Their line.\n")
    edit(served, note, "Their last line.")
    assert again(served, vault).json["notes"]["conflicts"] == 1
    assert note.read_text().endswith("\n\nMy line.\n\n> [!warning] tobs: on Telegram it says now\n> Their last line.\n")


def test_line_ends_marks_and_quotes_of_other_tools_are_nobodys_words(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    windows, marked, obsidian = exported(served, vault)[-3:]
    windows.write_bytes(windows.read_bytes().replace(b"\n", b"\r\n"))
    marked.write_bytes(b"\xef\xbb\xbf" + marked.read_bytes())
    # Obsidian's property editor takes the quotes away that YAML does not need.
    head, _, body = obsidian.read_text().partition("\n---\n")
    plain = [line if "[[" in line else line.replace('"', "") for line in head.split("\n")]
    obsidian.write_text("\n".join(plain) + "\n---\n" + body)
    for note in (windows, marked, obsidian):
        edit(served, note, "Edited.")
    done = again(served, vault)
    assert done.json["notes"]["updated"] == 3
    assert done.json["notes"]["preserved"] == done.json["notes"]["conflicts"] == 0
    for note in (windows, marked, obsidian):
        assert note.read_bytes().startswith(b"---\n")
        assert note.read_text().endswith("\n\nEdited.\n")
    for line in plain:
        if line.startswith(("link", "chat", "date", "message_id")):
            assert line in obsidian.read_text(), "what did not change keeps its quotes"


def test_a_note_with_broken_front_matter_is_left_alone_and_told_until_it_is_mended(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    note = exported(served, vault)[-1]
    good = note.read_text()
    broken = good.replace("---\n", "---\nmood: [good\n", 1)
    note.write_text(broken)
    edit(served, note, "Edited.")
    for _ in range(2):
        done = again(served, vault)
        assert done.code == 1
        assert [problem["what"] for problem in done.json["problems"]] == ["front matter"]
        assert done.json["problems"][0]["item"] == note.relative_to(vault).as_posix()
        assert note.read_text() == broken
    note.write_text(broken.replace("[good", "[good]"))
    assert again(served, vault).code == 0
    assert note.read_text().endswith("\n\nEdited.\n")
    assert "\nmood: [good]\n" in note.read_text()


def test_without_an_archive_the_hash_in_the_note_tells_whose_it_is(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    mine = exported(served, vault)[-1]
    mine.write_text(mine.read_text() + "\nMine.\n")
    for name in ("archive.db", "archive.db-wal", "archive.db-shm"):
        (vault / ".tobs" / name).unlink(missing_ok=True)
    before = stamps(vault)
    done = again(served, vault)
    assert done.code == 0, done.stderr
    assert done.json["notes"]["preserved"] == 1
    assert done.json["notes"]["updated"] == done.json["notes"]["created"] == 0
    assert stamps(vault) == before
    # From then on changes are merged into it.
    edit(served, mine, "Edited too.")
    assert again(served, vault).json["notes"]["updated"] == 1
    assert mine.read_text().endswith("\n\nEdited too.\n\nMine.\n")


def test_a_note_from_an_older_copy_of_the_vault_is_merged_from_the_text_it_came_from(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    note = exported(served, vault)[-1]
    older = note.read_text() + "\nMine.\n"
    edit(served, note, "Edited.")
    assert again(served, vault).code == 0
    note.write_text(older)
    edit(served, note, "Edited again.")
    done = again(served, vault)
    assert done.json["notes"]["conflicts"] == 0
    assert note.read_text().endswith("\n\nEdited again.\n\nMine.\n")
