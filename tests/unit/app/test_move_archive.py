"""The archive of a vault is moved whole: stopped anywhere, one copy with every message is in force."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from tobs.app.archive_place import MovedArchive, ShownPaths
from tobs.app.context import AppContext, open_app_context
from tobs.app.events import Events
from tobs.app.execute import execute
from tobs.archive import open_archive
from tobs.config.vault_paths import VaultPaths
from tobs.errors import VaultError
from tobs.model.requests import ArchivePlace, BackupListRequest, BackupRequest, MoveArchiveRequest, VaultPathsRequest
from tobs.vault.archive_place import settle_archive
from tobs.vault.workspace import make_data_folders, make_workspace, open_workspace

ID = "11111111-2222-3333-4444-555555555555"


class _Stopped(BaseException):
    """The end of the process."""


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppContext:
    """A vault with an archive, a backup and half a download, in a folder that became a synced one."""
    monkeypatch.chdir(tmp_path)
    return _vault(tmp_path / "first")


def _vault(folder: Path) -> AppContext:
    paths = make_workspace(folder / "vault", folder / "home", lambda: ID)
    make_data_folders(paths)
    with open_archive(paths.archive, clock=lambda: 0.0) as archive:
        archive.meta.set("kept", "every word")
    (paths.staging / "half.part").write_bytes(b"half")
    context = open_app_context({"vault": str(paths.root)}, cwd=folder, home=folder / "home")
    asyncio.run(execute(BackupRequest(), context, Events()))
    (folder / ".stfolder").mkdir()
    return context


def move(context: AppContext, to: ArchivePlace) -> MovedArchive:
    return asyncio.run(execute(MoveArchiveRequest(to), context, Events()))


def shown_paths(context: AppContext) -> ShownPaths:
    return asyncio.run(execute(VaultPathsRequest(), context, Events()))


def _paths(context: AppContext) -> VaultPaths:
    return open_workspace(context.vault, context.home)


def _kept(context: AppContext) -> str | None:
    with open_archive(_paths(context).archive, clock=lambda: 0.0, read_only=True) as archive:
        return archive.meta.get("kept")


def _files(folder: Path) -> set[str]:
    """Files below ``folder``, without what SQLite leaves beside a backup that was only read."""
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {name for name in files if not name.endswith((".backup-wal", ".backup-shm"))}


def test_it_moves_with_its_backups_and_downloads_there_and_back(context: AppContext) -> None:
    inside = _paths(context)
    before = _files(inside.tobs)
    moved = move(context, "home")
    outside = _paths(context)
    assert (moved.moved, moved.archive) == (True, str(outside.archive))
    assert outside.archive == context.home / "vaults" / ID / "archive.db"
    assert _kept(context) == "every word"
    assert [facts.messages for facts in asyncio.run(execute(BackupListRequest(), context, Events()))] == [0]
    assert (outside.staging / "half.part").read_bytes() == b"half"
    assert not any(name.startswith(("archive.db", "backups/", "staging/")) for name in _files(inside.tobs))
    assert outside.archive.stat().st_mode & 0o077 == 0 == outside.data.stat().st_mode & 0o077

    move(context, "vault")
    assert _kept(context) == "every word"
    assert _files(inside.tobs) - {"lock"} == before - {"lock"}
    assert _files(context.home / "vaults") == set()
    assert settle_archive(context.vault, context.home)[1] == "", "its owner put it there"


def test_a_place_that_is_right_is_only_recorded(context: AppContext) -> None:
    moved = move(context, "vault")
    assert not moved.moved
    assert settle_archive(context.vault, context.home) == (_paths(context), "")
    assert _kept(context) == "every word"


def test_an_archive_that_lay_at_the_new_place_is_kept(context: AppContext) -> None:
    stray = context.home / "vaults" / ID / "archive.db"
    stray.parent.mkdir(parents=True)
    with open_archive(stray, clock=lambda: 0.0) as archive:
        archive.meta.set("kept", "of another day")
    moved = move(context, "home")
    assert _kept(context) == "every word"
    with sqlite3.connect(moved.replaced) as database:
        assert ("of another day",) in database.execute("SELECT value FROM meta").fetchall()
    database.close()


def test_a_damaged_archive_stays_where_it_is(context: AppContext) -> None:
    path = _paths(context).archive
    data = bytearray(path.read_bytes())
    data[4096:12288] = b"x" * 8192
    path.write_bytes(data)
    with pytest.raises(VaultError):
        move(context, "home")
    assert _paths(context).archive == path and path.read_bytes() == data


def test_stopped_at_any_step_it_leaves_one_whole_archive_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for step in count():
        context = _vault(tmp_path / str(step))
        try:
            with _stopping_at(step):
                move(context, "home")
            break
        except _Stopped:
            assert _kept(context) == "every word", step
            assert [facts.messages for facts in asyncio.run(execute(BackupListRequest(), context, Events()))] == [0], (
                step
            )
            # The next run, or the same command again, ends it.
            move(context, "home")
            assert _kept(context) == "every word", step
            assert not any(path.startswith("archive.db") for path in _files(context.vault / ".tobs")), step
    assert step > 8, "it was stopped at each of its renames and removals"


@contextmanager
def _stopping_at(step: int) -> Iterator[None]:
    """End everything at the ``step``-th rename or removal."""
    numbers = count()

    def stopping(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            if next(numbers) >= step:
                raise _Stopped
            return real(*args, **kwargs)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in ("replace", "unlink"):  # pathlib calls them too
            patch.setattr(os, name, stopping(getattr(os, name)))
        yield


def test_the_paths_that_are_shown_are_those_in_force(context: AppContext) -> None:
    assert shown_paths(context).place == "vault"
    assert shown_paths(context).synced_by == "Syncthing"
    move(context, "home")
    shown = shown_paths(context)
    assert (shown.place, shown.archive) == ("home", str(_paths(context).archive))


def test_a_copy_of_a_vault_does_not_move_its_archive_over_that_of_the_original(tmp_path: Path) -> None:
    original = _vault(tmp_path / "first")
    shutil.copytree(original.vault, tmp_path / "first" / "copy")
    move(original, "home")
    copy = open_app_context({"vault": str(tmp_path / "first" / "copy")}, cwd=tmp_path, home=original.home)
    with pytest.raises(VaultError, match="is a copy of the vault"):
        move(copy, "home")
    move(original, "vault")
    assert _kept(original) == "every word"
    assert move(copy, "home").moved, "the place is free again"
