"""What a run tells people, on terminals of any width."""

from __future__ import annotations

import asyncio
import io
import re

import pytest
from rich.console import Console

from tobs.cli.output import show_report, show_table
from tobs.cli.progress import show_progress
from tobs.model.events import (
    ChatStarted,
    FloodWaitStarted,
    MediaCounted,
    MessagesCounted,
    NotesCounted,
    PhaseStarted,
    RequestsCounted,
    WorkExpected,
)
from tobs.pipeline.context.report import ReportBuilder, start_report


def started() -> ReportBuilder:
    return start_report("20240101T000000-abc", "export", ("@club",), clock=lambda: 1_700_000_000.0)


def shown(told: ReportBuilder, width: int = 100) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    show_report(console, told.report)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_run_that_found_nothing_says_so_and_nothing_else() -> None:
    assert shown(started()) == [
        "messages  nothing new",
        "notes     nothing new",
        "media     nothing new",
        "requests  0",
    ]


def test_what_was_done_is_told_in_one_line_each() -> None:
    told = started()
    for event in (
        MessagesCounted(fetched=2500, new=2500),
        NotesCounted({"created": 2507, "conflict": 1}),
        MediaCounted(downloaded=3, bytes=4_500_000),
        FloodWaitStarted("messages.getHistory", until=1_700_000_003.0, seconds=3.0),
        RequestsCounted(1209),
    ):
        told.events.emit(event)
    assert shown(told) == [
        "messages  2,500 fetched · 2,500 new",
        "notes     2,507 created · 1 preserved · 1 conflicts",
        "media     3 downloaded · 4.5 MB",
        "requests  1,209 · 1 flood wait, 3 s",
    ]


@pytest.mark.parametrize("width", [40, 60, 120])
async def test_the_counts_stand_whole_on_a_terminal_of_any_width(width: int) -> None:
    told = started()
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    async with show_progress(told.events, console, quiet=False):
        told.events.emit(WorkExpected(messages=402))
        told.events.emit(MessagesCounted(fetched=402))
        told.events.emit(PhaseStarted("fetching"))
        told.events.emit(ChatStarted("A chat with a very long title that fits nowhere"))
        await asyncio.sleep(0.05)
    assert isinstance(console.file, io.StringIO)
    last = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", console.file.getvalue())
    assert "402/402" in last
    assert "fetching" in last
    assert max(len(line) for line in re.split("[\r\n]", last)) <= width


def test_a_table_that_does_not_fit_a_narrow_terminal_is_told_line_by_line() -> None:
    rows = [("The Old Exchange", "channel", 231), ("Saved [b]", None, 7)]
    wide, narrow = io.StringIO(), io.StringIO()
    show_table(Console(file=wide, width=80), ("chat", "kind", "messages"), rows)
    show_table(Console(file=narrow, width=24), ("chat", "kind", "messages"), rows)
    assert "The Old Exchange  channel" in wide.getvalue()
    assert narrow.getvalue().splitlines() == [
        "The Old Exchange",
        "  kind: channel",
        "  messages: 231",
        "Saved [b]",
        "  messages: 7",
    ]
