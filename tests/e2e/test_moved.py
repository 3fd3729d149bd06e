"""Notes and files that their owner moved, renamed, deleted or copied: tobs follows, and no link is broken."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve, ServeInProcess
from tests.e2e.harness import eventually, stamps, tree
from tests.e2e.test_merge import again, edit, exported
from tobs.vault.decide import read_properties

WORLD = "synthetic:messages=60,chats=1,media=0.2,seed=4"
_LINK = re.compile(r"\[\[([^\[\]\n|#]+)")


def broken_links(vault: Path, besides: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Links and embeds of notes that lead to no file (``besides`` some), by the note they stand in."""
    files = tree(vault)
    notes = {name: data.decode() for name, data in files.items() if name.endswith(".md")}
    return [
        (name, target)
        for name, text in notes.items()
        for target in (found.rstrip("\\") for found in _LINK.findall(text))
        if target not in files and f"{target}.md" not in files and target not in besides
    ]


def linked_pair(vault: Path, notes: list[Path]) -> tuple[Path, Path]:
    """A note, and one that links to it."""
    for note in notes:
        target = f"[[{note.relative_to(vault).as_posix().removesuffix('.md')}"
        for other in notes:
            if other != note and target in other.read_text():
                return note, other
    raise AssertionError("the world has no reply")


