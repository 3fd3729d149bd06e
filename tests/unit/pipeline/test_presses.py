"""Processes beside the run: each has a batch ahead, and every batch gets its own answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import pytest

from tobs.archive import MediaDecision, NoteRow, open_archive, record_page
from tobs.errors import TobsError
from tobs.model import Chat, Message, Page
from tobs.pipeline.desk import Desk, Studio
from tobs.pipeline.keeper import Keeper
from tobs.pipeline.plan import open_chat, plan_messages
from tobs.pipeline.presses import Presses
from tobs.pipeline.report import Reporter
from tobs.render.builtin import load_builtin
from tobs.render.templates import Templates
from tobs.render.views import RenderOptions

CHAT = Chat(-1001, "channel", "Observatory", "observatory", top=60)
# Nothing that can be packed: the answer to five such messages is larger than a pipe holds.
LONG = random.Random(1).randbytes(20_000).hex()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    root = tmp_path / "vault"
    root.mkdir()
    zone = ZoneInfo("UTC")
    with open_archive(tmp_path / "archive.db", clock=lambda: 0.0) as archive:
        studio = Studio(archive, 1, root, zone, RenderOptions(timezone=zone), Templates(load_builtin))
        yield Desk(studio, tmp_path, "message", Reporter("1", "export", (), lambda: 0.0), 500)


def planned(desk: Desk) -> list[NoteRow]:
    """The notes of sixty messages, which are to be written."""
    messages = [
        Message(chat_id=CHAT.id, id=number, date=1_700_000_000, text=f"{number} {LONG}") for number in range(60, 0, -1)
    ]
    place = open_chat(desk, CHAT)
    page = Page(CHAT.id, 1, 60, tuple(messages), raw=b"", layer=229)
    record_page(desk.archive, 1, page, lambda message, index: MediaDecision("wanted", "", 0))
    assert plan_messages(desk, place, upto=60, final=True) == 60
    return desk.archive.notes.stale(1, CHAT.id, kinds=("message",))


async def test_each_batch_gets_its_own_answer_however_many_are_asked_for_at_a_time(desk: Desk) -> None:
    rows = planned(desk)
    asked = [rows[at : at + 5] for at in range(0, 60, 5)]
    async with Keeper() as keeper, Presses(desk.studio, keeper, processes=2) as presses:
        await started(presses)
        answers = await asyncio.gather(*(presses(CHAT, batch) for batch in asked))
        assert len(children()) == 2
    assert [[one.id for one in answer] for answer in answers] == [[row.id for row in batch] for batch in asked]
    assert all(LONG in (desk.root / row.path).read_text() for row in rows)
    assert children() == []


async def test_all_that_wait_are_told_when_a_process_is_killed(desk: Desk) -> None:
    rows = planned(desk)
    async with Keeper() as keeper, Presses(desk.studio, keeper, processes=1) as presses:
        (process,) = await started(presses)
        process.suspend()
        asked = [asyncio.create_task(presses(CHAT, rows[at : at + 20])) for at in (0, 20)]
        await asyncio.sleep(0.1)
        process.kill()
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(answer) for answer in answers] == [TobsError, TobsError]
    assert "ended unexpectedly" in str(answers[0])


def children() -> list[psutil.Process]:
    found = psutil.Process().children()
    return [one for one in found if any("press_worker" in word for word in one.cmdline())]


async def started(presses: Presses) -> list[psutil.Process]:
    """The processes, once they take batches."""
    presses.expect(5_000)
    await asyncio.gather(*presses._starting)
    return children()
