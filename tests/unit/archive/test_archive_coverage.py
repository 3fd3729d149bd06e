from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path

from archive_builders import ACCOUNT, CHANNEL, PRIVATE
from hypothesis import given, settings
from hypothesis import strategies as st

from tobs.archive import Archive, open_archive

ID = st.integers(1, 40)
STEP = st.tuples(st.sampled_from(["add", "forget"]), ID, ID)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEP, max_size=12), low=ID, high=ID)
def test_the_interval_set_is_a_set_of_ids(steps: list[tuple[str, int, int]], low: int, high: int) -> None:
    ids: set[int] = set()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_archive(Path(folder) / "archive.db", clock=lambda: 0.0) as archive,
    ):
        coverage = archive.coverage
        for what, start, end in steps:
            span = set(range(start, end + 1))
            if what == "add":
                coverage.add(ACCOUNT, CHANNEL, start, end)
                ids |= span
            else:
                coverage.forget(ACCOUNT, CHANNEL, start, end)
                ids -= span
        covered = coverage.covered(ACCOUNT, CHANNEL)
        gaps = coverage.gaps(ACCOUNT, CHANNEL, low, high)
        watermark = coverage.watermark(ACCOUNT, CHANNEL)

    assert ids_of(covered) == ids
    assert all(before[1] + 1 < after[0] for before, after in pairwise(covered))
    assert ids_of(gaps) == set(range(low, high + 1)) - ids
    assert all(before[1] + 1 < after[0] for before, after in pairwise(gaps))
    assert watermark == next(n for n in range(42) if n + 1 not in ids)


def test_channels_are_covered_for_every_account_and_private_chats_for_each(archive: Archive) -> None:
    archive.coverage.add(ACCOUNT, CHANNEL, 1, 10)
    archive.coverage.add(ACCOUNT, PRIVATE, 1, 10)
    assert archive.coverage.watermark(8, CHANNEL) == 10
    assert archive.coverage.watermark(8, PRIVATE) == 0


def test_settling_ids_again_replaces_what_could_not_be_read_among_them(archive: Archive) -> None:
    archive.coverage.add(ACCOUNT, CHANNEL, 1, 10, [(3, "unknown constructor"), (9, "unknown constructor")])
    archive.coverage.add(ACCOUNT, CHANNEL, 1, 5)
    assert archive.coverage.unreadable(ACCOUNT, CHANNEL) == [(9, "unknown constructor")]


def ids_of(intervals: list[tuple[int, int]]) -> set[int]:
    return {n for low, high in intervals for n in range(low, high + 1)}


def test_what_is_settled_for_a_topic_is_not_for_the_chat_and_the_other_way_it_is(archive: Archive) -> None:
    forum = -1000000000007
    archive.coverage.add(0, forum, 1, 40, topic=3)
    archive.coverage.add(0, forum, 61, 80, topic=3)
    archive.coverage.add(0, forum, 30, 50, [(44, "a reason")])
    assert archive.coverage.gaps(0, forum, 1, 90, topic=3) == [(51, 60), (81, 90)]
    assert archive.coverage.gaps(0, forum, 1, 90) == [(1, 29), (51, 90)]
    assert archive.coverage.gaps(0, forum, 1, 90, topic=4) == [(1, 29), (51, 90)]
    assert archive.coverage.topics(0, forum) == {3: 80} and archive.coverage.covered(0, forum) == [(30, 50)]
    ledger = archive.ledgers.of_topic(0, forum, 3)
    assert (ledger.top, ledger.never_fetched, ledger.gaps) == (80, 10, ((51, 60),))
    archive.coverage.add(0, forum, 40, 50, topic=3)
    assert archive.coverage.unreadable(0, forum) == [(44, "a reason")], "a topic says nothing of other messages"
    archive.coverage.forget(0, forum, 10, 70)
    assert archive.coverage.gaps(0, forum, 1, 90, topic=3) == [(10, 70), (81, 90)]
