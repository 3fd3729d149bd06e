"""A chat through all stages of a run: fetched, downloaded, processed, asked about, planned and written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pipeline_builders import (
    ACCOUNT,
    CHANNEL,
    document,
    file_of,
    message,
    named,
    note,
    photo,
    record,
    stale,
)

from tobs.errors import NetworkError, VaultError
from tobs.media import Chain, MediaPolicy
from tobs.media.policy import ChatMediaPolicy, DownloadLimits
from tobs.model import Chat, FileItem, Message, MessageKey, Page, Person, Reply
from tobs.model.events import ChatStarted, PhaseStarted, RunEvent
from tobs.pipeline.context.adapters import ArchiveFiles, ArchiveResults
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.media.wanted import policy_of, want_media
from tobs.pipeline.notes.enrich import Enrichers
from tobs.pipeline.notes.note_writer import NoteWriter
from tobs.pipeline.notes.render_pool import RenderPool
from tobs.pipeline.session.chat_stages import ChatStages, Limits, finish_notes, run_stages
from tobs.pipeline.session.exporters import Exporters
from tobs.plugin.host import Host, HostLimits
from tobs.plugin.loading import load_class
from tobs.plugin.processor import Processor
from tobs.plugin.protocol import PluginRef
from tobs.sources import Gap, Source

PLUGINS = Path(__file__).with_name("pipeline_plugins.py")
MEDIA = "Telegram/Observatory/media"


def plugin(name: str) -> Processor:
    ref = PluginRef("plugins_of_the_pipeline", name, str(PLUGINS))
    kind = load_class(ref)
    return Processor.of(kind(kind.config_type()), ref)


class Feed:
    """A source that has ``messages``, ten to a page; the file of a message holds its id."""

    def __init__(self, *messages: Message, chat: Chat = CHANNEL) -> None:
        self.messages = {one.id: one for one in messages}
        self.chat = chat
        self.asked: list[Gap] = []
        self.breaks_at = 0

    @property
    def source(self) -> Source:
        return Source(self._walk, self._fetch)

    async def _walk(
        self, chat_id: int, gaps: Sequence[Gap], on_page: Callable[[Page], Awaitable[None]], *, count: int = 0
    ) -> None:
        self.asked += gaps
        for low, high in gaps:
            for start in range(low, high + 1, 10):
                end = min(high, start + 9)
                if self.breaks_at and end >= self.breaks_at:
                    await asyncio.sleep(0.5)  # what came before is recorded meanwhile
                    raise NetworkError("The network is away.", "Try again.")
                found = tuple(self.messages[one] for one in range(start, end + 1) if one in self.messages)
                await on_page(Page(chat_id, start, end, found, raw=b"", layer=229, people=(Person(7, "Anna"),)))

    async def _fetch(
        self,
        item: FileItem,
        key: MessageKey,
        part: Path,
        *,
        offset: int = 0,
        on_progress: Callable[[int], None] | None = None,
    ) -> int:
        return await asyncio.to_thread(part.write_bytes, b"%04d" % key.id)


@asynccontextmanager
async def stages(
    context: RunContext, *, policy: MediaPolicy | None = None, later: bool = False, plugins: Sequence[str] = ()
) -> AsyncIterator[ChatStages]:
    """The stages of a run with these plugins."""
    asked = [plugin(name) for name in plugins]
    async with (
        ArchiveThread() as thread,
        Host(env=os.environ, limits=HostLimits(cpu=1)) as host,
        RenderPool(context.render_context, thread, processes=0) as pool,
    ):
        chain = Chain(
            [one for one in asked if one.name == "words"],
            host,
            ArchiveResults(context.archive, thread),
            staging=context.staging,
            locate=ArchiveFiles(context.blobs, thread),
        )
        writer = NoteWriter(context, thread, pool)
        enrichers = Enrichers(context, thread, host, [one for one in asked if one.name == "reader"])
        limits = Limits(queue_pages=2, downloads=2, download_limits=DownloadLimits(later=later))
        yield ChatStages(context, thread, writer, chain, enrichers, policy or MediaPolicy(), limits)


async def export(context: RunContext, feed: Feed, *, top: int, within: Gap | None = None, **more: object) -> None:
    async with asyncio.timeout(60), stages(context, **more) as running:  # type: ignore[arg-type]
        folder = await running.export(feed.source, feed.chat, top=top, within=within)
        await finish_notes(context, running.archive_thread, running.writer, [folder])


async def test_an_export_fetches_everything_once_and_another_one_what_is_new(
    context: RunContext, report: ReportBuilder
) -> None:
    heard: list[RunEvent] = []
    context.events.subscribe(heard.append)
    feed = Feed(message(1), message(2, media=document(2, "2.bin")), message(25, reply=Reply(message_id=2)))
    await export(context, feed, top=30)
    assert feed.asked == [(1, 30)] and stale(context) == set()
    assert f"[[{MEDIA}/2.bin" in file_of(context, note(context, 2)).read_text()
    assert named(context, str(CHANNEL.id)).state == "written"
    counts = report.report
    assert (counts.messages.new, counts.media.downloaded, counts.notes.created) == (3, 1, 5)
    assert [one.title for one in heard if isinstance(one, ChatStarted)] == ["Observatory"]
    phases = [one.name for one in heard if isinstance(one, PhaseStarted)]
    assert phases[0] == "fetching" and phases[-1] == "finishing"
    stamps = {path: path.stat().st_mtime_ns for path in context.root.rglob("*.md")}
    feed.messages[31] = message(31)
    feed.asked.clear()
    await export(context, feed, top=31)
    assert feed.asked == [(1, 31)] and counts.messages.new == 4
    changed = {path for path in stamps if path.stat().st_mtime_ns != stamps[path]}
    assert changed <= {file_of(context, named(context, one)) for one in (str(CHANNEL.id), "index")}


async def test_an_export_that_was_stopped_goes_on_where_it_was(context: RunContext) -> None:
    feed = Feed(*(message(number) for number in range(1, 151)))
    feed.breaks_at = 125
    with pytest.raises(NetworkError, match="The network is away"):
        await export(context, feed, top=150)
    feed.breaks_at = 0
    feed.asked.clear()
    await export(context, feed, top=150)
    # 120 are here, of which the newest 50 are looked at again.
    assert feed.asked == [(71, 150)]
    assert len(list(context.root.rglob("*words of*.md"))) == 150


async def test_a_part_of_a_chat_has_its_notes_at_the_end(context: RunContext) -> None:
    feed = Feed(*(message(number, media=document(number, f"{number}.bin")) for number in range(1, 41)))
    await export(context, feed, top=40, within=(21, 30))
    assert feed.asked == [(21, 30)]
    assert len(list(context.root.rglob("*words of*.md"))) == 10
    assert (context.root / MEDIA / "21.bin").exists() and not (context.root / MEDIA / "20.bin").exists()


async def test_files_that_are_left_to_a_later_run_do_not_keep_notes_waiting(context: RunContext) -> None:
    feed = Feed(message(1, media=document(1, "1.bin")))
    await export(context, feed, top=1, later=True)
    assert file_of(context, note(context, 1)).exists() and not (context.root / MEDIA).exists()
    await export(context, feed, top=1)
    assert f"[[{MEDIA}/1.bin" in file_of(context, note(context, 1)).read_text()


async def test_notes_of_other_chats_that_point_at_what_came_now_are_written_too(context: RunContext) -> None:
    other = Chat(-1000000000009, "channel", "Planetarium", "planetarium", top=9)
    answer = message(1, chat=other, reply=Reply(message_id=5, chat_id=CHANNEL.id))
    await export(context, Feed(answer, chat=other), top=1)
    assert "[[Telegram/Observatory" not in file_of(context, note(context, 1, other)).read_text()
    await export(context, Feed(message(5)), top=5)
    target = note(context, 5).path.removesuffix(".md")
    assert f"[[{target}" in file_of(context, note(context, 1, other)).read_text()


async def test_what_a_plugin_finds_and_what_it_fails_on_are_in_note_and_report(
    context: RunContext, report: ReportBuilder
) -> None:
    feed = Feed(message(1, media=document(1, "1.txt")), message(3, media=document(3, "3.txt")))
    await export(context, feed, top=3, plugins=["Words"])
    assert "letters: 4" in file_of(context, note(context, 1)).read_text()
    (problem,) = report.report.problems
    assert (problem.what, problem.item) == ("plugin words", "3.txt of message 3 in Observatory")
    assert "odd" in problem.reason


# plugins that are asked about messages


async def test_what_a_plugin_says_about_messages_is_in_their_notes_and_asked_once(
    context: RunContext, report: ReportBuilder
) -> None:
    feed = Feed(message(1, "one two", sender_id=7), message(2, "note"), message(3, "nothing"), message(4, "hide"))
    await export(context, feed, top=4, plugins=["Reader"])
    text = file_of(context, note(context, 1)).read_text()
    assert "count: 2" in text and "Observatory, Anna" in text and '"read"' in text and "[[Reading]]" in text
    page = context.archive.notes.by_tobs_id(next(one for one in _pages(context)))
    assert page is not None and "What words are." in file_of(context, page).read_text()
    assert page.path.removesuffix(".md") in file_of(context, note(context, 2)).read_text()
    assert context.archive.notes.id_of(ACCOUNT, CHANNEL.id, 4) in (0, None)
    counts = report.report.processors["reader"]
    assert (counts.done, counts.failed) == (4, 0)
    await export(context, feed, top=4, plugins=["Reader"])
    assert report.report.processors["reader"].done == 4
    feed.messages[1] = message(1, "one two three", sender_id=7)
    await export(context, feed, top=4, plugins=["Reader"])
    assert report.report.processors["reader"].done == 5
    assert "count: 3" in file_of(context, note(context, 1)).read_text()


def _pages(context: RunContext) -> list[str]:
    return [row.tobs_id for row in context.archive.notes.written_notes() if row.kind == "page"]


async def test_a_message_a_plugin_fails_on_is_told_and_asked_about_again(
    context: RunContext, report: ReportBuilder
) -> None:
    feed = Feed(message(1, "fail"), message(2))
    await export(context, feed, top=2, plugins=["Reader"])
    (problem,) = report.report.problems
    assert (problem.what, problem.item) == ("plugin reader", "message 1 in Observatory")
    counts = report.report.processors["reader"]
    assert (counts.done, counts.failed) == (1, 1) and file_of(context, note(context, 1)).exists()
    await export(context, feed, top=2, plugins=["Reader"])
    assert (counts.done, counts.failed) == (1, 2)


# exporters


async def test_an_exporter_gets_what_came_since_it_was_told_last(context: RunContext, report: ReportBuilder) -> None:
    async with ArchiveThread() as thread, Host(env=os.environ, limits=HostLimits(cpu=1)) as host:
        exporters = Exporters(
            [plugin("Courier")], host, context.archive, thread, root=context.root, staging=context.staging
        )
        record(context, message(1, "before"))
        await exporters.begin(report)
        await exporters.export_new(report)
        assert report.report.exports == []
        record(context, message(2, "two"), message(3, "three"), low=2)
        await exporters.export_new(report)
        (path,) = report.report.exports
        assert (context.root / path).read_text() == "2: two three"
        assert [one.item for one in report.report.doubts] == ["count.txt"]
        assert report.report.processors["courier"].done == 1
        await exporters.begin(report)
        await exporters.export_new(report)
        assert report.report.processors["courier"].done == 1
        record(context, message(2, "two, edited"), high=0)
        await exporters.export_new(report)
        assert (context.root / path).read_text() == "1: two, edited"
    assert not (context.staging / "exports" / "courier").exists()


# what is wanted


def test_files_are_judged_again_when_other_ones_are_wanted(context: RunContext, report: ReportBuilder) -> None:
    record(context, message(1, media=photo()), message(2, media=document(2, "2.bin")))
    photos = MediaPolicy(frozenset({"photo"}))
    assert want_media(context, CHANNEL, photos) == 1 and report.report.media.wanted == 1
    assert want_media(context, CHANNEL, photos) == 1
    assert want_media(context, CHANNEL, MediaPolicy()) == 2
    assert want_media(context, CHANNEL, MediaPolicy(max_size=1)) == 0
    assert context.archive.media.wanted(ACCOUNT, CHANNEL.id, 5) == []


def test_what_failed_before_is_tried_again(context: RunContext) -> None:
    record(context, message(1, media=photo()))
    want_media(context, CHANNEL, MediaPolicy())
    (row,) = context.archive.media.wanted(ACCOUNT, CHANNEL.id, 5)
    context.archive.media.failed(row.key, "it broke", retryable=True)
    assert context.archive.media.wanted(ACCOUNT, CHANNEL.id, 5) == []
    assert want_media(context, CHANNEL, MediaPolicy()) == 1


def test_of_a_group_is_wanted_what_is_wanted_of_what_it_became(context: RunContext) -> None:
    grown = Chat(-1000000000003, "supergroup", "Club")
    context.archive.chats.put(ACCOUNT, grown)
    policy = MediaPolicy(chats=(ChatMediaPolicy("Club", frozenset({"voice"})),))
    old = Chat(-55, "group", "Old club", migrated_to=grown.id)
    assert policy_of(context, old, policy).kinds == {"voice"}
    assert policy_of(context, CHANNEL, policy).kinds == MediaPolicy().kinds


# side by side


async def test_the_first_error_of_tobs_stops_the_other_stages_and_is_raised_as_it_is() -> None:
    stopped: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.append("waits")

    async def fails(error: Exception) -> None:
        raise error

    with pytest.raises(VaultError, match="It is full"):
        await run_stages(waits(), fails(ZeroDivisionError()), fails(VaultError("It is full.", "Make room.")))
    assert stopped == ["waits"]
    with pytest.raises(ZeroDivisionError):
        await run_stages(waits(), fails(ZeroDivisionError()))
