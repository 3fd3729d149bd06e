"""Changes of files that a watch takes for the owner's."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pipeline_builders import ACCOUNT, attached, exported, file_of, message, named, note

from tobs.media import MediaPolicy
from tobs.model import MessageKey
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.watch.polled_source import PolledSource, open_polled_sources
from tobs.pipeline.watch.vault_events import is_owners_move
from tobs.sources.inbox import INBOX, SETTLED

INBOX_FOLDER = "Telegram/Inbox"


def moved(context: RunContext, *paths: str) -> bool:
    return is_owners_move(context.archive, context.root, paths)


async def test_only_what_is_gone_or_lies_where_it_was_not_is_the_owners_doing(context: RunContext) -> None:
    await exported(context, message(1), message(2))
    file = attached(context, "Telegram/Observatory/media/1.jpg", b"jpeg")
    path = note(context, 1).path
    text = file_of(context, note(context, 1)).read_text()
    assert not moved(context, path, file.path)
    (context.root / "mine.md").write_text("My own words.")
    (context.root / "mine.jpg").write_bytes(b"jpeg")
    (context.root / "Folder").mkdir()
    assert not moved(context, "mine.md", "mine.jpg", "Folder", "gone.md", "gone.jpg")
    assert moved(context, "gone folder")
    (context.root / "copy.md").write_text(text)
    assert moved(context, "copy.md")
    (context.root / path).unlink()
    assert moved(context, path) and moved(context, "mine.md", path)
    (context.root / file.path).unlink()
    assert moved(context, file.path)


def dropped(context: RunContext, name: str, data: bytes = b"data", *, age: float = 100.0) -> Path:
    path = context.root / INBOX_FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    changed = int(time.time()) - age
    os.utime(path, (changed, changed))
    return path


def names(context: RunContext) -> list[str]:
    keys = [MessageKey.of(ACCOUNT, INBOX, one) for one in context.archive.messages.live_ids(ACCOUNT, INBOX, 1, 100)]
    found = [context.archive.messages.get(key) for key in keys]
    return [one.media.name for one in found if one is not None and one.media is not None]  # type: ignore[union-attr]


class Inbox:
    """The inbox as a watch polls it; ``woken`` counts how often it wants to be polled again."""

    def __init__(self, context: RunContext, thread: ArchiveThread, source: PolledSource, woken: list[None]) -> None:
        self._context, self._thread, self._source, self.woken = context, thread, source, woken

    async def fetch(self) -> set[int]:
        return await self._source.fetch(self._context, self._thread, MediaPolicy(frozenset()))

    async def release(self) -> None:
        await self._source.release()


@asynccontextmanager
async def inbox(context: RunContext) -> AsyncIterator[Inbox]:
    woken: list[None] = []
    async with ArchiveThread() as thread, open_polled_sources(context, thread, lambda: woken.append(None)) as polled:
        (source,) = polled
        yield Inbox(context, thread, source, woken)


async def test_files_that_lie_still_are_recorded_once(context: RunContext, report: ReportBuilder) -> None:
    async with inbox(context) as polled:
        assert await polled.fetch() == set() and context.archive.notes.by_tobs_id(str(INBOX)) is None
        dropped(context, "a.pdf")
        dropped(context, "b.mp3")
        dropped(context, "new.pdf", age=-60)
        for hidden in (".hidden", "note.md", "empty.pdf"):
            dropped(context, hidden, b"" if hidden == "empty.pdf" else b"x")
        assert await polled.fetch() == {INBOX}
        assert names(context) == ["a.pdf", "b.mp3"] and report.report.messages.new == 2
        # Whoever drops a file wants it, whatever is wanted else.
        assert len(context.archive.media.wanted(ACCOUNT, INBOX, 5)) == 2
        assert named(context, str(INBOX)).path == f"{INBOX_FOLDER}/Inbox.md"
        dropped(context, "new.pdf")
        await polled.fetch()
        assert names(context) == ["a.pdf", "b.mp3", "new.pdf"] and report.report.messages.new == 3
        # The same name with another content is another file.
        dropped(context, "a.pdf", b"other data")
        await polled.fetch()
        assert names(context)[-1] == "a.pdf" and len(names(context)) == 4


async def test_a_file_that_may_still_be_copied_is_looked_at_again(context: RunContext) -> None:
    async with inbox(context) as polled:
        dropped(context, "new.pdf", age=-60)
        assert await polled.fetch() == set() and polled.woken == []
        await until_woken(polled)
        assert names(context) == []


async def until_woken(polled: Inbox) -> None:
    async with asyncio.timeout(SETTLED + 10):
        while not polled.woken:  # noqa: ASYNC110 -- a call of the loop, no event
            await asyncio.sleep(0.05)


async def test_a_file_goes_when_it_has_its_place_and_was_not_changed_since(context: RunContext) -> None:
    async with inbox(context) as polled:
        await polled.release()
        path = dropped(context, "a.pdf")
        await polled.fetch()
        await polled.release()
        assert path.exists()
        (row,) = context.archive.media.wanted(ACCOUNT, INBOX, 5)
        context.archive.media.staged(row.key, "ab" * 32, 4)
        context.archive.media.attached([row.id])
        other = dropped(context, "b.pdf")
        await polled.release()
        assert not path.exists() and other.exists()
        dropped(context, "a.pdf", b"changed")
        await polled.release()
        assert path.exists()
