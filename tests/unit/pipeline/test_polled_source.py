"""The inbox in a watch: a source that is asked at every step, and knows what it gave by asking the archive."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tobs.archive import MediaDecision, open_archive, record_page
from tobs.archive import media as media_module
from tobs.archive import messages as messages_module
from tobs.errors import TransferFailed
from tobs.media import MediaPolicy
from tobs.model import DroppedFile, FileItem, MessageKey, Page
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.chat_sources import source_config
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.watch.polled_source import PolledSource, open_polled_sources
from tobs.sources.inbox import INBOX, inbox_message
from tobs.sources.registry import SOURCES

NOTHING_WANTED = MediaPolicy(kinds=frozenset())


@asynccontextmanager
async def polled(context: RunContext, tmp_path: Path) -> AsyncIterator[tuple[RunContext, ArchiveThread, PolledSource]]:
    """A run whose archive lives in its own thread, and the inbox of its vault."""
    async with ArchiveThread() as archive_thread:
        archive = await archive_thread(open_archive, tmp_path / "polled.db", clock=lambda: 0.0)
        context = replace(context, render_context=replace(context.render_context, archive=archive))
        async with open_polled_sources(context, archive_thread, wake=lambda: None) as sources:
            [inbox] = sources
            yield context, archive_thread, inbox
        await archive_thread(archive.close)


def drop(context: RunContext, name: str, text: str, *, age: float = 60.0) -> Path:
    """A file in the inbox that was changed so many seconds ago."""
    path = context.root / "Telegram/Inbox" / name
    path.write_text(text)
    then = time.time() - age
    os.utime(path, (then, then))
    return path


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The ids of the messages that are read from the archive."""
    ids: list[int] = []
    for module in (media_module, messages_module):
        decode: Any = module.decode_message

        def count(model: bytes, decode: Any = decode) -> Any:
            message = decode(model)
            ids.append(message.id)
            return message

        monkeypatch.setattr(module, "decode_message", count)
    yield ids


async def test_a_dropped_file_is_a_message_once_and_leaves_when_it_is_in_the_vault(
    context: RunContext, tmp_path: Path
) -> None:
    async with polled(context, tmp_path) as (run, archive_thread, inbox):
        path = drop(run, "memo.txt", "remember")
        assert await inbox.fetch(run, archive_thread, NOTHING_WANTED) == {INBOX}
        assert await inbox.fetch(run, archive_thread, NOTHING_WANTED) == {INBOX}, "it still waits"
        archive = run.archive
        [row] = await archive_thread(archive.media.wanted, run.account, INBOX, 10)
        assert (row.item.name, row.message_id) == ("memo.txt", 1), "the owner's own file is wanted, whatever the policy"
        assert await archive_thread(archive.chats.source, run.account, INBOX) == "inbox"
        note = await archive_thread(archive.notes.by_tobs_id, str(INBOX))
        assert note is not None and note.path == "Telegram/Inbox/Inbox.md"
        await inbox.release()
        assert path.exists(), "it is not in the vault yet"
        await archive_thread(
            lambda: archive._database.run("UPDATE media SET state = 'placed' WHERE chat_id = ?", (INBOX,))
        )
        again = drop(run, "memo 2.txt", "never recorded")
        await inbox.release()
        assert not path.exists() and again.exists()


async def test_a_file_with_a_known_name_and_other_content_is_another_message_and_stays(
    context: RunContext, tmp_path: Path
) -> None:
    async with polled(context, tmp_path) as (run, archive_thread, inbox):
        drop(run, "memo.txt", "remember")
        for hidden in (".hidden", "note.md"):
            drop(run, hidden, "x")
        drop(run, "empty.txt", "")
        await inbox.fetch(run, archive_thread, NOTHING_WANTED)
        assert await archive_thread(run.archive.messages.newest_id, run.account, INBOX) == 1
        await archive_thread(lambda: run.archive._database.run("UPDATE media SET state = 'placed'"))
        changed = drop(run, "memo.txt", "remember this, too")
        await inbox.release()
        assert changed.exists()
        await inbox.fetch(run, archive_thread, NOTHING_WANTED)
        assert await archive_thread(run.archive.messages.newest_id, run.account, INBOX) == 2


async def test_a_file_that_may_still_be_copied_waits(context: RunContext, tmp_path: Path) -> None:
    async with polled(context, tmp_path) as (run, archive_thread, inbox):
        drop(run, "half.bin", "half", age=0.0)
        assert await inbox.fetch(run, archive_thread, NOTHING_WANTED) == set()
        assert await archive_thread(run.archive.messages.newest_id, run.account, INBOX) == 0


async def test_a_step_of_a_large_inbox_reads_no_more_messages_than_there_are_files(
    context: RunContext, tmp_path: Path, decoded: list[int]
) -> None:
    async with polled(context, tmp_path) as (run, archive_thread, inbox):
        files = [DroppedFile(f"{number}.txt", number, float(number)) for number in range(1, 3001)]
        told = tuple(inbox_message(number, file, sender=run.account) for number, file in enumerate(files, 1))
        page = Page(INBOX, 1, len(told), told)
        await archive_thread(
            record_page, run.archive, run.account, page, lambda *_: MediaDecision("wanted"), source="inbox"
        )
        for name in ("one.txt", "two.txt"):
            drop(run, name, name)
        decoded.clear()
        await inbox.fetch(run, archive_thread, NOTHING_WANTED)
        await inbox.fetch(run, archive_thread, NOTHING_WANTED)
        await inbox.release()
        assert set(decoded) <= {3001, 3002} and len(decoded) <= 8
        newest = await archive_thread(run.archive.messages.newest_id, run.account, INBOX)
        assert newest == 3002


async def test_a_file_that_left_the_inbox_is_lost_for_good_and_one_that_cannot_be_read_is_not(
    context: RunContext, tmp_path: Path
) -> None:
    async with polled(context, tmp_path) as (run, archive_thread, _):
        kind = SOURCES["inbox"]
        async with kind.open(source_config(run, archive_thread, kind)) as source:
            gone, folder = inbox_message(1, DroppedFile("gone.txt", 4, 1.0), sender=1), "folder.txt"
            (run.root / "Telegram/Inbox" / folder).mkdir()
            unreadable = inbox_message(2, DroppedFile(folder, 4, 1.0), sender=1)
            for message, is_retryable in ((gone, False), (unreadable, True)):
                assert isinstance(message.media, FileItem)
                key = MessageKey.of(run.account, INBOX, message.id)
                with pytest.raises(TransferFailed) as raised:
                    await source.fetch_file(message.media, key, tmp_path / "file.part")
                assert raised.value.retryable is is_retryable
