"""Backups of the archive, and a vault that is newer than the one put back."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

from tests.e2e.conftest import ServeInProcess
from tests.e2e.harness import stamps, tree
from tests.e2e.test_merge import again, edit, exported

WORLD = "synthetic:messages=60,chats=1,media=0,seed=9"


def test_a_backup_is_put_back_and_the_vault_catches_up(in_process_world: ServeInProcess, tmp_path: Path) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    notes = exported(served, vault)
    done = served.tobs("backup", "--vault", str(vault), "--json")
    assert done.code == 0, done.stderr
    path = Path(done.json["path"])
    assert done.json["messages"] == 60
    assert path.parent == vault / ".tobs" / "backups"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in (vault / ".tobs").rglob("*.db")] == ["archive.db"]

    # The vault goes on: a new message, an edit, words of the owner.
    served.control("/messages", {"chat": served.target, "text": "New since the backup"})
    edit(served, notes[-1], "Edited since the backup.")
    edit(served, notes[-2], "Edited, and then commented.")
    assert again(served, vault).code == 0
    notes[-2].write_text(notes[-2].read_text() + "\nMine.\n")
    before, stamped = tree(vault), stamps(vault)

    done = served.tobs("restore", "--vault", str(vault), "--json")
    assert done.code == 0, done.stderr
    assert done.json["backup"]["path"] == str(path)
    assert Path(done.json["replaced"]).is_file()
    assert stamps(vault) == stamped, "restoring touches no note"
    done = again(served, vault)
    assert done.code == 0, done.stderr
    assert done.json["messages"]["new"] == 1
    assert tree(vault) == before
    edit(served, notes[-2], "Edited once more.")
    assert again(served, vault).code == 0
    assert notes[-2].read_text().endswith("\n\nEdited once more.\n\nMine.\n")


def test_what_is_no_backup_is_not_put_back(in_process_world: ServeInProcess, tmp_path: Path) -> None:
    served = in_process_world(WORLD)
    vault = tmp_path / "vault"
    exported(served, vault)
    assert served.tobs("restore", "--vault", str(vault), "-q").code == 5
    foreign, damaged = tmp_path / "foreign.backup", tmp_path / "damaged.backup"
    with sqlite3.connect(foreign) as database:
        database.execute("CREATE TABLE mine (a)")
    database.close()
    assert served.tobs("backup", str(damaged), "--vault", str(vault)).code == 0
    data = bytearray(damaged.read_bytes())
    data[8192:24576] = bytes(16384)
    damaged.write_bytes(data)
    before = (vault / ".tobs" / "archive.db").read_bytes()
    for path in (foreign, damaged, tmp_path / "nothing"):
        done = served.tobs("restore", str(path), "--vault", str(vault), "-q")
        assert done.code == 5, path
        assert "Traceback" not in done.stderr
    assert (vault / ".tobs" / "archive.db").read_bytes() == before
    assert served.tobs("backup", str(damaged), "--vault", str(vault), "-q").code == 2, "nothing is written over"
