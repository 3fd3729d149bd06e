"""What a plugin makes of a file to lie in its place: there once, whole, and never over the owner's own work."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tobs.archive import FileRow, MediaRow
from tobs.media import Produced
from tobs.model import FileItem, MessageKey
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.media.attach import attach_edited, finish_edits

CAME, TAGGED, BETTER = b"song", b"song with tags", b"song with tags and a cover"
DAY = 1_700_000_000


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def song(context: RunContext) -> FileRow:
    """A file as it came from Telegram."""
    place = context.root / "song.mp3"
    place.write_bytes(CAME)
    os.utime(place, (DAY, DAY))
    return context.archive.files.claim(sha256(CAME), MessageKey(1, -5, 7), ["song.mp3"], size=len(CAME))


def row(message: int) -> MediaRow:
    """The file of a message; its owner is message 7."""
    item = FileItem("audio", mime="audio/mpeg", name="song.mp3")
    return MediaRow(1, 1, -5, message, 0, "key", 0, DAY, "placed", "", False, 0, 0, sha256(CAME), len(CAME), item)


def staged(context: RunContext, data: bytes, made_of: bytes) -> Produced:
    path = context.staging / f"{sha256(data)}.mp3"
    path.write_bytes(data)
    return Produced(sha256(data), len(data), "tagged.mp3", "body", "tags", str(path), sha256(made_of))


def lies(context: RunContext) -> tuple[bytes, int, FileRow]:
    """What lies there, its date, and what the archive knows; the staging folder is empty."""
    assert list(context.staging.iterdir()) == []
    place, row = context.root / "song.mp3", context.archive.files.get(sha256(CAME))
    assert row is not None and row.size == place.stat().st_size
    return place.read_bytes(), int(place.stat().st_mtime), row


def test_it_takes_the_place_and_the_date_and_the_archive_knows(context: RunContext, song: FileRow) -> None:
    changed = attach_edited(context, row(7), song, staged(context, TAGGED, CAME))
    assert lies(context) == (TAGGED, DAY, changed) and changed.digest == sha256(TAGGED)
    assert context.archive.files.with_content([sha256(CAME), sha256(TAGGED)]) == {sha256(TAGGED): changed}
    # A later version of the plugin may make more of it.
    again = attach_edited(context, row(7), changed, staged(context, BETTER, TAGGED))
    assert lies(context) == (BETTER, DAY, again)


def test_of_two_messages_with_one_file_the_first_changes_it(
    context: RunContext, report: ReportBuilder, song: FileRow
) -> None:
    assert attach_edited(context, row(9), song, staged(context, BETTER, CAME)) == song
    assert lies(context) == (CAME, DAY, song)
    changed = attach_edited(context, row(7), song, staged(context, TAGGED, CAME))
    # The first message has it a second time, and what is made of that comes too late.
    assert attach_edited(context, row(7), changed, staged(context, BETTER, CAME)) == changed
    assert lies(context) == (TAGGED, DAY, changed) and not report.report.doubts


def test_what_the_owner_changed_is_left_alone_and_told(
    context: RunContext, report: ReportBuilder, song: FileRow
) -> None:
    (context.root / "song.mp3").write_bytes(b"mine")
    assert attach_edited(context, row(7), song, staged(context, TAGGED, CAME)) == song
    assert (context.root / "song.mp3").read_bytes() == b"mine" and list(context.staging.iterdir()) == []
    assert [each.item for each in report.report.doubts] == ["song.mp3"]


@pytest.mark.parametrize("lay_there", [CAME, TAGGED])
def test_a_change_that_a_crash_cut_off_is_finished(context: RunContext, song: FileRow, lay_there: bytes) -> None:
    body = staged(context, BETTER, lay_there)
    (context.root / "song.mp3").write_bytes(lay_there)
    for path in (Path(body.path), context.root / "song.mp3"):
        os.utime(path, (DAY, DAY))
    context.archive.files.set_changed(song.sha256, body.sha256, body.size)
    finish_edits(context.archive, context.root, context.staging)
    assert lies(context)[:2] == (BETTER, DAY)


def test_what_the_owner_made_after_a_crash_is_theirs(context: RunContext, song: FileRow) -> None:
    body = staged(context, TAGGED, CAME)
    context.archive.files.set_changed(song.sha256, body.sha256, body.size)
    (context.root / "song.mp3").write_bytes(b"mine")
    finish_edits(context.archive, context.root, context.staging)
    assert (context.root / "song.mp3").read_bytes() == b"mine"
