"""What a plugin makes of a file to lie in its place: there once, whole, and never over the owner's own work."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tobs.archive import FileRow, MediaRow
from tobs.media import Produced
from tobs.model import FileItem, MessageKey
from tobs.pipeline.context.run_context import Desk
from tobs.pipeline.media.edited_files import change_in_place, finish_changes

CAME, TAGGED, BETTER = b"song", b"song with tags", b"song with tags and a cover"
DAY = 1_700_000_000


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def song(desk: Desk) -> FileRow:
    """A file as it came from Telegram."""
    place = desk.root / "song.mp3"
    place.write_bytes(CAME)
    os.utime(place, (DAY, DAY))
    return desk.archive.files.claim(sha256(CAME), MessageKey(1, -5, 7), ["song.mp3"], size=len(CAME))


def row(message: int) -> MediaRow:
    """The file of a message; its owner is message 7."""
    item = FileItem("audio", mime="audio/mpeg", name="song.mp3")
    return MediaRow(1, 1, -5, message, 0, "key", 0, DAY, "placed", "", False, 0, 0, sha256(CAME), len(CAME), item)


def staged(desk: Desk, data: bytes, made_of: bytes) -> Produced:
    path = desk.staging / f"{sha256(data)}.mp3"
    path.write_bytes(data)
    return Produced(sha256(data), len(data), "tagged.mp3", "body", "tags", str(path), sha256(made_of))


def lies(desk: Desk) -> tuple[bytes, int, FileRow]:
    """What lies there, its date, and what the archive knows; the staging folder is empty."""
    assert list(desk.staging.iterdir()) == []
    place, row = desk.root / "song.mp3", desk.archive.files.get(sha256(CAME))
    assert row is not None and row.size == place.stat().st_size
    return place.read_bytes(), int(place.stat().st_mtime), row


def test_it_takes_the_place_and_the_date_and_the_archive_knows(desk: Desk, song: FileRow) -> None:
    changed = change_in_place(desk, row(7), song, staged(desk, TAGGED, CAME))
    assert lies(desk) == (TAGGED, DAY, changed) and changed.digest == sha256(TAGGED)
    assert desk.archive.files.holding([sha256(CAME), sha256(TAGGED)]) == {sha256(TAGGED): changed}
    # A later version of the plugin may make more of it.
    again = change_in_place(desk, row(7), changed, staged(desk, BETTER, TAGGED))
    assert lies(desk) == (BETTER, DAY, again)


def test_of_two_messages_with_one_file_the_first_changes_it(desk: Desk, song: FileRow) -> None:
    assert change_in_place(desk, row(9), song, staged(desk, BETTER, CAME)) == song
    assert lies(desk) == (CAME, DAY, song)
    changed = change_in_place(desk, row(7), song, staged(desk, TAGGED, CAME))
    # The first message has it a second time, and what is made of that comes too late.
    assert change_in_place(desk, row(7), changed, staged(desk, BETTER, CAME)) == changed
    assert lies(desk) == (TAGGED, DAY, changed) and not desk.reporter.report.doubts


def test_what_the_owner_changed_is_left_alone_and_told(desk: Desk, song: FileRow) -> None:
    (desk.root / "song.mp3").write_bytes(b"mine")
    assert change_in_place(desk, row(7), song, staged(desk, TAGGED, CAME)) == song
    assert (desk.root / "song.mp3").read_bytes() == b"mine" and list(desk.staging.iterdir()) == []
    assert [each.item for each in desk.reporter.report.doubts] == ["song.mp3"]


@pytest.mark.parametrize("lay_there", [CAME, TAGGED])
def test_a_change_that_a_crash_cut_off_is_finished(desk: Desk, song: FileRow, lay_there: bytes) -> None:
    body = staged(desk, BETTER, lay_there)
    (desk.root / "song.mp3").write_bytes(lay_there)
    for path in (Path(body.path), desk.root / "song.mp3"):
        os.utime(path, (DAY, DAY))
    desk.archive.files.set_changed(song.sha256, body.sha256, body.size)
    finish_changes(desk.archive, desk.root, desk.staging)
    assert lies(desk)[:2] == (BETTER, DAY)


def test_what_the_owner_made_after_a_crash_is_theirs(desk: Desk, song: FileRow) -> None:
    body = staged(desk, TAGGED, CAME)
    desk.archive.files.set_changed(song.sha256, body.sha256, body.size)
    (desk.root / "song.mp3").write_bytes(b"mine")
    finish_changes(desk.archive, desk.root, desk.staging)
    assert (desk.root / "song.mp3").read_bytes() == b"mine"
