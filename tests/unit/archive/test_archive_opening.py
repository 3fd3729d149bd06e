from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from archive_builders import ACCOUNT, CHANNEL, message, page, want_all

from tobs.archive import Archive, open_archive, record_page
from tobs.archive.database import connect, translated
from tobs.archive.migrate import migrate, shipped_migrations
from tobs.errors import VaultError, VaultLocked, VaultNewer, VaultUnwritable
from tobs.model import PeerRecord


def opened(path: Path, *, read_only: bool = False) -> Archive:
    return open_archive(path, clock=lambda: 1000.0, read_only=read_only)


def test_an_archive_is_private_and_keeps_what_it_was_told(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with opened(path) as archive:
        archive.meta.set("zone", "Europe/Berlin")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with opened(path) as archive:
        assert archive.meta.get("zone") == "Europe/Berlin"
        archive.meta.set("zone", None)
        assert archive.meta.get("zone") is None


def test_readers_see_what_is_committed_and_cannot_write(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(1)]), want_all)
    with opened(archive.path, read_only=True) as reader:
        assert reader.messages.count(ACCOUNT, CHANNEL) == 1
        with archive.transaction():
            record_page(archive, ACCOUNT, page([message(2)]), want_all)
            assert reader.messages.count(ACCOUNT, CHANNEL) == 1
        assert reader.messages.count(ACCOUNT, CHANNEL) == 2
        with pytest.raises(VaultUnwritable):
            reader.meta.set("a", "b")


def test_a_reader_of_no_archive_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="There is no archive"):
        opened(tmp_path / "archive.db", read_only=True)
    assert not list(tmp_path.iterdir())


def test_a_newer_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    opened(path).close()
    with sqlite3.connect(path) as outside:
        outside.execute("PRAGMA user_version = 99")
    outside.close()
    for read_only in (False, True):
        with pytest.raises(VaultNewer, match="newer tobs"):
            opened(path, read_only=read_only)


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    path.write_text("my shopping list " * 100)
    with pytest.raises(VaultError, match="is not a tobs archive"):
        opened(path)
    assert path.read_text().startswith("my shopping list")


def test_a_database_of_another_program_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with sqlite3.connect(path) as outside:
        outside.execute("CREATE TABLE theirs (a)")
    outside.close()
    with pytest.raises(VaultError, match="another program"):
        opened(path)


@pytest.mark.parametrize("name", ["missing/archive.db", "file/archive.db"])
def test_a_place_where_nothing_can_be_made_is_unwritable(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VaultUnwritable):
        opened(tmp_path / name)


