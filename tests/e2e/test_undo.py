"""``tobs undo``: the notes of a run as they were before it, and not a word of the owner lost."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import ServeInProcess
from tests.e2e.harness import tree
from tests.e2e.test_merge import again, edit, exported
from tests.e2e.test_moved import broken_links

WORLD = "synthetic:messages=40,chats=1,media=0,seed=9"


def test_a_run_is_undone_around_what_the_owner_wrote_since(in_process_world: ServeInProcess, tmp_path: Path) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    *_, kept, mine, theirs = exported(served, vault)
    mine.write_text(mine.read_text() + "\nMine, before.\n")
    before = tree(vault)
    edit(served, mine, "Edited.")
    edit(served, theirs, "Edited as well.")
    served.control("/messages", {"chat": served.target, "text": "A new one"})
    run = again(served, vault).json["run_id"]
    assert len(tree(vault)) == len(before) + 1
    listed = served.tobs("undo", "--list", "--vault", str(vault), "--json").json["items"]
    assert (listed[0]["id"], listed[0]["command"], listed[0]["made"]) == (run, "export", 1)
    theirs.write_text(theirs.read_text() + "\nMine, since.\n")

    done = served.tobs("undo", run, "--vault", str(vault), "--json")
    assert done.code == 0, done.stderr
    assert done.json["targets"] == [run]
    assert done.json["notes"]["deleted"] == 1, "the new note is in the trash"
    after = {name: data for name, data in tree(vault).items() if not name.startswith(".trash")}
    name = theirs.relative_to(vault).as_posix()
    assert after.pop(name).decode() == before.pop(name).decode() + "\nMine, since.\n"
    assert after == before
    assert broken_links(vault) == []
    assert again(served, vault).json["notes"] == dict.fromkeys(done.json["notes"], 0), "what was undone stays so"

    # The next change of a message brings its note up to date again.
    edit(served, mine, "Edited once more.")
    assert again(served, vault).code == 0
    assert mine.read_text().endswith("\n\nEdited once more.\n\nMine, before.\n")
    assert kept.read_bytes() == before[kept.relative_to(vault).as_posix()]


def test_an_undo_is_undone_and_runs_are_undone_newest_first(in_process_world: ServeInProcess, tmp_path: Path) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    note = exported(served, vault)[-1]
    texts, runs = [note.read_text()], []
    for words in ("Edited.", "Edited again."):
        edit(served, note, words)
        runs.append(again(served, vault).json["run_id"])
        texts.append(note.read_text())
    done = served.tobs("undo", runs[0], "--vault", str(vault), "--json")
    assert done.code == 1
    assert [problem["item"] for problem in done.json["problems"] if problem["what"] == "undo"] == [
        note.relative_to(vault).as_posix()
    ]
    assert note.read_text() == texts[2]
    for words in (texts[1], texts[2], texts[1]):
        assert served.tobs("undo", "last", "--vault", str(vault)).code == 0
        assert note.read_text() == words
    for wrong in (["no-such-run"], []):
        done = served.tobs("undo", *wrong, "--vault", str(vault), "-q")
        assert done.code == 2
        assert "undo --list" in done.stderr
