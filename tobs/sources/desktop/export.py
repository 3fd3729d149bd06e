"""An open export: its summary, its chats as sources, its files. All reading is done in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import tzinfo
from pathlib import Path

from tobs.errors import TargetNotFound, UsageError
from tobs.model import Chat, Page
from tobs.model.requests import MediaMode
from tobs.sources.desktop.files import ExportFiles, open_files
from tobs.sources.desktop.html import html_title
from tobs.sources.desktop.ids import unknown_group
from tobs.sources.desktop.messages import ReadContext
from tobs.sources.desktop.pages import ChatPages, read_pages
from tobs.sources.desktop.raw import open_raw
from tobs.sources.desktop.summary import ExportedChat, ExportSummary, summarize
from tobs.sources.source import Gap, Source, SourceConfig, SourceType, copied_files

#: Name of this source in the archive.
DESKTOP = "desktop"


class ChatReader:
    """Reader of one chat of an export, once and in the order of the file."""

    def __init__(self, pages: ChatPages) -> None:
        self.chat: ExportedChat = pages.chat
        self._pages = pages.pages
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

    async def walk(self, chat_id: int, on_page: Callable[[Page], Awaitable[None]]) -> None:
        """Pass the next pages to ``on_page`` as long as they are of chat ``chat_id``."""
        while await self.next_chat() == chat_id:
            page, self._next = self._next, None
            if page is not None:
                await on_page(page)


class DesktopExport:
    """An open export; ``summary`` describes its content."""

    def __init__(self, files: ExportFiles, summary: ExportSummary, zone: tzinfo, mode: MediaMode) -> None:
        self.summary = summary
        self._files = files
        self._zone = zone
        self._mode = mode
        self._fetched: list[str] = []
        self._read: list[ExportedChat] = []

    async def chats(self) -> AsyncGenerator[ChatReader, None]:
        """Yield the chats in the order of the file; each must be read before the next one."""
        with open_raw(self._files) as raw:
            context = ReadContext(self._zone, self.summary.names, self._files.size_of, self._files.read_text)
            chats: Iterator[ChatPages] = read_pages(raw, self.summary, context)
            while (chat := await asyncio.to_thread(next, chats, None)) is not None:
                yield ChatReader(chat)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Source]:
        """Open the export as a source. It is read once, in the order of the file: all messages come, whatever ids are
        requested."""
        async with aclosing(self.chats()) as readers:
            order = _Order(readers, self._read)

            async def walk(
                chat_id: int, gaps: Sequence[Gap], on_page: Callable[[Page], Awaitable[None]], *, count: int = 0
            ) -> None:
                if order.reader is not None:
                    await order.reader.walk(chat_id, on_page)

            yield Source(
                name=DESKTOP,
                resolve=self._resolve,
                describe=self._describe,
                walk=walk,
                fetch_file=copied_files(self._fetch),
                next_chat=order.next_chat,
                settled=self._settled,
                release=lambda: asyncio.to_thread(self._release),
            )

    async def _resolve(self, target: str, *, join: bool = False) -> Sequence[Chat]:
        wanted = target.strip().casefold()
        chats = [chat for chat in self._all_chats() if wanted in ("", str(chat.id), chat.title.casefold())]
        if not chats:
            raise TargetNotFound(f"'{target}' is not in the export.")
        return chats

    async def _describe(self, chat_id: int) -> Chat:
        found = next((chat for chat in self._all_chats() if chat.id == chat_id), None)
        if found is None:
            raise TargetNotFound(f"Chat {chat_id} is not in the export.")
        return found

    def _all_chats(self) -> list[Chat]:
        """Return every chat, each after the basic group that it was before."""
        chats: list[Chat] = []
        for one in self.summary.chats:
            for chat_id, ids in one.id_ranges.items():
                if chat_id != one.chat.id:
                    old = Chat(chat_id, "group", one.chat.title, top=ids.high, count=ids.count, migrated_to=one.chat.id)
                    chats.append(old)
            chats.append(one.chat)
        return chats

    def _settled(self, chat_id: int) -> Sequence[Gap]:
        """Return the interval from the first to the last message that was read, two for a chat that came twice. A part
        that is not read to its end does not count: an import that stops there has not recorded it."""
        parts = [one.id_ranges[chat_id] for one in self._read if chat_id in one.id_ranges]
        return [(max(1, ids.low), ids.high) for ids in parts if ids.count]

    def _release(self) -> None:
        """Remove the files that were to be moved from the export."""
        if self._mode == "move":
            for path in self._fetched:
                self._files.remove(path)

    def _fetch(self, path: str, part: Path) -> int:
        size = self._files.fetch(path, part, self._mode)
        self._fetched.append(path)
        return size


class _Order:
    """The chats of an export one after the other; ``reader`` reads the present one, and ``read`` gets those that were
    read to their end."""

    def __init__(self, readers: AsyncGenerator[ChatReader, None], read: list[ExportedChat]) -> None:
        self.reader: ChatReader | None = None
        self._readers = readers
        self._read = read

    async def next_chat(self) -> int:
        """Return the marked id of the chat of the next messages; 0 at the end of the export."""
        while True:
            if self.reader is not None and (chat_id := await self.reader.next_chat()):
                return chat_id
            if self.reader is not None:
                self._read.append(self.reader.chat)
            self.reader = await anext(self._readers, None)
            if self.reader is None:
                return 0


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


@asynccontextmanager
async def _open(config: SourceConfig) -> AsyncIterator[Source]:
    if config.path is None:
        raise UsageError("No export was named.", "Give its result.json, its folder or a .zip of it.")
    async with (
        open_desktop(config.path, zone=config.zone, mode=config.mode, chat=config.chat) as export,
        export.reading() as source,
    ):
        yield source


#: Its chats are Telegram's, which has later messages and the files that an export left out.
DESKTOP_SOURCE = SourceType(name=DESKTOP, open=_open, continued_by="telegram", unknown_group=unknown_group)


def title_of_html(path: Path) -> str | None:
    """Return the chat's name in an export with HTML only; None if the export contains its chat. Raises UsageError."""
    files = open_files(path)
    try:
        return html_title(files.open_pages()) if files.is_html else None
    finally:
        files.close()
