"""An open export: its summary, its chats as sources, its files. All reading is done in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import tzinfo
from pathlib import Path

from tobs.model import Chat, FileItem, MessageKey, Page
from tobs.sources.desktop.files import ExportFiles, MediaMode, open_files
from tobs.sources.desktop.html import html_title
from tobs.sources.desktop.messages import ReadContext
from tobs.sources.desktop.pages import ChatPages, read_pages
from tobs.sources.desktop.raw import open_raw
from tobs.sources.desktop.summary import ExportedChat, ExportSummary, summarize
from tobs.sources.source import Gap, Source

#: Name of this source in the archive.
DESKTOP = "desktop"


class ChatReader:
    """Reader of one chat of an export, once and in the order of the file."""

    def __init__(self, pages: ChatPages, fetch: Callable[[str, Path], int]) -> None:
        self.chat: ExportedChat = pages.chat
        self._pages = pages.pages
        self._fetch = fetch
        self._next: Page | None = None

    async def next_chat(self) -> int:
        """Return the marked id of the chat of the next messages; 0 at the end."""
        if self._next is None:
            self._next = await asyncio.to_thread(next, self._pages, None)
        return self._next.chat_id if self._next else 0

    async def ids(self) -> AsyncIterator[tuple[list[int], int]]:
        """Yield the ids of the messages page by page, with their chat id, without importing them."""
        while await self.next_chat():
            page, self._next = self._next, None
            if page is not None:
                yield [message.id for message in page.messages], page.chat_id

    @property
    def source(self) -> Source:
        """Return the chat as a source. It returns all its messages, whatever ids are requested."""
        return Source(walk=self._walk, fetch_file=self._fetch_file, name=DESKTOP)

    async def _walk(
        self, chat_id: int, gaps: Sequence[Gap], on_page: Callable[[Page], Awaitable[None]], *, count: int = 0
    ) -> None:
        while await self.next_chat() == chat_id:
            page, self._next = self._next, None
            if page is not None:
                await on_page(page)

    async def _fetch_file(
        self,
        item: FileItem,
        key: MessageKey,
        part: Path,
        *,
        offset: int = 0,
        on_progress: Callable[[int], None] | None = None,
    ) -> int:
        """Copy a complete file; ``offset`` is ignored."""
        size = await asyncio.to_thread(self._fetch, item.path, part)
        if on_progress is not None:
            on_progress(size)
        return size


class DesktopExport:
    """An open export; ``summary`` describes its content."""

    def __init__(self, files: ExportFiles, summary: ExportSummary, zone: tzinfo, mode: MediaMode) -> None:
        self.summary = summary
        self._files = files
        self._zone = zone
        self._mode = mode
        self._fetched: list[str] = []

    async def chats(self) -> AsyncGenerator[ChatReader, None]:
        """Yield the chats in the order of the file; each must be read before the next one."""
        with open_raw(self._files) as raw:
            context = ReadContext(self._zone, self.summary.names, self._files.size_of, self._files.read_text)
            chats: Iterator[ChatPages] = read_pages(raw, self.summary, context)
            while (chat := await asyncio.to_thread(next, chats, None)) is not None:
                yield ChatReader(chat, self._fetch)

    def remove_moved_files(self) -> None:
        """Remove the fetched files from the export if they were to be moved. Call when they are in the vault."""
        if self._mode == "move":
            for path in self._fetched:
                self._files.remove(path)

    def _fetch(self, path: str, part: Path) -> int:
        size = self._files.fetch(path, part, self._mode)
        self._fetched.append(path)
        return size


@asynccontextmanager
async def open_desktop(
    path: Path, *, zone: tzinfo, mode: MediaMode = "copy", chat: Chat | None = None
) -> AsyncIterator[DesktopExport]:
    """Open the export at ``path``; dates without a Unix time are local dates in ``zone``.

    ``chat`` is the chat of an HTML export, which does not contain it. Raises UsageError.
    """
    files = await asyncio.to_thread(open_files, path, chat)
    try:
        summary = await asyncio.to_thread(lambda: summarize(files, zone=zone))
        yield DesktopExport(files, summary, zone, mode)
    finally:
        await asyncio.to_thread(files.close)


def title_of_html(path: Path) -> str | None:
    """Return the chat's name in an export with HTML only; None if the export contains its chat. Raises UsageError."""
    files = open_files(path)
    try:
        return html_title(files.open_pages()) if files.is_html else None
    finally:
        files.close()
