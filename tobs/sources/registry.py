"""Registry of the sources, by the name that the archive stores with each chat (``chats.source``).

To add a source, write a module with a ``SourceType`` and add it to ``SOURCES``.
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
    """Return the source of later messages and wanted files in chats of the source ``name``. If there is none, or this
    version does not know ``name``, return a source without chats and files."""
    known = SOURCES.get(name)
    return SOURCES.get(known.continued_by, _NOTHING) if known is not None else _NOTHING


def source_reading(path: Path) -> SourceType | None:
    """Return the source that imports ``path``; None for an export of Telegram Desktop, and for anything unknown."""
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
