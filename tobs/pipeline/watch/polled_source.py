"""Sources that a watch polls: at every step their changes are recorded."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from tobs.archive import record_page
from tobs.media import MediaPolicy
from tobs.model import Changes, Chat, UpdateState
from tobs.model.events import MessagesCounted
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.chat_sources import source_config
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.media.wanted import media_decision
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.sources import Source, SourceType
from tobs.sources.registry import SOURCES
from tobs.vault.folders import make_folder
from tobs.vault.layout import source_folder, source_note


class PolledSource:
    """A source with a folder of its own in the vault. ``wake`` is called when the source has to be polled again."""

    def __init__(self, kind: SourceType, source: Source, wake: Callable[[], None]) -> None:
        self._kind = kind
        self._source = source
        self._wake = wake

    async def fetch(self, context: RunContext, archive_thread: ArchiveThread, policy: MediaPolicy) -> set[int]:
        """Record the changes; return the chats with notes to write. ``policy`` says which files are wanted."""
        fetch_changes = self._source.changes
        changed: set[int] = set()
        if fetch_changes is None:
            return changed
        for chat in await self._source.resolve(""):
            newest = await archive_thread(context.archive.messages.newest_id, context.account, chat.id)
            state, is_last = UpdateState(newest), False
            while not is_last:
                changes = await fetch_changes(chat.id, state)
                await archive_thread(self._record, context, chat, changes, policy)
                changed |= {page.chat_id for page in changes.pages} | changes.changed_chats
                state, is_last = changes.state, changes.is_last
            if changes.timeout:
                asyncio.get_running_loop().call_later(changes.timeout, self._wake)
        return changed

    async def release(self) -> None:
        """Remove from the source the files that are in the vault."""
        if self._source.release is not None:
            await self._source.release()

    def _record(self, context: RunContext, chat: Chat, changes: Changes, policy: MediaPolicy) -> None:
        if not changes.pages and not changes.changed_chats:
            return
        archive, account, kind = context.archive, context.account, self._kind
        if kind.folder:
            paths = [source_note(kind.folder)]
            archive.notes.claim(str(chat.id), "chat", account=account, chat_id=chat.id, message_id=0, candidates=paths)
        open_chat(context, chat, source=kind.name)
        # The owner of a file on this computer wants it, whatever its kind and size.
        decide = media_decision(context, MediaPolicy(max_size=sys.maxsize) if kind.is_local else policy)
        for page in changes.pages:
            done = record_page(archive, account, page, decide, source=kind.name)
            context.events.emit(MessagesCounted(new=done.new, edited=done.edited))


@asynccontextmanager
async def open_polled_sources(
    context: RunContext, archive_thread: ArchiveThread, wake: Callable[[], None]
) -> AsyncIterator[list[PolledSource]]:
    """Open the sources that have a folder of their own in the vault, which is made where it is missing."""
    async with AsyncExitStack() as stack:
        polled: list[PolledSource] = []
        for kind in [kind for kind in SOURCES.values() if kind.folder]:
            await archive_thread(make_folder, context.root, source_folder(kind.folder))
            source = await stack.enter_async_context(kind.open(source_config(context, archive_thread, kind)))
            polled.append(PolledSource(kind, source, wake))
        yield polled
