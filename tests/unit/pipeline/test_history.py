"""The ids of a chat that are to be fetched, and pages on their way into the archive."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pipeline_builders import ACCOUNT, CHANNEL, message, photo, record, source, workbench

from tobs.archive import MediaDecision, Recorded
from tobs.model import Message, Page
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.fetch.history import RECHECKED_MESSAGES, FetchTask, fetch_and_record, missing_ids, settling
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.sources import Gap

# missing ids


def test_of_a_new_chat_everything_is_missing(context: RunContext) -> None:
    assert missing_ids(context, CHANNEL.id, 500) == [(1, 500)]
    assert missing_ids(context, CHANNEL.id, 500, (100, 120)) == [(100, 120)]


def test_what_is_settled_is_not_fetched_again(context: RunContext) -> None:
    record(context, message(100), low=90, high=110)
    assert missing_ids(context, CHANNEL.id, 500) == [(1, 89), (111, 500)]
    assert missing_ids(context, CHANNEL.id, 500, (80, 120)) == [(80, 89), (111, 120)]
    assert missing_ids(context, CHANNEL.id, 500, (95, 105)) == []


def test_of_a_chat_that_is_complete_the_newest_messages_are_looked_at_again(context: RunContext) -> None:
    record(context, *(message(number) for number in range(1, 101)))
    assert missing_ids(context, CHANNEL.id, 100) == [(101 - RECHECKED_MESSAGES, 100)]
    assert missing_ids(context, CHANNEL.id, 130) == [(101 - RECHECKED_MESSAGES, 130)]
    assert missing_ids(context, CHANNEL.id, 130, (120, 200)) == [(120, 130)]
    assert missing_ids(context, CHANNEL.id, 130, (1, 10)) == []


def test_of_a_chat_with_a_hole_nothing_is_looked_at_again(context: RunContext) -> None:
    record(context, *(message(number) for number in range(51, 101)), low=51)
    assert missing_ids(context, CHANNEL.id, 130) == [(1, 50), (101, 130)]
    assert missing_ids(context, CHANNEL.id, 100) == [(1, 50)]


def test_a_chat_of_which_no_message_is_left_has_nothing_to_be_looked_at(context: RunContext) -> None:
    record(context, low=1, high=100)
    assert missing_ids(context, CHANNEL.id, 100) == []
    assert missing_ids(context, CHANNEL.id, 110) == [(101, 110)]


SPANS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 15)), max_size=6)


@settings(max_examples=40)
@given(spans=SPANS, top=st.integers(1, 80), within=st.none() | st.tuples(st.integers(1, 80), st.integers(0, 30)))
def test_every_id_that_is_wanted_and_not_settled_is_fetched(
    spans: list[tuple[int, int]], top: int, within: tuple[int, int] | None
) -> None:
    interval = None if within is None else (within[0], within[0] + within[1])
    with TemporaryDirectory() as folder, workbench(Path(folder)) as context:
        for low, length in spans:
            record(context, *(message(number) for number in range(low, low + length)), low=low, high=low + length - 1)
        gaps = missing_ids(context, CHANNEL.id, top, interval)
    settled = {one for low, length in spans for one in range(low, low + length)}
    wanted = (
        set(range(1, top + 1)) if interval is None else set(range(interval[0], interval[1] + 1)) & {*range(1, top + 1)}
    )
    fetched = [one for low, high in gaps for one in range(low, high + 1)]
    assert fetched == sorted(set(fetched)) and set(fetched) >= wanted - settled and set(fetched) <= wanted
    assert len(set(fetched) & settled) <= RECHECKED_MESSAGES


# pages


def page(*messages: Message, low: int, high: int, **fields: Any) -> Page:
    return Page(CHANNEL.id, low, high, messages, raw=b"", layer=229, **fields)


def test_only_a_page_that_holds_every_message_of_its_ids_settles_them() -> None:
    whole = page(low=5, high=9)
    assert settling(whole) == whole
    for part in (replace(whole, left_out=1), replace(whole, is_part=True)):
        assert settling(part) == replace(part, high=4)
    topic = replace(whole, topic=3, is_part=True)
    assert settling(topic) == topic
    assert settling(replace(topic, left_out=1)).high == 4


def want(message: Message, item: object) -> MediaDecision:
    return MediaDecision("wanted")


async def fetched(
    context: RunContext, pages: Sequence[Page], *, queue: int = 2, told: list[Recorded] | None = None
) -> None:
    """Fetch ``pages`` from a source that has just these."""

    async def walk(
        chat_id: int, gaps: Sequence[Gap], on_page: Callable[[Page], Awaitable[None]], *, count: int = 0
    ) -> None:
        assert (chat_id, list(gaps), count) == (CHANNEL.id, [(1, 100)], 7)
        for each in pages:
            await on_page(each)

    async with ArchiveThread() as thread:
        folder = open_chat(context, replace(CHANNEL, count=7))
        recorded = (told if told is not None else []).append
        task = FetchTask(source(walk), [(1, 100)])
        await fetch_and_record(context, folder, thread, task, want, queue_pages=queue, recorded=recorded)


async def test_every_page_is_recorded_counted_and_told(context: RunContext, report: ReportBuilder) -> None:
    told: list[Recorded] = []
    pages = [
        page(message(1), message(2, media=photo()), low=1, high=10),
        page(message(11), low=11, high=20, unreadable=((12, "a field that tobs did not expect"),)),
        page(message(1, "edited"), low=1, high=0),
    ]
    await fetched(context, pages, told=told)
    assert [(one.new, one.edited, one.wanted) for one in told] == [(2, 0, 1), (1, 0, 0), (0, 1, 0)]
    counts = report.report.messages
    assert (counts.fetched, counts.new, counts.edited, counts.skipped) == (4, 3, 1, 1)
    assert report.report.media.wanted == 1
    (problem,) = report.report.problems
    assert (problem.item, problem.retryable) == ("message 12 of Observatory", False)
    assert context.archive.coverage.watermark(ACCOUNT, CHANNEL.id) == 20


async def test_a_page_that_was_filtered_settles_nothing(context: RunContext) -> None:
    await fetched(context, [page(message(1), low=1, high=10, left_out=3)])
    assert context.archive.coverage.watermark(ACCOUNT, CHANNEL.id) == 0
    assert context.archive.messages.live_ids(ACCOUNT, CHANNEL.id, 1, 10) == [1]


async def test_a_source_that_fails_ends_the_fetching_and_what_was_recorded_stays(context: RunContext) -> None:
    async def walk(chat_id: int, gaps: object, on_page: Callable[[Page], Awaitable[None]], *, count: int = 0) -> None:
        await on_page(page(message(1), low=1, high=10))
        await asyncio.sleep(0.05)
        raise ZeroDivisionError

    folder = open_chat(context, CHANNEL)
    with pytest.raises(ExceptionGroup):
        async with ArchiveThread() as thread:
            await fetch_and_record(
                context, folder, thread, FetchTask(source(walk), []), want, queue_pages=1, recorded=lambda _: None
            )
    assert context.archive.coverage.watermark(ACCOUNT, CHANNEL.id) == 10
