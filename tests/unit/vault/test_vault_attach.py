"""Attachments find their place once, whole, with the date of their message."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from tobs.errors import VaultError, VaultUnwritable
from tobs.vault.attach import attach_file, free_paths

DATA = b"picture"
HASH = sha256(DATA).hexdigest()
DATE = 1_704_153_600.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "vault"
    folder.mkdir()
    return folder


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    path = tmp_path / "staged"
    path.write_bytes(DATA)
    return path


def place(staged: Path, root: Path, path: str = "Telegram/A/media/a.jpg", *, replace: bool = False) -> bool:
    return attach_file(staged, root, path, sha256=HASH, mtime=DATE, replace=replace) is not None


def test_a_file_is_moved_and_dated(staged: Path, root: Path) -> None:
    placed = attach_file(staged, root, "Telegram/A/media/a.jpg", sha256=HASH, mtime=DATE)
    target = root / "Telegram/A/media/a.jpg"
    assert placed is not None
    assert (placed.path, placed.size) == ("Telegram/A/media/a.jpg", len(DATA))
    assert (target.read_bytes(), target.stat().st_mtime) == (DATA, DATE)
    assert not staged.exists()


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="needs a second file system")
def test_a_file_of_another_file_system_is_copied_whole(root: Path) -> None:
    staged = Path(f"/dev/shm/tobs-test-{os.getpid()}")
    staged.write_bytes(DATA)
    try:
        assert place(staged, root)
        target = root / "Telegram/A/media/a.jpg"
        assert (target.read_bytes(), target.stat().st_mtime) == (DATA, DATE)
        assert [path.name for path in target.parent.iterdir()] == ["a.jpg"]
        assert not staged.exists()
    finally:
        staged.unlink(missing_ok=True)


def test_a_placement_that_was_cut_short_is_taken_as_done(staged: Path, root: Path) -> None:
    assert place(staged, root)
    assert place(staged, root)


def test_a_file_of_the_owner_stays_and_so_does_ours(staged: Path, root: Path) -> None:
    (root / "a.jpg").write_bytes(b"the owner's")
    assert not place(staged, root, "a.jpg")
    assert (root / "a.jpg").read_bytes() == b"the owner's"
    assert staged.read_bytes() == DATA


def test_an_older_file_of_ours_is_replaced_when_the_caller_says_so(staged: Path, root: Path) -> None:
    (root / "a.jpg").write_bytes(b"before its tags were written")
    assert place(staged, root, "a.jpg", replace=True)
    assert (root / "a.jpg").read_bytes() == DATA


def test_a_staged_file_that_is_gone_is_told(tmp_path: Path, root: Path) -> None:
    with pytest.raises(VaultUnwritable):
        place(tmp_path / "gone", root)


def test_no_attachment_leaves_the_vault(staged: Path, root: Path) -> None:
    with pytest.raises(VaultError):
        place(staged, root, "../a.jpg")
    assert staged.exists()


def test_names_at_which_something_of_the_owner_lies_are_passed_over(root: Path) -> None:
    (root / "a.jpg").write_bytes(b"the owner's")
    (root / "b.jpg").symlink_to(root / "dangling")
    (root / "c.jpg").write_bytes(DATA)
    assert list(free_paths(root, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"], HASH)) == ["c.jpg", "d.jpg"]
