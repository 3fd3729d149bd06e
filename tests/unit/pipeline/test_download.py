"""The files of a chat: fetched lowest first as far as a run may, and attached in the order of their messages."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from pipeline_builders import ACCOUNT, CHANNEL, document, file_of, message, named, note, plan, record, stale, write

from tobs.archive import MediaState
from tobs.errors import TransferFailed, VaultUnwritable
from tobs.media import Chain, DownloadLimits
from tobs.model import FileItem, MessageKey
from tobs.pipeline.context.adapters import ArchiveFiles, ArchiveResults
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.media.download import MediaStage
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.plugin.host import Host, HostLimits

MEDIA = "Telegram/Observatory/media"


class Server:
    """Has the files of all messages: ``<id>``, four bytes. Those of ``gone`` it has not, those of ``failing`` fail."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.gone: set[int] = set()
        self.failing: set[int] = set()
        self.full = False
        self.most = self._now = 0

    async def fetch(
        self,
        item: FileItem,
        key: MessageKey,
        part: Path,
        *,
        offset: int = 0,
        on_progress: Callable[[int], None] | None = None,
    ) -> int:
        self.asked.append(key.id)
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            await asyncio.sleep(0.05)
            if self.full:
                raise VaultUnwritable("The disk is full.", "Make room.")
            if key.id in self.gone or key.id in self.failing:
                raise TransferFailed("It was not sent.", retryable=key.id in self.failing)
            await asyncio.to_thread(part.write_bytes, b"%04d" % key.id)
            if on_progress:
                on_progress(4)
            return 4
        finally:
            self._now -= 1


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def thread() -> AsyncIterator[ArchiveThread]:
    async with ArchiveThread() as thread:
        yield thread


@pytest.fixture
def folder(context: RunContext) -> ChatFolder:
    return open_chat(context, CHANNEL)


def files(context: RunContext, *numbers: int, **page: int) -> None:
    """Messages with a file each."""
    items = {number: document(number, f"{number}.bin") for number in numbers}
    record(context, *(message(number, media=item) for number, item in items.items()), **page)


async def fetched(
    context: RunContext,
    folder: ChatFolder,
    thread: ArchiveThread,
    server: Server | None,
    *,
    downloads: int = 2,
    limits: DownloadLimits | None = None,
    is_fetched: bool = True,
) -> int:
    """Run the stage to its end; how often notes may have become ready."""
    ready = 0

    def attached() -> None:
        nonlocal ready
        ready += 1

    async with Host(env=os.environ, limits=HostLimits(cpu=1)) as host:
        results = ArchiveResults(context.archive, thread)
        locate = ArchiveFiles(context.blobs, thread)
        chain = Chain([], host, results, staging=context.staging, locate=locate)
        fetch = server.fetch if server else None
        stage = MediaStage(
            context, folder, thread, fetch, chain, downloads=downloads, download_limits=limits or DownloadLimits()
        )
        async with asyncio.timeout(20):
            await stage.run(asyncio.Event(), lambda: is_fetched, attached)
    return ready


def states(context: RunContext) -> dict[MediaState, int]:
    return {state: count for state, count in context.archive.media.counts(ACCOUNT, CHANNEL.id).items() if count}


async def test_every_wanted_file_is_fetched_lowest_first_and_attached(
    context: RunContext, report: ReportBuilder, folder: ChatFolder, thread: ArchiveThread, server: Server
) -> None:
    files(context, *range(1, 8))
    assert await fetched(context, folder, thread, server, downloads=3) > 0
    assert set(server.asked[:3]) == {1, 2, 3} and sorted(server.asked) == [*range(1, 8)] and server.most == 3
    assert states(context) == {"placed": 7}
    assert (context.root / MEDIA / "5.bin").read_bytes() == b"0005"
    counts = report.report.media
    assert (counts.downloaded, counts.bytes, counts.failed) == (7, 28, 0)
    assert context.meter.bytes == 28 and list(context.staging.iterdir()) == []


async def test_nothing_to_be_fetched_is_done_at_once(
    context: RunContext, folder: ChatFolder, thread: ArchiveThread, server: Server
) -> None:
    record(context, message(1))
    assert await fetched(context, folder, thread, server) == 0 and server.asked == []


async def test_a_file_that_failed_is_told_and_one_that_is_gone_is_not_asked_for_again(
    context: RunContext, report: ReportBuilder, folder: ChatFolder, thread: ArchiveThread, server: Server
) -> None:
    files(context, 1, 2, 3)
    server.gone, server.failing = {1}, {2}
    await fetched(context, folder, thread, server)
    assert states(context) == {"unavailable": 1, "failed": 1, "placed": 1}
    counts = report.report.media
    assert (counts.downloaded, counts.failed, counts.unavailable) == (1, 1, 1)
    (problem,) = report.report.problems
    assert problem.item == "2.bin of message 2 in Observatory"
    context.archive.media.retry_failed(ACCOUNT, CHANNEL.id)
    server.gone, server.failing = set(), set()
    await fetched(context, folder, thread, server)
    assert states(context) == {"unavailable": 1, "placed": 2}


