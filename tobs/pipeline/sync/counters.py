"""Fetching of stored messages again by their ids: for views, reactions and polls, which no difference contains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from tobs.archive import Decide, Recorded, record_page
from tobs.model import MessageKey, Page
from tobs.model.events import MediaCounted, MessagesCounted
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import RunContext
from tobs.telegram.facade import Telegram

#: Marks chats (marked ids) as changed; called in the archive's thread, in the transaction of the change.
MarkChanged = Callable[[Iterable[int]], None]

#: Messages fetched again with one request.
IDS_PER_REQUEST = 100


class Refetcher(Struct, frozen=True):
    """Fetches stored messages again by their ids, a hundred a request, and records the differences."""

    context: RunContext
    archive_thread: ArchiveThread
    telegram: Telegram
    decide: Decide
    mark_changed: MarkChanged

    async def refetch_since(self, chats: Iterable[int], since: float) -> list[MessageKey]:
        """Fetch the messages of ``chats`` that are not older than ``since`` (Unix seconds); notes that show other
        counters become stale. Return the missing messages (not marked yet). Raises RequestRefused."""
        missing: list[MessageKey] = []
        live_ids_since = self.context.archive.messages.live_ids_since
        for chat_id in chats:
            ids = await self.archive_thread(live_ids_since, self.context.account, chat_id, since)
            missing += await self.refetch(chat_id, ids, show=True)
        return missing

    async def refetch_messages(self, messages: Iterable[tuple[int, int]], *, show: bool) -> None:
        """Fetch those of ``messages`` (chat, id) that the archive has; with ``show`` notes that show other counters
        become stale. Raises RequestRefused."""
        by_chat: defaultdict[int, list[int]] = defaultdict(list)
        for chat_id, message_id in messages:
            by_chat[chat_id].append(message_id)
        for chat_id, ids in by_chat.items():
            keys = [MessageKey.of(self.context.account, chat_id, message_id) for message_id in ids]
            live = [key.id for key in await self.archive_thread(self.context.archive.messages.live, keys)]
            await self.refetch(chat_id, live, show=show)

    async def refetch(self, chat_id: int, ids: Sequence[int], *, show: bool = False) -> list[MessageKey]:
        """Fetch the messages ``ids`` of a chat. With ``show`` all notes of the chat that show other counters than the
        stored ones become stale. Return the missing messages (not marked yet). Raises RequestRefused."""
        missing: list[MessageKey] = []
        for start in range(0, len(ids), IDS_PER_REQUEST):
            page, absent = await self.telegram.messages_by_id(chat_id, ids[start : start + IDS_PER_REQUEST])
            await self.archive_thread(self._record, page)
            missing += [MessageKey.of(self.context.account, chat_id, message_id) for message_id in absent]
        if show:
            await self.archive_thread(self.context.archive.notes.mark_outdated_stale, self.context.account, chat_id)
        return missing

    def _record(self, page: Page) -> None:
        context = self.context
        with context.archive.transaction():
            recorded = record_page(context.archive, context.account, page, self.decide)
            if recorded.edited:
                self.mark_changed([page.chat_id])
        report_recorded(context, [recorded])


def report_recorded(context: RunContext, recorded: Iterable[Recorded]) -> None:
    """Report the numbers of messages and files that pages added."""
    for page in recorded:
        context.events.emit(MessagesCounted(page.new + page.edited + page.unchanged, page.new, page.edited))
        context.events.emit(MediaCounted(wanted=page.wanted))