def test_a_second_writer_is_told_that_the_archive_is_in_use(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with opened(path) as first:
        second = connect(path)
        second.row("PRAGMA busy_timeout = 0")
        with first.transaction(), pytest.raises(VaultLocked), second.transaction():
            pass
        second.close()


def test_a_full_disk_is_told_as_such_and_keeps_what_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with opened(path) as archive:
        record_page(archive, ACCOUNT, page([message(1)]), want_all)
        database = archive._database
        pages = database.value("PRAGMA page_count")
        database.row(f"PRAGMA max_page_count = {pages}")
        big = page([message(n, "x" * 4000) for n in range(2, 90)])
        with pytest.raises(VaultUnwritable, match="full"):
            record_page(archive, ACCOUNT, big, want_all)
        assert archive.messages.count(ACCOUNT, CHANNEL) == 1
        database.row("PRAGMA max_page_count = 1000000")
        assert record_page(archive, ACCOUNT, big, want_all).new == 88


def test_a_file_that_may_not_grow_is_unwritable(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; from pathlib import Path; from tobs.archive import open_archive\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "archive = open_archive(Path(sys.argv[1]), clock=lambda: 0.0)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))\n"
        "from tobs.errors import VaultUnwritable\n"
        "try: archive.meta.set('big', 'x' * 1_000_000)\n"
        "except VaultUnwritable as error: print(type(error).__name__)\n"
    )
    command = [sys.executable, "-c", code, tmp_path / "archive.db"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.stdout == "VaultUnwritable\n", done.stderr


def test_a_damaged_archive_is_told_as_such(tmp_path: Path) -> None:
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorname = "SQLITE_CORRUPT"
    assert "damaged" in translated(error, tmp_path).message


def test_an_older_archive_is_backed_up_and_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with opened(path) as archive:
        record_page(archive, ACCOUNT, page([message(1)]), want_all)
    later = (*shipped_migrations(), "CREATE TABLE added (a);")
    database = connect(path)
    migrate(database, later)
    migrate(database, later)
    assert database.value("PRAGMA user_version") == len(later)
    assert database.value("SELECT count(*) FROM messages") == 1
    database.close()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["archive.db", f"archive.db.v{len(later) - 1}"]
    backup = tmp_path / f"archive.db.v{len(later) - 1}"
    with opened(backup, read_only=True) as archive:
        assert archive.messages.count(ACCOUNT, CHANNEL) == 1


def test_a_migration_that_fails_leaves_the_schema_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    opened(path).close()
    database = connect(path)
    with pytest.raises(VaultError):
        migrate(database, (*shipped_migrations(), "CREATE TABLE added (a); CREATE TABLE added (a);"))
    assert database.value("PRAGMA user_version") == len(shipped_migrations())
    assert database.value("SELECT count(*) FROM sqlite_master WHERE name = 'added'") == 0
    database.close()


def test_an_archive_killed_in_mid_transaction_opens_without_it(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    code = (
        "import os, signal, sys; from pathlib import Path; from tobs.archive import open_archive\n"
        "archive = open_archive(Path(sys.argv[1]), clock=lambda: 0.0)\n"
        "archive.meta.set('kept', 'yes')\n"
        "with archive.transaction():\n"
        "    archive.meta.set('lost', 'yes')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, path], check=False, capture_output=True)
    with opened(path) as archive:
        assert (archive.meta.get("kept"), archive.meta.get("lost")) == ("yes", None)


def test_an_interrupted_run_is_visibly_unfinished(archive: Archive) -> None:
    archive.runs.start("r1", "export", ["@news"])
    archive.runs.finish("r1", b'{"ok":true}')
    archive.runs.start("r2", "export", ["@news"])
    archive.runs.start("r3", "render", [])
    last = archive.runs.last("export")
    assert last is not None and (last.id, last.targets, last.finished, last.report) == ("r2", ("@news",), None, None)
    newest = archive.runs.last()
    assert newest is not None and newest.id == "r3"
    assert archive.runs.last("sync") is None


def test_results_are_kept_by_everything_they_depend_on(archive: Archive) -> None:
    key = ("aa", "tags", "1.0", "c0ffee")
    archive.results.put([(key, b"{}"), (key, b'{"title":"x"}')])
    assert archive.results.get([key, ("aa", "tags", "1.1", "c0ffee")]) == [b'{"title":"x"}', None]


def test_a_full_access_hash_is_not_given_up_and_a_username_moves(archive: Archive) -> None:
    archive.peers.put(ACCOUNT, [PeerRecord(5, 111, "Ann", "Ann"), PeerRecord(6, 222, min=True)])
    archive.peers.put(ACCOUNT, [PeerRecord(5, 999, "Ann", "Anna", min=True), PeerRecord(6, 333)])
    assert archive.peers.get(ACCOUNT, 5) == PeerRecord(5, 111, "ann", "Anna")
    assert archive.peers.get(ACCOUNT, 6) == PeerRecord(6, 333)
    archive.peers.put(ACCOUNT, [PeerRecord(6, 0, "ANN")])
    assert archive.peers.find(ACCOUNT, "ann") == PeerRecord(6, 333, "ann")
    assert archive.peers.get(ACCOUNT, 5) == PeerRecord(5, 111, "", "Anna")
    assert archive.peers.get(8, 5) is None


def test_an_open_takeout_is_remembered_for_each_account(archive: Archive) -> None:
    archive.takeouts.put(7, 123456789, ["users", "files"])
    assert archive.takeouts.get(7) == (123456789, {"users", "files"})
    assert archive.takeouts.get(8) == (0, frozenset())
    archive.takeouts.put(7, 0)
    assert archive.takeouts.get(7) == (0, frozenset())
