"""The sources that there are, by the name that the archive stores with each chat (``chats.source``).

A further source is a module with a ``SourceType`` and a line here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tobs.errors import TargetNotFound, TransferFailed
from tobs.model import Chat, Page
from tobs.sources.desktop import DESKTOP_SOURCE
from tobs.sources.inbox import INBOX_SOURCE
from tobs.sources.source import Gap, Source, SourceConfig, SourceType, copied_files
from tobs.sources.telegram import TELEGRAM_SOURCE

SOURCES: Final[dict[str, SourceType]] = {one.name: one for one in (TELEGRAM_SOURCE, DESKTOP_SOURCE, INBOX_SOURCE)}


def continuing(name: str) -> SourceType:
    """The source that has what is still to come in chats of the source ``name``: later messages, files that are
    wanted. One that gives nothing where that source is over or is not in this version."""
    known = SOURCES.get(name)
    return SOURCES.get(known.continued_by, _NOTHING) if known is not None else _NOTHING


def source_reading(path: Path) -> SourceType | None:
    """The source that says that it imports ``path``; None where none does."""
    return next((one for one in SOURCES.values() if one.reads is not None and one.reads(path)), None)


@asynccontextmanager
async def _open_nothing(config: SourceConfig) -> AsyncIterator[Source]:
    """A source without chats and files."""

    async def resolve(target: str, *, join: bool = False) -> Sequence[Chat]:
        raise TargetNotFound(f"'{target}' has no source.")

    async def describe(chat_id: int) -> Chat:
        raise TargetNotFound(f"Chat {chat_id} has no source.")

    async def walk(
        chat_id: int, gaps: Sequence[Gap], on_page: Callable[[Page], Awaitable[None]], *, count: int = 0
    ) -> None:
        return

    def copy(path: str, part: Path) -> int:
        raise TransferFailed("The source of this file is not open.", "Import it once more.")

    yield Source(name="", resolve=resolve, describe=describe, walk=walk, fetch_file=copied_files(copy))


_NOTHING: Final = SourceType(name="", open=_open_nothing)
