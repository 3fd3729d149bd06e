"""A vault that version 0.1.0 made is opened, migrated, synced and rendered by this one.

``tests/data/vault-0.1.0.tar.xz`` was made at commit 77a130f: an export of ``WORLD``, an import of
``tests/data/tdesktop/traps``, and then some words of its owner in the note of message 5. It is not made again.
"""

from __future__ import annotations

import sqlite3
import tarfile
from pathlib import Path

import pytest

from tests.e2e.conftest import ServeInProcess
from tests.e2e.harness import stamps, tree
from tests.e2e.test_sync import IDLE, note, sync
from tobs.archive.migrate import shipped_migrations

WORLD = "synthetic:messages=50,chats=2,media=0.06,seed=26"
MADE = Path(__file__).parents[1] / "data" / "vault-0.1.0.tar.xz"


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    """The vault as version 0.1.0 and its owner left it."""
    with tarfile.open(MADE) as packed:
        packed.extractall(tmp_path, filter="data")
    return tmp_path / "vault"


def _schema(path: Path) -> int:
    with sqlite3.connect(path) as database:
        (version,) = database.execute("PRAGMA user_version").fetchone()
    database.close()
    return int(version)


def test_a_sync_migrates_it_and_changes_no_byte_of_what_is_up_to_date(
    vault: Path, in_process_world: ServeInProcess
) -> None:
    served, archive = in_process_world(WORLD), vault / ".tobs" / "archive.db"
    assert _schema(archive) == 1
    before, stamped = tree(vault), stamps(vault)
    done = sync(served, vault)
    assert done.code == 0, done.stderr
    assert done.json["messages"] == IDLE
    assert done.json["problems"] == done.json["remarks"] == []
    assert _schema(archive) == len(shipped_migrations())
    assert _schema(archive.with_name("archive.db.v1")) == 1, "the archive before stays beside it"
    assert tree(vault) == before
    assert stamps(vault) == stamped

    done = served.tobs("verify", "--vault", str(vault), "--json")
    assert done.json["ok"], done.stdout
    done = served.tobs("render", "--dry-run", "--vault", str(vault), "--json")
    assert (done.code, done.json["rendering"]["changes"]) == (0, []), done.stdout


def test_what_happened_since_comes_into_its_notes_beside_the_owners_words(
    vault: Path, in_process_world: ServeInProcess
) -> None:
    served = in_process_world(WORLD)
    new = served.control("/messages", {"text": "Brand new."})["id"]
    served.control("/edit", {"id": 5, "text": "Edited long after."})
    served.control("/delete", {"ids": [7]})
    done = sync(served, vault)
    assert done.code == 0, done.stderr
    counts = done.json["messages"]
    assert (counts["new"], counts["edited"], counts["deleted"]) == (1, 1, 1)
    assert "Brand new." in note(vault, new)
    assert "Edited long after." in note(vault, 5)
    assert note(vault, 5).endswith("\nMy own words, [[elsewhere]].\n")
    assert "deleted" in note(vault, 7)
    assert sync(served, vault).json["messages"] == IDLE


def test_its_chats_know_the_source_they_came_from(vault: Path, in_process_world: ServeInProcess) -> None:
    assert sync(in_process_world(WORLD), vault).code == 0
    with sqlite3.connect(vault / ".tobs" / "archive.db") as database:
        found = dict(database.execute("SELECT id, source FROM chats").fetchall())
    database.close()
    # A supergroup with the group it grew from, imported; two channels, exported.
    assert [found.pop(id) for id in (-1_000_000_000_077, -500_000_000_077)] == ["desktop", "desktop"]
    assert list(found.values()) == ["telegram", "telegram"]
