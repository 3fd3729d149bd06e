"""Batches of notes on a real disk: whole or not at all, inside the vault, nothing left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tobs.errors import VaultError, VaultUnwritable
from tobs.vault import durable
from tobs.vault.read import read_batch, read_batch_with_mtimes
from tobs.vault.writer import NoteFile, write_batch


def leftovers(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.name.startswith(".tobs-")]


def test_a_batch_is_written_with_its_folders_and_told_as_it_lies_there(tmp_path: Path) -> None:
    files = [
        NoteFile("Telegram/A/2024/01/ä.md", "grüße\n"),
        NoteFile("Telegram/A/2024/02/b.md", ""),
        NoteFile("c.md", "c"),
    ]
    written = write_batch(tmp_path, files)
    for file, result in zip(files, written, strict=True):
        stat = (tmp_path / file.path).stat()
        assert (tmp_path / file.path).read_bytes() == file.text.encode()
        assert (result.path, result.size, result.mtime_ns) == (file.path, stat.st_size, stat.st_mtime_ns)
    assert leftovers(tmp_path) == []


def test_what_is_there_is_replaced(tmp_path: Path) -> None:
    write_batch(tmp_path, [NoteFile("a.md", "old, and longer")])
    write_batch(tmp_path, [NoteFile("a.md", "new")])
    assert (tmp_path / "a.md").read_text() == "new"


def test_a_note_that_is_a_link_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("mine")
    root = tmp_path / "vault"
    root.mkdir()
    (root / "a.md").symlink_to(tmp_path / "outside.txt")
    write_batch(root, [NoteFile("a.md", "new")])
    assert (tmp_path / "outside.txt").read_text() == "mine"
    assert (root / "a.md").read_text() == "new"


@pytest.mark.parametrize(
    "path", ["../a.md", "a/../../b.md", "/etc/a.md", "a//b.md", "", "a/", ".", "a\0.md", "C:a.md", "a\\b.md"]
)
def test_a_path_that_leads_out_is_refused_and_nothing_is_written(tmp_path: Path, path: str) -> None:
    with pytest.raises(VaultError, match="no path inside the vault"):
        write_batch(tmp_path, [NoteFile("fine.md", "x"), NoteFile(path, "x")])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_linked_to_outside_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "vault", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "Telegram").symlink_to(outside)
    with pytest.raises(VaultError, match="leads outside the vault"):
        write_batch(root, [NoteFile("Telegram/A/a.md", "x")])
    assert list(outside.iterdir()) == []


def test_a_folder_linked_to_another_of_the_vault_is_fine(tmp_path: Path) -> None:
    (tmp_path / "Archive").mkdir()
    (tmp_path / "Telegram").symlink_to(tmp_path / "Archive")
    write_batch(tmp_path, [NoteFile("Telegram/a.md", "x")])
    assert (tmp_path / "Archive" / "a.md").read_text() == "x"


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "Telegram").write_text("a file")
    with pytest.raises(VaultUnwritable, match=r"Telegram is a file, where tobs needs a folder"):
        write_batch(tmp_path, [NoteFile("first.md", "x"), NoteFile("Telegram/a.md", "x")])
    assert [path.name for path in tmp_path.iterdir()] == ["Telegram"]


def test_a_folder_in_the_place_of_a_note_stops_the_batch_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "b.md").mkdir()
    with pytest.raises(VaultUnwritable, match=r"b\.md cannot be written"):
        write_batch(tmp_path, [NoteFile("a.md", "a"), NoteFile("b.md", "b"), NoteFile("c.md", "c")])
    assert (tmp_path / "a.md").read_text() == "a"
    assert not (tmp_path / "c.md").exists()
    assert leftovers(tmp_path) == []


LIMITED = """
import resource, signal, sys
from pathlib import Path
from tobs.errors import VaultUnwritable
from tobs.vault.writer import NoteFile, write_batch
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_batch(Path(sys.argv[1]), [NoteFile("a.md", "new"), NoteFile("b.md", "x" * 5000)])
except VaultUnwritable as error:
    sys.exit(error.exit_code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX")
def test_a_disk_that_takes_only_a_part_leaves_every_note_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("old")
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], check=False)
    assert done.returncode == VaultUnwritable.exit_code
    assert [path.name for path in tmp_path.iterdir()] == ["a.md"]
    assert (tmp_path / "a.md").read_text() == "old"


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was forced to the disk, with what lay there then."""
    calls: list[str] = []

    def fsync(file: int) -> None:
        path = Path(f"/proc/self/fd/{file}").readlink()
        calls.append(
            f"{path.name}: {sorted(each.name for each in path.iterdir())}" if path.is_dir() else path.read_text()
        )

    monkeypatch.setattr(os, "fsync", fsync)
    return calls


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux which file is meant")
def test_without_syncfs_each_file_and_then_its_folder_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synced: list[str]
) -> None:
    monkeypatch.setattr(durable, "_syncfs", lambda: None)
    write_batch(tmp_path, [NoteFile("a/b.md", "text of b"), NoteFile("a/c.md", "text of c")])
    # The contents before their names.
    assert synced[-3:] == ["text of b", "text of c", "a: ['b.md', 'c.md']"]


@pytest.mark.skipif(sys.platform != "linux", reason="syncfs is Linux's")
def test_with_syncfs_one_call_syncs_the_contents_before_they_have_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, synced: list[str]
) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.setattr(
        durable, "_syncfs", lambda: lambda file: synced.append("all: " + " ".join(names(tmp_path / "a")))
    )
    write_batch(tmp_path, [NoteFile("a/b.md", "b"), NoteFile("a/c.md", "c")])
    assert len(synced) == 2 and synced[0].count(".tobs-") == 2 and "b.md" not in synced[0]
    assert synced[1] == "a: ['b.md', 'c.md']"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_empty_batch_is_nothing(tmp_path: Path) -> None:
    assert write_batch(tmp_path, []) == []


def test_notes_are_read_in_order_and_missing_ones_are_none(tmp_path: Path) -> None:
    long = "x" * 3_000_000
    write_batch(tmp_path, [NoteFile("a.md", "a"), NoteFile("d/long.md", long), NoteFile("empty.md", "")])
    found = read_batch(tmp_path, ["d/long.md", "no.md", "a.md", "a.md/below-a-file.md", "empty.md"])
    assert found == [long.encode(), None, b"a", None, b""]


def test_what_cannot_be_read_is_no_missing_note(tmp_path: Path) -> None:
    (tmp_path / "a.md").mkdir()
    with pytest.raises(VaultUnwritable, match="cannot be read"):
        read_batch(tmp_path, ["a.md"])


def test_a_file_somebody_wrote_since_it_was_read_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("as read")
    (tmp_path / "b.md").write_text("as read")
    names = ["a.md", "b.md", "c.md", "d.md"]
    seen = [one and one[1] for one in read_batch_with_mtimes(tmp_path, names)]
    os.utime(tmp_path / "b.md", ns=(1, 1))
    (tmp_path / "d.md").write_text("came meanwhile")
    files = [
        NoteFile(name, "new", time or 0) for name, time in zip(["a.md", "b.md", "c.md", "d.md"], seen, strict=True)
    ]
    assert [file.path for file in write_batch(tmp_path, files)] == ["a.md", "c.md"]
    assert [(tmp_path / name).read_text() for name in names] == [*("new", "as read", "new", "came meanwhile")]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
