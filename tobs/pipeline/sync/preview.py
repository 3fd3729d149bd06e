"""Preview of a sync: differences are read and counted, nothing is recorded."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from tobs.archive import Archive, deleted_keys, open_archive
from tobs.model import Changes, Chat, message_state
from tobs.model.events import MessagesCounted, RequestsCounted
from tobs.model.report import RunReport
from tobs.pipeline.context.adapters import ArchivePeers
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.events import RunEvents
from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.fetch.mass_deletion import by_chat, is_mass
from tobs.pipeline.session.telegram_session import report_event
from tobs.pipeline.sync.syncer import boxes_of, moved_boxes
from tobs.pipeline.sync.tracked_chats import choose_tracked
from tobs.telegram.facade import Telegram
from tobs.telegram.net.settings import TelegramSettings
from tobs.telegram.opening import open_telegram
from tobs.telegram.stores import Stores


async def preview_sync(
    path: Path, settings: TelegramSettings, targets: Sequence[str], report: ReportBuilder
) -> RunReport:
    """Return the report of messages that a sync of ``targets`` would give. The archive at ``path`` is only read."""
    async with ArchiveThread() as archive_thread:
        archive = await archive_thread(partial(open_archive, path, clock=time.time, read_only=True))
        try:
            peers = ArchivePeers(archive, archive_thread)
            on_event = partial(report_event, report.events)
            async with open_telegram(settings, Stores(peers), on_event=on_event, verify_account=False) as telegram:
                chats = await choose_tracked(archive, telegram.account.id, archive_thread, telegram, targets)
                await _Preview(archive, archive_thread, telegram, report.events).count(chats)
                report.events.emit(RequestsCounted(telegram.requests.total()))
        finally:
            await archive_thread(archive.close)
    return report.finish()


class _Preview:
    """Counts the changes in differences."""

    def __init__(self, archive: Archive, archive_thread: ArchiveThread, telegram: Telegram, events: RunEvents) -> None:
        self._archive = archive
        self._account = telegram.account.id
        self._archive_thread = archive_thread
        self._telegram = telegram
        self._events = events

    async def count(self, chats: Mapping[int, Chat]) -> None:
        """Count the changes of ``chats`` in the report."""
        boxes = boxes_of(chats)
        for box in await moved_boxes(self._archive, self._account, self._archive_thread, self._telegram, chats):
            await self._count_box(box, boxes[box])

    async def _count_box(self, box: int, chats: Mapping[int, Chat]) -> None:
        names = ", ".join(chat.title for chat in chats.values())
        state = await self._archive_thread(self._archive.updates.state, self._account, box)
        while state is not None:
            changes = await self._telegram.changes(box, state)
            if changes.too_long:
                break
            await self._archive_thread(self._count_changes, changes, chats)
            if changes.is_last or changes.state == state:
                return
            state = changes.state
        self._events.recovered(f"the changes of {names} are too old to be sent by Telegram: a sync scans the chat")

    def _count_changes(self, changes: Changes, chats: Mapping[int, Chat]) -> None:
        archive = self._archive
        deleted = deleted_keys(archive, self._account, changes, chats)
        self._events.emit(MessagesCounted(deleted=len(deleted)))
        for chat_id, number in by_chat(deleted).items():
            live = archive.messages.count(self._account, chat_id)
            if is_mass(number, live):
                reason = f"{number} of {live} messages were deleted: a sync needs --accept-deletions"
                self._events.problem("deletions", chats[chat_id].title, reason, retryable=False)
        for page in changes.pages:
            if page.chat_id not in chats:
                continue
            ids = [message.id for message in page.messages]
            known = archive.messages.states(self._account, page.chat_id, ids)
            new = sum(message.id not in known for message in page.messages)
            edited = sum(
                message.id in known and known[message.id] != message_state(message) for message in page.messages
            )
            self._events.emit(MessagesCounted(len(page.messages), new, edited))
