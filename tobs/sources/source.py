"""What a source gives: the pages of a chat and the files of its messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from tobs.model import FileItem, MessageKey, Page

#: An interval of message ids, both ends included.
Gap = tuple[int, int]


class Walk(Protocol):
    """Brings the messages of id intervals page by page, lowest first. ``on_page`` may be awaited for several pages
    at once; a slow one slows the source (backpressure). ``count`` is about how many messages the chat has."""

    async def __call__(
        self, chat_id: int, gaps: Sequence[Gap], on_page: Callable[[Page], Awaitable[None]], *, count: int = 0
    ) -> None: ...


class FetchFile(Protocol):
    """Brings a file of message ``key`` to ``part``, from byte ``offset`` on; the whole size in bytes.

    Raises TransferFailed: not retryable for a file the source does not have.
    """

    async def __call__(
        self,
        item: FileItem,
        key: MessageKey,
        part: Path,
        *,
        offset: int = 0,
        on_progress: Callable[[int], None] | None = None,
    ) -> int: ...


class Source(Struct, frozen=True):
    """Where a chat's messages and files come from; ``name`` is what the archive calls it."""

    walk: Walk
    fetch_file: FetchFile
    name: str = "telegram"
