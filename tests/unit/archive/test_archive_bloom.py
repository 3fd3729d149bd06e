from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from archive_builders import ACCOUNT, CHANNEL, message, page, photo, want_all

from tobs.archive import Archive, Recorded, open_archive, record_page
from tobs.archive.bloom import MIN_CAPACITY, SeenIds
from tobs.model import Chat


def reopened(path: Path) -> Archive:
    return open_archive(path, clock=lambda: 0.0)


def test_a_filter_that_says_surely_new_about_a_present_message_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with reopened(path) as archive:
        record_page(archive, ACCOUNT, page([message(1, "one"), message(2, media=photo(5)), message(3)]), want_all)
    lie = SeenIds([], capacity=MIN_CAPACITY).dump()
    with sqlite3.connect(path) as outside:
        outside.execute("UPDATE blooms SET bits = ?", (lie,))
    outside.close()

    with reopened(path) as archive:
        again = page([message(1, "edited"), message(2, media=photo(5)), message(3), message(4)])
        assert record_page(archive, ACCOUNT, again, want_all) == Recorded(new=1, edited=1, unchanged=2)
        assert archive.messages.count(ACCOUNT, CHANNEL) == 4
        assert archive.media.counts(ACCOUNT, CHANNEL) == {"wanted": 1}
        found = archive.messages.get((0, CHANNEL, 1))  # type: ignore[arg-type]
        assert found is not None and found.text == "edited"


@pytest.mark.parametrize("bits", [b"", b"nonsense", b"\x00" * 40, b"\xff" * 64])
def test_a_filter_that_cannot_be_read_is_built_anew(tmp_path: Path, bits: bytes) -> None:
    path = tmp_path / "archive.db"
    with reopened(path) as archive:
        record_page(archive, ACCOUNT, page([message(1)]), want_all)
    with sqlite3.connect(path) as outside:
        outside.execute("UPDATE blooms SET bits = ?", (bits,))
    outside.close()
    with reopened(path) as archive:
        assert record_page(archive, ACCOUNT, page([message(1), message(2)]), want_all) == Recorded(1, 0, 1)


def test_rows_added_after_the_filter_was_saved_are_in_it_when_it_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with reopened(path) as archive:
        record_page(archive, ACCOUNT, page([message(1)]), want_all)
        archive.blooms.save_all()
        record_page(archive, ACCOUNT, page([message(2)]), want_all)
        # As after a crash: a second connection sees the rows, and the filter of before.
        after_crash = reopened(path)
        assert after_crash.blooms.surely_new(0, CHANNEL, [1, 2, 3], expected=0) == {3}
        after_crash.close()


def test_the_filter_is_sized_by_the_chat_and_doubles_before_it_is_full(archive: Archive) -> None:
    archive.chats.put(ACCOUNT, Chat(CHANNEL, "channel", "News", count=6_000))
    record_page(archive, ACCOUNT, page(message(n) for n in range(1, 11)), want_all)
    archive.blooms.save_all()
    assert stored_capacity(archive) == 12_000
    for start in (11, 6_011):
        ids = range(start, start + 6_000)
        record_page(archive, ACCOUNT, page(message(n) for n in ids), want_all)
    archive.blooms.save_all()
    assert stored_capacity(archive) == 24_000
    assert archive.messages.count(ACCOUNT, CHANNEL) == 12_010


def test_hardly_any_new_id_is_taken_for_a_seen_one() -> None:
    seen = SeenIds(range(10_000), capacity=20_000)
    assert all(seen.add(n) for n in range(0, 10_000, 97))
    assert sum(seen.add(n) for n in range(50_000, 55_000)) < 25


def stored_capacity(archive: Archive) -> int:
    with sqlite3.connect(archive.path) as outside:
        capacity: int = outside.execute("SELECT capacity FROM blooms").fetchone()[0]
    outside.close()
    return capacity