async def test_what_ends_the_run_is_raised_as_it_is(
    context: RunContext, folder: ChatFolder, thread: ArchiveThread, server: Server
) -> None:
    files(context, 1, 2, 3)
    server.full = True
    with pytest.raises(VaultUnwritable, match="The disk is full"):
        await fetched(context, folder, thread, server)
    assert states(context) == {"wanted": 3}


async def test_what_goes_beyond_the_budget_is_left_to_a_later_run(
    context: RunContext, report: ReportBuilder, folder: ChatFolder, thread: ArchiveThread, server: Server
) -> None:
    files(context, *range(1, 7))
    await fetched(context, folder, thread, server, downloads=1, limits=DownloadLimits(budget=12))
    assert server.asked == [1, 2, 3] and report.report.media.postponed == 3
    assert report.report.problems == []
    assert (context.root / MEDIA / "3.bin").exists()


async def test_files_under_way_count_against_the_budget(
    context: RunContext, report: ReportBuilder, folder: ChatFolder, thread: ArchiveThread, server: Server
) -> None:
    files(context, *range(1, 7))
    await fetched(context, folder, thread, server, downloads=6, limits=DownloadLimits(budget=12))
    assert len(server.asked) == 3 and report.report.media.bytes == 12


async def test_a_disk_that_is_too_full_postpones_and_is_a_problem(
    context: RunContext, report: ReportBuilder, folder: ChatFolder, thread: ArchiveThread, server: Server
) -> None:
    files(context, 1, 2)
    await fetched(context, folder, thread, server, limits=DownloadLimits(floor=1 << 60))
    assert server.asked == [] and report.report.media.postponed == 2
    assert [one.what for one in report.report.problems] == ["media"]


async def test_without_a_source_only_what_was_fetched_before_is_attached(
    context: RunContext, folder: ChatFolder, thread: ArchiveThread
) -> None:
    files(context, 1, 2)
    (first, _) = context.archive.media.wanted(ACCOUNT, CHANNEL.id, 2)
    digest = "ab" * 32
    (context.staging / f"{digest}.bin").write_bytes(b"0001")
    context.archive.media.staged(first.key, digest, 4)
    await fetched(context, folder, thread, None)
    assert states(context) == {"placed": 1, "wanted": 1}


async def test_a_staged_file_that_is_gone_is_fetched_again(
    context: RunContext, folder: ChatFolder, thread: ArchiveThread, server: Server
) -> None:
    files(context, 1)
    (row,) = context.archive.media.wanted(ACCOUNT, CHANNEL.id, 1)
    context.archive.media.staged(row.key, "ab" * 32, 4)
    assert await fetched(context, folder, thread, server) > 0
    assert server.asked == [1] and states(context) == {"placed": 1}


async def test_files_above_the_watermark_wait_but_at_the_end_of_a_part_of_a_chat(
    context: RunContext, thread: ArchiveThread, server: Server
) -> None:
    folder = open_chat(context, CHANNEL)
    files(context, 50, low=50)
    await fetched(context, folder, thread, server)
    assert states(context) == {"staged": 1}
    part = open_chat(context, CHANNEL, is_part=True)
    await fetched(context, part, thread, server)
    assert states(context) == {"placed": 1} and server.asked == [50]


async def test_a_file_never_overtakes_an_older_one_that_is_still_to_come(
    context: RunContext, folder: ChatFolder, thread: ArchiveThread, server: Server
) -> None:
    """Two messages carry files of one name: whichever is fetched first, the older has the name."""
    for number in (1, 2):
        record(context, message(number, media=document(number, "same.bin")), low=number)
    (first, second) = context.archive.media.wanted(ACCOUNT, CHANNEL.id, 2)
    digest = "ab" * 32
    (context.staging / f"{digest}.bin").write_bytes(b"late")
    context.archive.media.staged(second.key, digest, 4)
    await fetched(context, folder, thread, server)
    assert (context.root / MEDIA / "same.bin").read_bytes() == b"0001"
    assert (context.root / MEDIA / "same (2).bin").read_bytes() == b"late"
    assert first.message_id == 1


async def test_the_note_of_a_message_waits_for_its_file_and_shows_it(
    context: RunContext, folder: ChatFolder, thread: ArchiveThread, server: Server
) -> None:
    files(context, 1)
    plan(context, folder)
    await fetched(context, folder, thread, server)
    assert f"{CHANNEL.id}/1" in stale(context)
    await write(context, folder)
    assert f"[[{MEDIA}/1.bin" in file_of(context, note(context, 1)).read_text()
    assert named(context, str(CHANNEL.id)).state == "written"
