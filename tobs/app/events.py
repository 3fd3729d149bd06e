"""Consumers of what happens while a request is executed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from msgspec import Struct

from tobs.pipeline.context.report import ReportBuilder

#: Shows a run while it is open: its events, and the report that they build.
Show = Callable[[ReportBuilder], AbstractAsyncContextManager[None]]
#: Shows a sentence to the person who waits.
Say = Callable[[str], None]


@asynccontextmanager
async def _show_nothing(report: ReportBuilder) -> AsyncIterator[None]:
    yield


def _say_nothing(text: str) -> None:
    """Nobody waits."""


class Events(Struct, frozen=True):
    """The consumers of one request: ``show`` is opened for a run, ``say`` is called by requests that are no run."""

    show: Show = _show_nothing
    say: Say = _say_nothing
