"""A vault is found, made once, refused when it is not ours to touch, and swept after a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tobs.config.vault_paths import find_vault
from tobs.errors import VaultError, VaultNewer, VaultUnwritable
from tobs.vault.workspace import make_workspace, open_workspace, require_space, sweep

ID = "11111111-2222-3333-4444-555555555555"


def make(root: Path, vault_id: str = ID) -> Path:
    return make_workspace(root, root / "home", lambda: vault_id).root


def test_a_new_vault_has_its_id_its_folders_and_keeps_the_archive_out_of_git(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "new" / "vault", tmp_path / "home", lambda: ID)
    assert workspace.id == ID
    assert all(
        folder.is_dir() for folder in (workspace.templates, workspace.plugins, workspace.logs, workspace.reports)
    )
    assert "/archive.db*" in (workspace.tobs / ".gitignore").read_text().splitlines()
    if os.name == "posix":
        assert workspace.tobs.stat().st_mode & 0o777 == 0o700


def test_making_it_again_touches_nothing_and_keeps_the_id(tmp_path: Path) -> None:
    make(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / ".tobs").iterdir()}
    assert make_workspace(tmp_path, tmp_path / "home", lambda: "99999999-2222-3333-4444-555555555555").id == ID
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / ".tobs").iterdir()} == before


def test_the_nearest_vault_above_is_found(tmp_path: Path) -> None:
    make(tmp_path / "outer")
    inner = tmp_path / "outer" / "a" / "b"
    inner.mkdir(parents=True)
    assert find_vault(inner) == tmp_path / "outer"
    assert find_vault(tmp_path) is None


def test_a_folder_without_a_vault_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="no vault of tobs"):
        open_workspace(tmp_path, tmp_path / "home")


def test_a_vault_of_a_newer_tobs_is_refused_whatever_else_it_says(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / ".tobs" / "vault.toml").write_text('schema = 2\nname = "no id any more"\n')
    with pytest.raises(VaultNewer, match="newer tobs"):
        make(tmp_path)


@pytest.mark.parametrize("text", ["", "id = ", 'id = "no uuid"\nschema = 1', 'schema = "x"', "id = 5\nschema = 1"])
def test_a_damaged_vault_file_is_told_and_not_replaced(tmp_path: Path, text: str) -> None:
    make(tmp_path)
    path = tmp_path / ".tobs" / "vault.toml"
    path.write_text(text)
    with pytest.raises(VaultError, match="is damaged"):
        make(tmp_path)
    assert path.read_text() == text


def test_a_file_in_the_place_of_the_vault_is_unwritable(tmp_path: Path) -> None:
    (tmp_path / "vault").write_text("a file")
    with pytest.raises(VaultUnwritable):
        make(tmp_path / "vault")


def test_too_little_space_is_told_before_the_run(tmp_path: Path) -> None:
    require_space(tmp_path)
    with pytest.raises(VaultUnwritable, match="MB are needed"):
        require_space(tmp_path, 10**18)


CRASHING = """
import os, signal, sys
from pathlib import Path
from tobs.vault import writer
writer.sync_contents = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
writer.write_batch(Path(sys.argv[1]), [writer.NoteFile(f"Telegram/A/{n}/a.md", "a") for n in range(3)])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_what_a_killed_run_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    make(tmp_path)
    done = subprocess.run([sys.executable, "-c", CRASHING, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    owners = tmp_path / "Telegram" / "A" / ".tobs-mine.md"
    owners.write_text("not a temporary file of tobs")
    assert sweep(tmp_path) == 3
    assert list(tmp_path.rglob(".tobs-*")) == [owners]
    assert sweep(tmp_path) == 0


def test_sweeping_follows_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    temp = outside / ".tobs-0123456789ab-0"
    temp.write_text("of another vault, at work")
    root = make(tmp_path / "vault")
    (root / "Telegram").mkdir()
    (root / "Telegram" / "linked").symlink_to(outside)
    assert sweep(root) == 0
    assert temp.exists()
