"""Processes beside the run: each has a batch ahead, and every batch gets its own answer."""

from __future__ import annotations

import asyncio
import random
import time

import psutil
import pytest

from tobs.archive import MediaDecision, NoteRow, record_page
from tobs.errors import TobsError
from tobs.model import Chat, Message, Page
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.pipeline.notes.planning import Planned, plan_messages
from tobs.pipeline.notes.render_pool import RenderPool

CHAT = Chat(-1001, "channel", "Observatory", "observatory", top=60)
# Nothing that can be packed: the answer to five such messages is larger than a pipe holds.
LONG = random.Random(1).randbytes(20_000).hex()


def planned(context: RunContext) -> list[NoteRow]:
    """The notes of sixty messages, which are to be written."""
    messages = [
        Message(chat_id=CHAT.id, id=number, date=1_700_000_000, text=f"{number} {LONG}") for number in range(60, 0, -1)
    ]
    place = open_chat(context, CHAT)
    page = Page(CHAT.id, 1, 60, tuple(messages), raw=b"", layer=229)
    record_page(context.archive, 1, page, lambda message, index: MediaDecision("wanted", "", 0))
    assert plan_messages(context, place, upto=60, final=True) == Planned(60, is_all=True)
    return context.archive.notes.stale(1, CHAT.id, kinds=("message",))


async def test_each_batch_gets_its_own_answer_however_many_are_asked_for_at_a_time(context: RunContext) -> None:
    rows = planned(context)
    asked = [rows[at : at + 5] for at in range(0, 60, 5)]
    async with (
        ArchiveThread() as archive_thread,
        RenderPool(context.render_context, archive_thread, processes=2) as pool,
    ):
        await started(pool)
        answers = await asyncio.gather(*(pool(CHAT, batch) for batch in asked))
        assert len(children()) == 2
    assert [[one.id for one in answer] for answer in answers] == [[row.id for row in batch] for batch in asked]
    assert all(LONG in (context.root / row.path).read_text() for row in rows)
    assert children() == []


async def test_all_that_wait_are_told_when_a_process_is_killed(context: RunContext) -> None:
    rows = planned(context)
    async with (
        ArchiveThread() as archive_thread,
        RenderPool(context.render_context, archive_thread, processes=1) as pool,
    ):
        (process,) = await started(pool)
        process.suspend()
        asked = [asyncio.create_task(pool(CHAT, rows[at : at + 20])) for at in (0, 20)]
        await asyncio.sleep(0.1)
        process.kill()
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [TobsError, TobsError]
    assert "ended unexpectedly" in str(answers[0])


async def test_a_run_that_ends_over_a_killed_process_says_so(context: RunContext) -> None:
    rows = planned(context)
    with pytest.raises(TobsError, match="ended unexpectedly"):
        async with (
            ArchiveThread() as archive_thread,
            RenderPool(context.render_context, archive_thread, processes=1) as pool,
        ):
            (process,) = await started(pool)
            process.kill()
            async with asyncio.timeout(30):
                while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 -- no event
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.2)
            await pool(CHAT, rows[:5])


async def test_an_answer_nobody_waits_for_any_more_goes_to_nobody(context: RunContext) -> None:
    """As when a chat is refused while its notes are pressed, and the run goes on with the next one."""
    rows = planned(context)
    async with (
        ArchiveThread() as archive_thread,
        RenderPool(context.render_context, archive_thread, processes=1) as pool,
    ):
        (process,) = await started(pool)
        process.suspend()
        given_up = [asyncio.create_task(pool(CHAT, rows[at : at + 10])) for at in (0, 10, 20)]
        await asyncio.sleep(0.1)
        for task in given_up:
            task.cancel()
        await asyncio.gather(*given_up, return_exceptions=True)
        assert all(task.cancelled() for task in given_up)
        process.resume()
        async with asyncio.timeout(30):
            answers = await asyncio.gather(*(pool(CHAT, rows[at : at + 10]) for at in (30, 40, 50)))
    assert [note.id for answer in answers for note in answer] == [row.id for row in rows[30:]]
    # What was begun was ended: the two batches that the process had are written, the third was never handed over.
    assert [row.message_id for row in rows if not (context.root / row.path).exists()] == [*range(21, 31)]


async def test_a_process_that_is_killed_in_the_middle_of_a_large_answer_is_gone_at_the_end(context: RunContext) -> None:
    rows = planned(context)
    async with asyncio.timeout(30), ArchiveThread() as archive_thread:
        with pytest.raises(KeyboardInterrupt):
            async with RenderPool(context.render_context, archive_thread, processes=1) as pool:
                await started(pool)
                asked = asyncio.create_task(pool(CHAT, rows))
                while not (context.root / rows[-1].path).exists():  # noqa: ASYNC110 -- another process writes it
                    await asyncio.sleep(0.01)
                time.sleep(0.5)  # noqa: ASYNC251 -- its answer waits in the pipe, and nobody reads meanwhile
                asked.cancel()
                raise KeyboardInterrupt
    assert children() == []


def children() -> list[psutil.Process]:
    found = psutil.Process().children()
    return [one for one in found if any("render_worker" in word for word in one.cmdline())]


async def started(pool: RenderPool) -> list[psutil.Process]:
    """The processes, once they take batches."""
    pool.expect(5_000)
    await asyncio.gather(*pool._starting)
    return children()
