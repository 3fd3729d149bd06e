"""A cloud-synced folder is detected by its real marks, and where the archive lies is decided once."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tobs.config.vault_paths import VaultPaths, paths_at
from tobs.errors import VaultError
from tobs.model.requests import ArchivePlace
from tobs.vault.archive_place import read_identity, record_place, settle_archive
from tobs.vault.cloud_folders import sync_service
from tobs.vault.workspace import locate_vault, make_workspace, open_workspace

ID = "11111111-2222-3333-4444-555555555555"


def _file(path: Path, data: bytes = b"") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _folder(path: Path) -> None:
    path.mkdir(parents=True)


INI = "[.ShellClassInfo]\r\nIconResource=C:\\Program Files\\Microsoft OneDrive\\OneDrive.exe,6\r\n"


@pytest.mark.parametrize(
    ("service", "mark"),
    [
        ("Dropbox", lambda top: _file(top / ".dropbox", b'{"ns": 1}')),
        ("Dropbox", lambda top: _folder(top / ".dropbox.cache")),
        ("OneDrive", lambda top: _file(top / "desktop.ini", INI.encode("utf-16"))),
        ("OneDrive", lambda top: _file(top / "desktop.ini", INI.encode())),
        ("Google Drive", lambda top: _folder(top / ".tmp.drivedownload")),
        ("Google Drive", lambda top: _folder(top / ".tmp.driveupload")),
        ("Syncthing", lambda top: _folder(top / ".stfolder")),
        ("Nextcloud", lambda top: _file(top / ".sync_0123abcd.db")),
        ("Nextcloud", lambda top: _file(top / ".nextcloudsync.log")),
    ],
)
def test_a_marker_in_the_vault_or_above_it_names_the_service(
    service: str, mark: Callable[[Path], None], tmp_path: Path
) -> None:
    top = tmp_path / "files"
    vault = top / "notes" / "vault"
    vault.mkdir(parents=True)
    assert sync_service(vault) == ""
    mark(top)
    assert sync_service(vault) == sync_service(top) == service
    assert sync_service(tmp_path) == "", "a folder above it is not synced"


@pytest.mark.parametrize(
    ("service", "folder"),
    [
        ("OneDrive", "OneDrive"),
        ("OneDrive", "OneDrive - Example Ltd"),
        ("OneDrive", "Library/CloudStorage/OneDrive-Personal"),
        ("iCloud Drive", "Library/Mobile Documents/iCloud~md~obsidian/Documents"),
        ("iCloud Drive", "Library/Mobile Documents/com~apple~CloudDocs"),
        ("iCloud Drive", "iCloudDrive"),
        ("Google Drive", "Google Drive"),
        ("Google Drive", "Library/CloudStorage/GoogleDrive-me@example.org/My Drive"),
        ("Dropbox", "Library/CloudStorage/Dropbox"),
        ("Box", "Library/CloudStorage/Box-Box"),
        ("pCloud", "pCloudDrive"),
    ],
)
def test_a_folder_of_a_sync_client_is_known_by_its_name(service: str, folder: str, tmp_path: Path) -> None:
    # It need not exist: the vault is made by the first run.
    assert sync_service(tmp_path / folder / "vault") == service


@pytest.mark.parametrize(
    "mark",
    [
        # The Dropbox client keeps its own data in this folder of a home folder, which is not synced.
        lambda top: _folder(top / ".dropbox"),
        # Windows writes one into many folders.
        lambda top: _file(top / "desktop.ini", b"[.ShellClassInfo]\r\nLocalizedResourceName=@shell32.dll,-21770\r\n"),
        lambda top: _folder(top / "Dropbox"),
    ],
)
def test_what_only_looks_like_a_mark_is_none(mark: Callable[[Path], None], tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    mark(tmp_path)
    assert sync_service(tmp_path / "vault") == ""


@pytest.mark.parametrize("name", ["Dropbox", "OneDriveBackup", "My OneDrive", "google-drive-notes", "Documents"])
def test_a_name_alone_that_anybody_may_give_is_no_mark(name: str, tmp_path: Path) -> None:
    assert sync_service(tmp_path / name / "vault") == ""


def test_a_link_into_a_synced_folder_is_followed(tmp_path: Path) -> None:
    _folder(tmp_path / "sync" / ".stfolder")
    _folder(tmp_path / "sync" / "vault")
    (tmp_path / "link").symlink_to(tmp_path / "sync" / "vault")
    assert sync_service(tmp_path / "link") == "Syncthing"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def make(root: Path, home: Path, *, synced: bool = True) -> VaultPaths:
    if synced:
        _folder(root.parent / ".stfolder")
    return make_workspace(root, home, lambda: ID)


def test_an_ordinary_vault_keeps_its_archive_inside_and_says_nothing(tmp_path: Path, home: Path) -> None:
    made = make(tmp_path / "files" / "vault", home, synced=False)
    before = made.identity.read_bytes()
    paths, remark = settle_archive(made.root, home)
    assert paths.archive == made.root / ".tobs" / "archive.db"
    assert (remark, made.identity.read_bytes()) == ("", before)


def test_a_new_archive_of_a_synced_vault_lies_under_tobs_home_which_is_said_once(tmp_path: Path, home: Path) -> None:
    made = make(tmp_path / "files" / "vault", home)
    paths, remark = settle_archive(made.root, home)
    assert paths.archive == home / "vaults" / ID / "archive.db"
    assert paths.staging.parent == paths.backups.parent == paths.archive.parent
    assert paths.lock == made.root / ".tobs" / "lock", "the lock also guards the notes"
    assert "Syncthing" in remark and str(paths.data) in remark and "tobs vault move-archive" in remark
    assert settle_archive(made.root, home) == (paths, "")
    assert open_workspace(made.root, home) == locate_vault(made.root, home) == paths


def test_the_record_has_no_path_and_goes_where_the_vault_goes(tmp_path: Path, home: Path) -> None:
    made = make(tmp_path / "files" / "vault", home)
    settle_archive(made.root, home)
    assert tomllib.loads(made.identity.read_text()) == {"id": ID, "schema": 1, "archive": "home"}
    moved = made.root.rename(tmp_path / "elsewhere")
    assert open_workspace(moved, home).archive == home / "vaults" / ID / "archive.db"


def test_an_archive_that_lies_in_a_synced_folder_stays_and_every_run_says_so(tmp_path: Path, home: Path) -> None:
    made = make(tmp_path / "files" / "vault", home, synced=False)
    made.archive.write_bytes(b"messages")
    _folder(tmp_path / "files" / ".stfolder")
    for _ in range(2):
        paths, remark = settle_archive(made.root, home)
        assert paths.archive == made.archive
        assert "Syncthing" in remark and "`tobs vault move-archive`" in remark
    identity = read_identity(made.root)
    assert identity is not None and identity.archive is None
    record_place(made.root, identity, "vault")
    assert settle_archive(made.root, home) == (paths, ""), "its owner wants it there"


def test_an_archive_under_tobs_home_is_found_though_a_sync_took_the_record_away(tmp_path: Path, home: Path) -> None:
    made = make(tmp_path / "files" / "vault", home)
    paths, _ = settle_archive(made.root, home)
    _file(paths.archive, b"messages")
    made.identity.write_text(f'id = "{ID}"\nschema = 1\n')
    assert open_workspace(made.root, home) == paths
    settle_archive(made.root, home)
    assert tomllib.loads(made.identity.read_text())["archive"] == "home"


def test_a_record_that_names_no_place_is_damage(tmp_path: Path, home: Path) -> None:
    made = make(tmp_path / "files" / "vault", home, synced=False)
    made.identity.write_text(f'id = "{ID}"\nschema = 1\narchive = "/somewhere"\n')
    with pytest.raises(VaultError, match="damaged"):
        open_workspace(made.root, home)


def test_an_old_copy_is_the_only_one_on_a_machine_without_the_new_one(tmp_path: Path, home: Path) -> None:
    made = make(tmp_path / "files" / "vault", home)
    made.archive.write_bytes(b"messages")
    identity = read_identity(made.root)
    assert identity is not None
    record_place(made.root, identity, "home", leftover="vault")
    settle_archive(made.root, home)
    assert made.archive.read_bytes() == b"messages"
    _file(paths_at(made.root, ID, "home", home).archive, b"messages")
    settle_archive(made.root, home)
    assert not made.archive.exists()


def _vault(folder: Path, home: Path) -> Path:
    """A vault in a synced folder, whose archive is settled under ``home``."""
    (folder / "synced").mkdir(parents=True)
    _file(folder / "synced" / ".dropbox")
    root = folder / "synced" / "vault"
    make_workspace(root, home, lambda: ID)
    paths, remark = settle_archive(root, home)
    assert paths.place == "home" and "Dropbox" in remark
    _file(paths.archive, b"archive")
    return root


def test_a_copy_of_a_vault_never_shares_its_archive(tmp_path: Path) -> None:
    home = tmp_path / "home"
    root = _vault(tmp_path, home)
    shutil.copytree(root, tmp_path / "copy")
    with pytest.raises(VaultError, match="is a copy of the vault"):
        settle_archive(tmp_path / "copy", home)
    assert settle_archive(root, home)[0].archive.read_bytes() == b"archive"
    (tmp_path / "copy" / ".tobs" / "vault.toml").unlink()
    make_workspace(tmp_path / "copy", home, lambda: ID.replace("1", "9"))
    assert settle_archive(tmp_path / "copy", home)[0].archive != settle_archive(root, home)[0].archive


def test_a_vault_that_was_moved_keeps_its_archive(tmp_path: Path) -> None:
    home = tmp_path / "home"
    root = _vault(tmp_path, home)
    root.rename(tmp_path / "elsewhere")
    assert settle_archive(tmp_path / "elsewhere", home)[0].archive.read_bytes() == b"archive"
    shutil.copytree(tmp_path / "elsewhere", root)
    with pytest.raises(VaultError, match="is a copy of the vault"):
        settle_archive(root, home)


@pytest.mark.parametrize("recorded", ["home", "vault"])
def test_the_only_archive_that_is_here_is_used_whatever_another_machine_recorded(
    recorded: ArchivePlace, tmp_path: Path
) -> None:
    home, root = tmp_path / "home", tmp_path / "vault"
    make_workspace(root, home, lambda: ID)
    other = paths_at(root, ID, "vault" if recorded == "home" else "home", home)
    _file(other.archive, b"archive")
    identity = read_identity(root)
    assert identity is not None
    record_place(root, identity, recorded)
    paths, remark = settle_archive(root, home)
    assert paths.archive == other.archive and str(other.archive) in remark
    assert locate_vault(root, home).archive == other.archive, "readers find it too"


def test_backups_in_a_synced_vault_are_found_when_its_archive_is_lost(tmp_path: Path) -> None:
    home, root = tmp_path / "home", tmp_path / "vault"
    make_workspace(root, home, lambda: ID)
    _file(root / ".dropbox")
    _file(root / ".tobs" / "backups" / "archive-1.backup", b"backup")
    assert settle_archive(root, home)[0].backups == root / ".tobs" / "backups"


def test_the_folder_of_archives_is_the_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    _vault(tmp_path, home)
    assert [path.stat().st_mode & 0o777 for path in (home / "vaults", home / "vaults" / ID)] == [0o700, 0o700]