def test_a_moved_note_is_followed_and_links_to_it_are_written_anew(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    note, linking = linked_pair(vault, exported(served, vault))
    moved = vault / "Kept" / "my name for it.md"
    moved.parent.mkdir()
    note.rename(moved)
    done = again(served, vault)
    assert done.code == 0, done.stderr
    assert done.json["notes"]["moved"] == 1
    assert done.json["notes"]["deleted"] == done.json["notes"]["conflicts"] == done.json["notes"]["created"] == 0
    assert "[[Kept/my name for it" in linking.read_text()
    assert not note.exists()
    assert broken_links(vault) == []
    before = stamps(vault)
    assert again(served, vault).json["notes"] == dict.fromkeys(done.json["notes"], 0)
    assert stamps(vault) == before


def test_links_that_obsidian_mended_itself_are_no_edit_and_not_written_again(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    note, _ = linked_pair(vault, exported(served, vault))
    moved = note.with_name("renamed.md")
    note.rename(moved)
    old = note.relative_to(vault).as_posix().removesuffix(".md")
    for path in vault.rglob("*.md"):
        text = path.read_text()
        if f"[[{old}" in text:
            # The shortest path, as Obsidian does unless told otherwise.
            path.write_text(text.replace(f"[[{old}", "[[renamed"))
    before = stamps(vault)
    done = again(served, vault)
    assert done.json["notes"]["moved"] == 1
    assert done.json["notes"]["conflicts"] == done.json["notes"]["preserved"] == 0
    written = {name for name, stamp in stamps(vault).items() if before.get(name) != stamp}
    # What a link is called may follow the new name; nothing else is a reason to write.
    assert all("[[renamed" in (vault / name).read_text() for name in written)


@pytest.mark.parametrize("how", ["edit", "repair", "chain"])
def test_notes_whose_names_were_exchanged_are_followed(
    how: str, in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    notes = exported(served, vault)
    note, linking = linked_pair(vault, notes)
    other = next(one for one in reversed(notes) if one not in (note, linking))
    ids = {path: read_properties(path.read_text()).tobs_id for path in (note, other)}
    spare = note.with_name("spare.md")
    other.rename(spare)
    note.rename(other)
    if how != "chain":  # else the one whose name the other has lies somewhere else
        spare.rename(note)
    if how == "repair":
        found = served.tobs("verify", "--vault", str(vault), "--json").json["items"]
        assert {item["kind"] for item in found} == {"foreign"}
        assert served.tobs("verify", "--repair", "--vault", str(vault)).code == 0
    else:
        edit(served, other, "Other words.")
        done = again(served, vault).json
        assert done["notes"]["moved"] == 2 and done["notes"]["conflicts"] == 0
        assert "Other words." in (spare if how == "chain" else note).read_text()
    assert read_properties(other.read_text()).tobs_id == ids[note]
    assert f"[[{other.relative_to(vault).as_posix().removesuffix('.md')}" in linking.read_text()
    assert broken_links(vault) == []
    assert served.tobs("verify", "--vault", str(vault)).code == 0
    before = stamps(vault)
    again(served, vault)
    assert stamps(vault) == before


def test_a_renamed_chat_folder_is_the_chats_folder_from_then_on(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    exported(served, vault)
    (folder,) = [
        path for path in (vault / "Telegram").iterdir() if path.name not in ("People", "Audio") and path.is_dir()
    ]
    friends = vault / "Friends"
    folder.rename(friends)
    before = len(tree(vault))
    served.control("/messages", {"chat": served.target, "text": "A new one."})
    done = again(served, vault)
    assert done.code == 0, done.stderr
    assert done.json["notes"]["moved"] > 60
    assert done.json["notes"]["created"] == 1
    assert not folder.exists()
    assert len(tree(vault)) == before + 1
    assert len(list(friends.rglob("* A new one.md"))) == 1
    assert broken_links(vault) == []


def test_a_chat_note_moved_alone_leaves_the_folder_where_it_is(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    folder = exported(served, vault)[0].parents[2]
    (folder / f"{folder.name}.md").rename(vault / "My map.md")
    served.control("/messages", {"chat": served.target, "text": "A new one."})
    assert again(served, vault).json["notes"]["moved"] == 1
    assert len(list(folder.rglob("* A new one.md"))) == 1
    assert "[[My map|" in next(folder.rglob("* A new one.md")).read_text()
    assert broken_links(vault) == []


def test_a_deleted_note_stays_deleted_loses_its_links_and_may_come_back(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    note, linking = linked_pair(vault, exported(served, vault))
    text = note.read_bytes()
    note.unlink()
    done = again(served, vault)
    assert done.json["notes"]["deleted"] == 1
    assert broken_links(vault) == []
    assert again(served, vault).json["notes"] == dict.fromkeys(done.json["notes"], 0)
    note.write_bytes(text)
    assert again(served, vault).code == 0
    assert note.relative_to(vault).as_posix().removesuffix(".md") in linking.read_text()


def test_deleted_notes_and_files_come_back_when_asked_for(in_process_world: ServeInProcess, tmp_path: Path) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    notes = exported(served, vault)
    picture = min(path for path in vault.rglob("media/*") if path.suffix == ".jpg")
    before = {name: data for name, data in tree(vault).items() if not name.startswith(".obsidian")}
    for note in notes[:30]:
        note.unlink()
    picture.unlink()
    assert served.tobs("export", served.target, "--vault", str(vault), "--accept-missing").code == 0
    assert not any(note.exists() for note in notes[:30])
    assert broken_links(vault) == []
    done = served.tobs("render", "--restore", "--vault", str(vault), "--json")
    assert done.code == 0, done.stderr
    assert done.json["notes"]["created"] == 30
    assert served.tobs("process", "--vault", str(vault)).code == 0
    assert {name: data for name, data in tree(vault).items() if not name.startswith(".obsidian")} == before


def test_attachments_are_followed_too_and_deleted_ones_stay_away(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    exported(served, vault)
    kept, gone, *_ = sorted(path for path in vault.rglob("media/*") if path.suffix == ".jpg")
    moved = vault / "Pictures" / "mine.jpg"
    moved.parent.mkdir()
    kept.rename(moved)
    gone.unlink()
    done = again(served, vault)
    assert done.code == 0, done.stderr
    assert broken_links(vault) == []
    assert "![[Pictures/mine.jpg]]" in "".join(path.read_text() for path in vault.rglob("20*.md"))
    assert not kept.exists() and not gone.exists()
    before = stamps(vault)
    assert again(served, vault).json["notes"] == dict.fromkeys(done.json["notes"], 0)
    assert stamps(vault) == before


def test_of_two_notes_with_one_id_the_first_stays_the_note(in_process_world: ServeInProcess, tmp_path: Path) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    note, other = exported(served, vault)[-2:]
    copy = note.with_name("copy.md")
    shutil.copy(note, copy)
    before = copy.read_bytes()
    edit(served, note, "Edited.")
    assert again(served, vault).json["notes"]["moved"] == 0
    assert copy.read_bytes() == before
    assert note.read_text().endswith("\n\nEdited.\n")
    # Two copies, and the note itself gone: the one that is no conflict of a sync tool is the note.
    kept = other.with_name("kept.md")
    shutil.copy(other, kept)
    other.rename(other.with_name(f"{other.stem}.sync-conflict-20240102-030405-ABCDEFG.md"))
    done = again(served, vault)
    assert done.json["notes"]["moved"] == 1
    assert any("is a copy of" in each["what"] for each in done.json["recovered"])
    edit(served, other, "Edited too.")
    assert again(served, vault).code == 0
    assert kept.read_text().endswith("\n\nEdited too.\n")


def test_a_vault_that_is_not_there_is_not_read_as_deletions(in_process_world: ServeInProcess, tmp_path: Path) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    exported(served, vault)
    hidden = tmp_path / "unmounted"
    (vault / "Telegram").rename(hidden)
    done = served.tobs("export", served.target, "--vault", str(vault), "-q")
    assert done.code == 5
    assert "--accept-missing" in done.stderr
    hidden.rename(vault / "Telegram")
    before = stamps(vault)
    assert again(served, vault).json["notes"]["deleted"] == 0
    assert stamps(vault) == before


def test_what_icloud_took_off_the_disk_was_not_deleted_and_is_written_when_it_is_back(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    notes = exported(served, vault)
    attachment = next((vault / "Telegram").rglob("media/*.jpg"))
    edit(served, notes[-1], "Edited while it was away.")
    for taken in (notes[-1:], [attachment], notes):
        for path in taken:
            path.rename(path.with_name(f".{path.name}.icloud"))
        before = stamps(vault)
        for command in ("sync", "render", "process"):
            more = ("--accept-missing",) if command == "sync" else ()
            done = served.tobs(command, "--vault", str(vault), "--json", "-q", *more)
            assert (done.code, done.json["error"]["code"]) == (5, 5)
            assert "is in iCloud, but not on this computer" in done.stderr
        assert stamps(vault) == before, "nothing is written beside what stands for a note"
        for path in taken:
            path.with_name(f".{path.name}.icloud").rename(path)
    done = served.tobs("sync", "--vault", str(vault), "--json")
    assert done.code == 0, done.stderr
    assert done.json["notes"]["deleted"] == done.json["notes"]["created"] == 0
    assert "Edited while it was away." in notes[-1].read_text()
    assert broken_links(vault) == []


def test_a_note_that_was_moved_within_obsidian_and_then_without_it_leaves_no_broken_link(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    note, linking = linked_pair(vault, exported(served, vault))
    for name, is_in_obsidian in (("once", True), ("twice", False)):
        moved = note.with_name(f"{name}.md")
        before, after = (path.relative_to(vault).as_posix().removesuffix(".md") for path in (note, moved))
        note.rename(moved)
        if is_in_obsidian:
            for other in vault.rglob("*.md"):
                other.write_text(other.read_text().replace(f"[[{before}", f"[[{after}"))
        assert again(served, vault).json["notes"]["moved"] == 1
        assert f"[[{after}" in linking.read_text() and broken_links(vault) == []
        note = moved


def test_a_note_that_is_moved_while_a_sync_is_at_work_is_not_taken_for_deleted(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve(WORLD), tmp_path / "vault"
    note = exported(served, vault)[-1]
    edit(served, note, "Edited on Telegram.")
    served.control("/faults", {"faults": ["updates.getChannelDifference#1=delay:2000"]})
    asked = len(served.log())
    process = served.start("sync", "--vault", str(vault))
    eventually(lambda: len(served.log()) > asked, "the sync asks nothing")
    moved = note.rename(vault / "my name for it.md")
    assert process.wait(60) == 0
    done = served.tobs("sync", "--vault", str(vault), "--json").json
    assert (done["notes"]["moved"], done["notes"]["deleted"]) == (1, 0)
    assert "Edited on Telegram." in moved.read_text() and not note.exists()


def test_a_lost_archive_finds_moved_and_edited_notes_again_by_their_ids(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    notes = exported(served, vault)
    moved = vault / "Kept" / "my name for it.md"
    moved.parent.mkdir()
    notes[-1].rename(moved)
    mine = notes[-2].read_text() + "\nMine.\n"
    notes[-2].write_text(mine)
    before = len(tree(vault))
    for name in ("archive.db", "archive.db-wal", "archive.db-shm"):
        (vault / ".tobs" / name).unlink(missing_ok=True)
    edit(served, notes[-3], "Words that would give it another name.")
    done = again(served, vault)
    assert done.code == 0, done.stderr
    assert done.json["notes"]["created"] == 0
    assert done.json["notes"]["preserved"] == 1
    assert any("recognized by their ids" in each["what"] for each in done.json["recovered"])
    assert len(tree(vault)) == before
    assert notes[-2].read_text() == mine
    assert notes[-3].read_text().endswith("\n\nWords that would give it another name.\n")
    assert not notes[-1].exists()
    assert broken_links(vault) == []


def test_in_a_month_note_the_owners_words_stay_and_a_lost_archive_keeps_its_months(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world("synthetic:messages=60,chats=1,media=0,seed=9")
    vault = tmp_path / "vault"
    assert served.tobs("export", served.target, "--layout", "month", "--vault", str(vault)).code == 0
    month = [path for path in sorted(vault.rglob("20*.md")) if len(re.findall(r"\^m\d+$", path.read_text(), re.M)) > 1][
        -1
    ]
    first, *_, last = re.findall(r"\^m(\d+)$", month.read_text(), re.MULTILINE)
    month.write_text(
        month.read_text().replace(f"^m{first}\n", f"^m{first}\n\nMy remark.\n", 1) + "\nMine at the end.\n"
    )
    served.control("/edit", {"chat": served.target, "id": int(last), "text": "Edited."})
    served.control("/messages", {"chat": served.target, "text": "New."})
    done = again(served, vault)
    assert done.code == 0, done.stderr
    assert done.json["notes"]["conflicts"] == 0
    assert f"^m{first}\n\nMy remark.\n" in month.read_text()
    assert "Edited." in month.read_text()
    assert month.read_text().endswith("\nMine at the end.\n")
    before = stamps(vault)
    for name in ("archive.db", "archive.db-wal", "archive.db-shm"):
        (vault / ".tobs" / name).unlink(missing_ok=True)
    done = again(served, vault)
    assert done.code == 0, done.stderr
    assert done.json["notes"]["created"] == 0
    assert stamps(vault) == before
