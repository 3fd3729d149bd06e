"""An archive of an older schema: readers of chats, and a copy that does not fit on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tobs.archive import open_archive
from tobs.archive.database import Database, connect
from tobs.archive.migrate import migrate, shipped_migrations
from tobs.errors import VaultError, VaultUnwritable
from tobs.model import Chat
from tobs.pipeline.commands.import_html_chat import chat_of_html


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """An archive of the first schema."""
    path = tmp_path / "archive.db"
    database = connect(path)
    migrate(database, shipped_migrations()[:1])
    database.close()
    return path


def test_an_export_in_html_finds_its_chat_in_an_archive_that_is_not_migrated_yet(older: Path) -> None:
    found = chat_of_html("Club", "123", archive_path=older, account_name="default")
    assert found == Chat(123, "private", "Club")
    with pytest.raises(VaultError, match="older tobs") as caught:
        open_archive(older, clock=lambda: 0.0, read_only=True)
    assert "tobs render" in caught.value.remedy, "which needs no login"


def test_half_a_copy_made_before_a_migration_does_not_stay(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Database, target: Path) -> None:
        target.write_bytes(b"half")
        raise VaultUnwritable("The disk is full.")

    monkeypatch.setattr(Database, "copy_to", full)
    with pytest.raises(VaultUnwritable):
        open_archive(older, clock=lambda: 0.0)
    assert [path.name for path in older.parent.iterdir() if path.suffix == ".part"] == []
