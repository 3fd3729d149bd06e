"""Progress on stderr: bars on a terminal, one JSON line a second when it is none."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column

from tobs.config.units import format_moment, format_size
from tobs.pipeline.context.report import Reporter, iso_time

_BARS_EVERY = 0.1
_LINES_EVERY = 1.0
_NARROW = 60


@asynccontextmanager
async def shown_progress(reporter: Reporter, console: Console, *, quiet: bool) -> AsyncIterator[None]:
    """Show how the run of ``reporter`` goes on while the block runs."""
    if quiet:
        yield
        return
    show = _show_bars if console.is_terminal else _write_lines
    task = asyncio.create_task(show(reporter, console))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _write_lines(reporter: Reporter, console: Console) -> None:
    told = 0
    try:
        while True:
            await asyncio.sleep(_LINES_EVERY)
            told = _write_line(reporter, told)
    finally:
        _write_line(reporter, told)


def _write_line(reporter: Reporter, told: int) -> int:
    """One line, or one for each notice that was not ``told`` yet; how many are now."""
    for notice in reporter.notices[told:] or [""]:
        sys.stderr.write(json.dumps(snapshot(reporter) | {"notice": notice}, ensure_ascii=False) + "\n")
    sys.stderr.flush()
    return len(reporter.notices)


async def _show_bars(reporter: Reporter, console: Console) -> None:
    with Progress(*_columns(console.width), console=console, transient=False, expand=True) as progress:
        messages = progress.add_task("messages", total=None, more="")
        notes = progress.add_task("notes", total=None, more="")
        media = progress.add_task("media", total=None, more="")
        told = 0
        try:
            while True:
                for notice in reporter.notices[told:]:
                    console.print(f"[yellow]tobs:[/] {escape(notice)}", soft_wrap=True)
                told = len(reporter.notices)
                _update_bars(progress, reporter, messages, notes, media)
                await asyncio.sleep(_BARS_EVERY)
        finally:
            _update_bars(progress, reporter, messages, notes, media)


def _columns(width: int) -> list[ProgressColumn]:
    """What fits a terminal of ``width`` cells. Numbers stand whole; bars go first, then the ends of long titles."""
    name, count = TextColumn("{task.description:<9}"), MofNCompleteColumn(table_column=Column(no_wrap=True))
    more = TextColumn("{task.fields[more]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"))
    if width < _NARROW:
        return [name, count, more]
    bar = BarColumn(bar_width=None, table_column=Column(ratio=1))
    return [SpinnerColumn(), name, bar, count, more, TimeElapsedColumn(table_column=Column(no_wrap=True))]


def _update_bars(progress: Progress, reporter: Reporter, messages: TaskID, notes: TaskID, media: TaskID) -> None:
    report = reporter.report
    seen = snapshot(reporter)
    waiting = f"flood wait on {reporter.waits_for}: {seen['waiting']} s" if seen["waiting"] else reporter.phase
    if until := reporter.paused_until():
        waiting = f"paused until {format_moment(until)}, {waiting}"
    fetched = report.messages.fetched
    progress.update(messages, completed=fetched, total=max(reporter.expected_messages, fetched) or None, more=waiting)
    written = report.notes.created + report.notes.updated
    progress.update(notes, completed=written, total=max(reporter.expected_notes, written) or None, more=reporter.chat)
    done = report.media.downloaded + report.media.reused + report.media.failed
    progress.update(
        media, completed=done, total=max(report.media.wanted, done) or None, more=format_size(report.media.bytes)
    )


def snapshot(reporter: Reporter) -> dict[str, object]:
    """Where the run stands, as one flat object."""
    report, until = reporter.report, reporter.paused_until()
    return {
        "phase": reporter.phase,
        "chat": reporter.chat,
        "messages": report.messages.fetched,
        "messages_expected": reporter.expected_messages,
        "notes": report.notes.created + report.notes.updated,
        "media": report.media.downloaded + report.media.reused,
        "media_wanted": report.media.wanted,
        "bytes": report.media.bytes,
        "requests": report.requests,
        "waiting": reporter.seconds_to_wait(),
        "waiting_for": reporter.waits_for if reporter.seconds_to_wait() else "",
        "paused_until": iso_time(until) if until else "",
        "problems": len(report.problems),
    }
