"""The ledger counts every id of a chat once."""

from __future__ import annotations

import tempfile
from pathlib import Path

from archive_builders import ACCOUNT, CHANNEL, PRIVATE, message, page, want_all
from hypothesis import given, settings
from hypothesis import strategies as st

from tobs.archive import Archive, Ledger, open_archive, record_page
from tobs.model import MessageKey


def test_every_fate_of_an_id_is_counted_and_gaps_are_named(archive: Archive) -> None:
    archive.updates.track(ACCOUNT, CHANNEL, 20)
    unreadable = ((6, "newer than this tobs"),)
    first = [message(2), message(3, kind="service"), message(4)]
    record_page(archive, ACCOUNT, page(first, low=1, high=8, unreadable=unreadable), want_all)
    record_page(archive, ACCOUNT, page([message(20)], low=15, high=20), want_all)
    archive.messages.mark_deleted([MessageKey.of(ACCOUNT, CHANNEL, 4)])
    assert archive.ledgers.of(ACCOUNT, CHANNEL) == Ledger(
        CHANNEL, 1, 20, saved=2, service=1, deleted=1, inaccessible=1, absent=9, never_fetched=6, gaps=((9, 14),)
    )
    assert not archive.ledgers.of(ACCOUNT, CHANNEL).is_complete
    assert archive.ledgers.missing_ranges(ACCOUNT, CHANNEL) == [(6, 6), (9, 14)]


def test_a_selection_wants_nothing_below_its_first_id_until_all_is_wanted(archive: Archive) -> None:
    record_page(archive, ACCOUNT, page([message(50)], low=40, high=60), want_all)
    archive.updates.track(ACCOUNT, CHANNEL, 60, low=40)
    assert archive.ledgers.of(ACCOUNT, CHANNEL).is_complete
    archive.updates.track(ACCOUNT, CHANNEL, 70)
    assert archive.ledgers.missing_ranges(ACCOUNT, CHANNEL) == [(1, 39)]


def test_a_chat_nobody_fetched_has_an_empty_ledger(archive: Archive) -> None:
    assert archive.ledgers.of(ACCOUNT, PRIVATE).is_complete


@settings(max_examples=40, deadline=None)
@given(
    pages=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 20), st.sets(st.integers(1, 80))), max_size=6),
    deleted=st.sets(st.integers(1, 80)),
)
def test_the_fates_add_up_to_all_ids(pages: list[tuple[int, int, set[int]]], deleted: set[int]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_archive(Path(folder) / "archive.db", clock=lambda: 1_700_000_000.0) as archive,
    ):
        archive.updates.track(ACCOUNT, CHANNEL, 80)
        for low, length, ids in pages:
            inside = [message(one) for one in sorted(ids) if low <= one <= low + length]
            record_page(archive, ACCOUNT, page(inside, low=low, high=low + length), want_all)
        archive.messages.mark_deleted([MessageKey.of(ACCOUNT, CHANNEL, one) for one in deleted])
        found = archive.ledgers.of(ACCOUNT, CHANNEL)
    outcomes = (found.saved, found.service, found.deleted, found.inaccessible, found.absent, found.never_fetched)
    assert sum(outcomes) == found.top - found.low + 1
    assert not found.is_complete or not found.gaps
