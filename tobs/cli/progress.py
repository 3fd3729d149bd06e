"""Progress on stderr: bars on a terminal, one JSON line a second when it is none. Both show the events of the run."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from math import ceil
from typing import TYPE_CHECKING

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
from tobs.model import events as e
from tobs.model.clock import Clock
from tobs.model.report import iso_time

if TYPE_CHECKING:
    from tobs.app.results import RunEvents

_BARS_EVERY = 0.1
_LINES_EVERY = 1.0
_NARROW = 60


class RunProgress:
    """The state of a run as its events tell it. A consumer of events; ``clock`` gives Unix seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wait = e.FloodWaitStarted("", 0.0, 0.0)
        self._paused_until = 0.0
        self._problems: set[tuple[str, str]] = set()
        self.phase = "starting"
        self.chat = ""
        self.expected = e.WorkExpected()
        self.fetched = 0
        self.written = 0
        self.requests = 0
        self.media = e.MediaCounted()
        self.notices: list[str] = []

    def __call__(self, event: e.RunEvent) -> None:
        """Take ``event`` into the state."""
        match event:
            case e.PhaseStarted(name):
                self.phase = name
            case e.ChatStarted(title):
                self.chat = title
            case e.WorkExpected(messages, notes):
                self.expected = e.WorkExpected(self.expected.messages + messages, self.expected.notes + notes)
            case e.MessagesCounted(fetched=fetched):
                self.fetched += fetched
            case e.NotesCounted(outcomes):
                self.written += sum(outcomes.get(outcome, 0) for outcome in ("created", "updated", "merged"))
            case e.MediaCounted():
                self.media = e.MediaCounted(
                    *(getattr(self.media, name) + getattr(event, name) for name in event.__struct_fields__)
                )
            case e.RequestsCounted(total):
                self.requests = total
            case e.ProblemFound(what, item):
                self._problems.add((what, item))
            case e.NoticeShown(text):
                self.notices.append(text)
            case e.FloodWaitStarted():
                self._wait = event
            case e.RunPaused(until=until):
                self._paused_until = until
            case _:
                pass  # the report shows the rest

    def end(self) -> None:
        """Show no wait any more: the run has ended, and with it any flood wait and pause."""
        self._wait, self._paused_until = e.FloodWaitStarted("", 0.0, 0.0), 0.0

    @property
    def seconds_to_wait(self) -> int:
        """Seconds left of the current flood wait, 0 without one."""
        return max(0, ceil(self._wait.until - self._clock()))

    @property
    def waits_for(self) -> str:
        """The method that the current flood wait is about, empty without one."""
        return self._wait.method if self.seconds_to_wait else ""

    @property
    def paused_until(self) -> float:
        """The end of the current pause (Unix seconds), 0 without one."""
        return self._paused_until if self._paused_until > self._clock() else 0.0

    def snapshot(self) -> dict[str, object]:
        """Return the state as one flat object."""
        until = self.paused_until
        return {
            "phase": self.phase,
            "chat": self.chat,
            "messages": self.fetched,
            "messages_expected": self.expected.messages,
            "notes": self.written,
            "media": self.media.downloaded + self.media.reused,
            "media_wanted": self.media.wanted,
            "bytes": self.media.bytes,
            "requests": self.requests,
            "waiting": self.seconds_to_wait,
            "waiting_for": self.waits_for,
            "paused_until": iso_time(until) if until else "",
            "problems": len(self._problems),
        }


@asynccontextmanager
async def show_progress(events: RunEvents, console: Console, *, quiet: bool) -> AsyncIterator[None]:
    """Show the progress of the run that emits ``events`` while the block runs."""
    if quiet:
        yield
        return
    progress = RunProgress(lambda: events.now)
    events.subscribe(progress)
    show = _show_bars if console.is_terminal else _write_lines
    task = asyncio.create_task(show(progress, console))
    try:
        yield
    finally:
        events.unsubscribe(progress)
        progress.end()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _write_lines(progress: RunProgress, console: Console) -> None:
    shown = 0
    try:
        while True:
            await asyncio.sleep(_LINES_EVERY)
            shown = _write_line(progress, shown)
    finally:
        _write_line(progress, shown)


def _write_line(progress: RunProgress, shown: int) -> int:
    """Write one line, or one for each notice after the first ``shown``. Return the number of notices shown by now."""
    for notice in progress.notices[shown:] or [""]:
        sys.stderr.write(json.dumps(progress.snapshot() | {"notice": notice}, ensure_ascii=False) + "\n")
    sys.stderr.flush()
    return len(progress.notices)


async def _show_bars(progress: RunProgress, console: Console) -> None:
    with Progress(*_columns(console.width), console=console, transient=False, expand=True) as bars:
        tasks = [bars.add_task(name, total=None, more="") for name in ("messages", "notes", "media")]
        shown = 0
        try:
            while True:
                for notice in progress.notices[shown:]:
                    console.print(f"[yellow]tobs:[/] {escape(notice)}", soft_wrap=True)
                shown = len(progress.notices)
                _update_bars(bars, progress, tasks)
                await asyncio.sleep(_BARS_EVERY)
        finally:
            _update_bars(bars, progress, tasks)


def _columns(width: int) -> list[ProgressColumn]:
    """Return the columns that fit a terminal of ``width`` cells. Numbers are never cut; bars go first, then titles are
    shortened."""
    name, count = TextColumn("{task.description:<9}"), MofNCompleteColumn(table_column=Column(no_wrap=True))
    more = TextColumn("{task.fields[more]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"))
    if width < _NARROW:
        return [name, count, more]
    bar = BarColumn(bar_width=None, table_column=Column(ratio=1))
    return [SpinnerColumn(), name, bar, count, more, TimeElapsedColumn(table_column=Column(no_wrap=True))]


def _update_bars(bars: Progress, progress: RunProgress, tasks: list[TaskID]) -> None:
    seconds, media = progress.seconds_to_wait, progress.media
    state = f"flood wait on {progress.waits_for}: {seconds} s" if seconds else progress.phase
    if until := progress.paused_until:
        state = f"paused until {format_moment(until)}, {state}"
    done = media.downloaded + media.reused + media.failed
    rows = (
        (progress.fetched, progress.expected.messages, state),
        (progress.written, progress.expected.notes, progress.chat),
        (done, media.wanted, format_size(media.bytes)),
    )
    for task, (completed, total, more) in zip(tasks, rows, strict=True):
        bars.update(task, completed=completed, total=max(total, completed) or None, more=more)
