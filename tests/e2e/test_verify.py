"""``tobs verify``: a good vault has nothing to tell, each kind of damage is found, and mended where that can be."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from tests.e2e.conftest import ServeInProcess
from tests.e2e.harness import Done, Served, stamps, tree
from tests.e2e.test_merge import again, edit, exported
from tests.e2e.test_moved import broken_links, linked_pair

WORLD = "synthetic:messages=60,chats=1,media=0.2,seed=4"


def verify(served: Served, vault: Path, *options: str) -> Done:
    return served.tobs("verify", "--vault", str(vault), "--json", *options)


def kinds(done: Done) -> dict[str, list[str]]:
    """The faults that are left, by kind."""
    found: dict[str, list[str]] = {}
    items: list[dict[str, Any]] = done.json["items"]
    for item in items:
        if not item["mended"]:
            found.setdefault(item["kind"], []).append(item["item"])
    return found


def test_a_good_vault_has_no_fault_whatever_its_owner_wrote(in_process_world: ServeInProcess, tmp_path: Path) -> None:
    served = in_process_world("demo")
    vault = tmp_path / "vault"
    assert served.tobs("export", *served.ready["targets"], "--vault", str(vault)).code == 0
    for note in sorted((vault / "Telegram").rglob("20*.md"))[:5]:
        note.write_text(note.read_text() + "\nMine, with a [[link to nothing yet]].\n")
    before = stamps(vault)
    done = verify(served, vault)
    assert done.code == 0, done.stdout
    assert done.json["items"] == []
    assert done.json["checked"]["notes"] > 50
    assert done.json["checked"]["links"] > 50
    assert done.json["checked"]["attachments"] > 5
    assert all(ledger["never_fetched"] == 0 for ledger in done.json["coverage"])
    assert stamps(vault) == before


def test_every_kind_of_damage_is_found_and_mended(in_process_world: ServeInProcess, tmp_path: Path) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    notes = exported(served, vault)
    assert verify(served, vault).code == 0
    _, linking = linked_pair(vault, notes)
    gone, changed, *_ = sorted(path for path in vault.rglob("media/*") if path.suffix == ".jpg")
    content = gone.read_bytes()
    gone.unlink()
    changed.write_bytes(b"not a picture")
    linked = next(
        note for note in notes if f"[[{note.relative_to(vault).as_posix().removesuffix('.md')}" in linking.read_text()
    )
    text = linked.read_text()
    linked.unlink()
    copy = notes[-1].with_name("copy.sync-conflict-20240102-030405-ABCDEFG.md")
    copy.write_text(notes[-1].read_text())
    temporary = notes[0].with_name(".tobs-0123456789ab-0")
    temporary.write_text("half a no")
    done = verify(served, vault)
    assert done.code == 1
    found = kinds(done)
    assert found["missing"] == [linked.relative_to(vault).as_posix()]
    assert linking.relative_to(vault).as_posix() in found["link"]
    assert found["attachment"] == [gone.relative_to(vault).as_posix()]
    assert found["content"] == [changed.relative_to(vault).as_posix()]
    assert found["copy"] == [copy.relative_to(vault).as_posix()]
    assert found["temporary"] == [temporary.relative_to(vault).as_posix()]
    assert found["embed"]

    done = verify(served, vault, "--repair")
    assert done.code == 1, "files are to be fetched, and the copy is the owner's to remove"
    assert set(kinds(done)) == {"wanted", "copy"}, kinds(done)
    assert linked.read_text() == text
    assert not temporary.exists()
    assert (vault / ".trash" / changed.relative_to(vault)).read_bytes() == b"not a picture"
    assert broken_links(vault) == []
    copy.unlink()
    assert again(served, vault).code == 0
    assert gone.read_bytes() == content
    done = verify(served, vault)
    assert (done.code, done.json["items"]) == (0, [])
    assert broken_links(vault) == []


def test_an_older_note_a_broken_one_and_one_that_is_not_written_yet(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    notes = exported(served, vault)
    old, broken = notes[-1], notes[-2]
    before = old.read_text()
    edit(served, old, "Edited.")
    assert again(served, vault).code == 0
    new = old.read_text()
    old.write_text(before)
    broken.write_text(broken.read_text().replace("---\n", "---\nmood: [\n", 1))
    done = verify(served, vault)
    assert kinds(done) == {
        "outdated": [old.relative_to(vault).as_posix()],
        "front matter": [broken.relative_to(vault).as_posix()],
    }
    done = verify(served, vault, "--repair")
    assert set(kinds(done)) == {"front matter"}
    assert old.read_text() == new


def test_a_gap_in_the_ids_is_found_and_filled_by_a_sync(in_process_world: ServeInProcess, tmp_path: Path) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    exported(served, vault)
    with sqlite3.connect(vault / ".tobs" / "archive.db") as archive:
        low, high = archive.execute("SELECT low, high FROM coverage").fetchone()
        archive.execute("UPDATE coverage SET high = 20 WHERE low = ?", (low,))
        archive.execute("INSERT INTO coverage SELECT account, chat_id, 31, ? FROM coverage", (high,))
        archive.execute("UPDATE message_rows SET note_id = NULL WHERE id BETWEEN 21 AND 30")
        archive.execute("DELETE FROM media WHERE message_id BETWEEN 21 AND 30")
        archive.execute("DELETE FROM message_rows WHERE id BETWEEN 21 AND 30")
        archive.execute("DELETE FROM blooms")
    archive.close()
    done = verify(served, vault)
    assert done.code == 1
    (gap,) = [item for item in done.json["items"] if item["kind"] == "gap"]
    assert "21-30" in gap["reason"]
    assert done.json["coverage"][0]["never_fetched"] == 10
    assert served.tobs("sync", "--fill", "--vault", str(vault)).code == 0
    assert verify(served, vault).code == 0


def _damage(archive: Path, table: str) -> None:
    """Zeros over a page of a table."""
    with sqlite3.connect(archive) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size = database.execute("PRAGMA page_size").fetchone()[0]
        pages = [
            number
            for (number,) in database.execute(
                "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno", (table,)
            )
        ]
    database.close()
    with archive.open("r+b") as file:
        file.seek((pages[len(pages) // 2] - 1) * size)
        file.write(os.urandom(size))


def test_a_damaged_page_of_the_archive_is_found_and_what_was_on_it_fetched_again(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world("synthetic:messages=600,chats=1,media=0,seed=4")
    vault = tmp_path / "vault"
    note = exported(served, vault)[-1]
    note.write_text(note.read_text() + "\nMine.\n")
    before = tree(vault)
    archive = vault / ".tobs" / "archive.db"
    _damage(archive, "message_rows")
    done = verify(served, vault)
    assert done.code == 1
    assert set(kinds(done)) == {"archive"}
    done = verify(served, vault, "--repair")
    assert done.code == 1
    assert "archive" not in kinds(done)
    assert list((vault / ".tobs" / "backups").glob("*.damaged"))
    done = again(served, vault)
    assert done.code == 0, done.stderr
    with sqlite3.connect(archive) as database:
        (count,) = database.execute("SELECT count(*) FROM messages").fetchone()
    database.close()
    assert count == 600
    assert tree(vault) == before
    done = verify(served, vault)
    assert (done.code, done.json["items"]) == (0, [])


def test_values_that_sqlite_does_not_know_to_be_broken_are_found_and_mended(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    note = exported(served, vault)[-1]
    note.write_text(note.read_text() + "\nMine.\n")
    assert again(served, vault).code == 0
    before = tree(vault)
    with sqlite3.connect(vault / ".tobs/archive.db") as database:
        for table, column, at in (("notes", "base", 7), ("raw_pages", "data", 1), ("message_rows", "model", 5)):
            database.execute(
                f"UPDATE {table} SET {column} ="
                f" CAST(substr({column}, 1, 9) || x'00ff' || substr({column}, 12) AS BLOB)"
                " WHERE rowid = ?",
                (at,),
            )
    database.close()
    done = verify(served, vault)
    assert done.code == 1 and set(kinds(done)) == {"archive"}
    assert {fault["reason"].split(" of row ")[0] for fault in done.json["items"]} == {"base", "data", "model"}
    verify(served, vault, "--repair")
    assert again(served, vault).code == 0
    assert tree(vault) == before
    done = verify(served, vault)
    assert (done.code, done.json["items"]) == (0, [])


def test_an_archive_that_is_no_database_is_refused_with_the_way_out(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    exported(served, vault)
    archive = vault / ".tobs" / "archive.db"
    archive.write_bytes(b"overwritten by something else " * 1000)
    for command in (["verify"], ["verify", "--repair"], ["export", served.target]):
        done = served.tobs(*command, "--vault", str(vault), "-q")
        assert done.code == 5, command
        assert "tobs restore" in done.stderr
    archive.unlink()
    assert served.tobs("verify", "--vault", str(vault), "-q").code == 5
    assert again(served, vault).code == 0
    assert verify(served, vault).code == 0
