"""One sync: what happened since the last run, recorded and written into notes."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from loguru import logger
from msgspec import Struct
from msgspec.structs import replace

from tobs.errors import FloodWait, RequestRefused
from tobs.media import MediaPolicy
from tobs.model import Chat
from tobs.model.events import PhaseStarted
from tobs.model.report import RunReport
from tobs.pipeline.context.chat_sources import source_config
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.fetch.mass_deletion import refusal
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.pipeline.select.filters import Filters
from tobs.pipeline.session.chat_export import ChatExporter
from tobs.pipeline.session.chat_stages import ChatStages, finish_notes
from tobs.pipeline.session.run_session import RunConfig, RunSession, open_run
from tobs.pipeline.session.telegram_session import open_telegram_session
from tobs.pipeline.sync.comment_changes import fetch_comment_changes, groups_of
from tobs.pipeline.sync.syncer import PendingChanges, Syncer, boxes_of, moved_boxes
from tobs.pipeline.sync.tracked_chats import choose_tracked
from tobs.pipeline.sync.trash import trash_emptied
from tobs.sources.registry import continuing
from tobs.telegram.facade import Telegram
from tobs.telegram.net.settings import TelegramSettings


class SyncRun(Struct, frozen=True):
    """A sync: what every run works with, and the way to Telegram."""

    config: RunConfig
    telegram: TelegramSettings
    accept_deletions: bool = False
    counters: bool = False
    fill: bool = False

    async def sync(self, targets: Sequence[str]) -> RunReport:
        """Bring what changed in the chats of the vault (or those that ``targets`` name). Raises VaultError after
        everything else is done when too much was deleted."""
        async with (
            open_run(self.config) as run,
            open_telegram_session(run, self.telegram, verify_account=False) as telegram,
        ):
            self.config.events.emit(PhaseStarted("syncing"))
            context = run.context(telegram.account.id)
            chats = await choose_tracked(run.archive, context.account, run.archive_thread, telegram, targets)
            pending = await self._fetch_changes(run, context, telegram, chats)
            await write_notes(run, context, telegram, pending)
            if pending.refused:
                raise refusal(pending.refused.values())
        return run.report

    async def _fetch_changes(
        self, run: RunSession, context: RunContext, telegram: Telegram, chats: dict[int, Chat]
    ) -> PendingChanges:
        """Every box of ``chats`` that moved. With several, one that Telegram refuses is told and left out."""
        syncer = Syncer(
            context, run.archive_thread, telegram, self.config.policy, accept_deletions=self.accept_deletions
        )
        boxes = boxes_of(chats)
        for box in await moved_boxes(run.archive, context.account, run.archive_thread, telegram, chats):
            try:
                await syncer.fetch_box(box, boxes[box])
            except FloodWait:
                raise
            except RequestRefused as error:
                if len(boxes) == 1:
                    raise
                context.events.failed(error, ", ".join(chat.title for chat in boxes[box].values()))
        await syncer.recheck_edits(chats, whole=self.fill)
        await fetch_comment_changes(syncer, context, run.archive_thread, telegram, chats.values())
        if self.fill:
            for chat_id in chats:
                if gaps := await run.archive_thread(run.archive.ledgers.missing_ranges, context.account, chat_id):
                    syncer.pending.gaps[chat_id] = gaps
        if self.counters:
            await syncer.refresh(chats, since=time.time() - self.config.settings.refresh)
        return syncer.pending


async def write_notes(run: RunSession, context: RunContext, telegram: Telegram, pending: PendingChanges) -> None:
    """Bring the notes of what changed up to date, and of what an interrupted run left; nothing where nothing is."""
    unfinished = await run.archive_thread(context.archive.messages.unfinished, context.account)
    about = pending.about | await run.archive_thread(context.archive.updates.with_pending, context.account, about=True)
    changed = pending.changed | about | await run.archive_thread(context.archive.updates.with_pending, context.account)
    groups = await run.archive_thread(
        groups_of, context, await run.archive_thread(context.archive.chats.all, context.account)
    )
    with_comments = pending.commented | {channel for group, channel in groups.items() if group in unfinished}
    moved = changed | set(pending.gaps) | with_comments
    chats = sorted(moved | set(unfinished), reverse=True)
    if not chats and not await run.archive_thread(context.archive.notes.stale, context.account, None, limit=1):
        return
    config, chat_folders = run.config, list[ChatFolder]()
    if config.settings.deleted == "trash":
        await run.archive_thread(trash_emptied, context)
    async with run.stages(context) as stages:
        exporter = ChatExporter(stages, telegram, Filters(), ())
        for chat_id in chats:
            kind = continuing(await run.archive_thread(context.archive.chats.source, context.account, chat_id))
            async with kind.open(source_config(context, run.archive_thread, kind, telegram)) as source:
                full = await source.describe(chat_id) if chat_id in about else None
                chat_folder = await run.archive_thread(
                    open_archived_chat, context, chat_id, full, is_changed=chat_id in changed
                )
                if chat_folder is None:
                    continue
                if source.topics is not None and chat_folder.chat.is_forum and chat_id in moved:
                    await exporter.update_topics(source, chat_folder.chat, wanted=())
                here = _local(stages) if kind.is_local else stages
                await here.run(source, chat_folder, pending.gaps.get(chat_id, ()))
            chat_folders.append(chat_folder)
            if chat_id in with_comments:
                chat_folders.append(await exporter.export_comments(chat_folder.chat, chat_folder, None))
        await finish_notes(context, run.archive_thread, stages.writer, chat_folders)
    await run.archive_thread(context.archive.updates.clear_pending, context.account)


def _local(stages: ChatStages) -> ChatStages:
    """The stages for files on this computer: all are wanted, and nothing is asked of Telegram for them."""
    download_limits = replace(stages.limits.download_limits, later=False)
    limits = replace(stages.limits, download_limits=download_limits)
    return replace(stages, policy=MediaPolicy(max_size=sys.maxsize), limits=limits)


def open_archived_chat(context: RunContext, chat_id: int, full: Chat | None, *, is_changed: bool) -> ChatFolder | None:
    """Where a chat of the vault is filed; ``full`` is what is known of it now (None: nothing new). Its note counts its
    messages: it is stale when those changed."""
    archive = context.archive
    known = archive.chats.get(context.account, chat_id)
    if known is None or not (known.migrated_to or archive.notes.by_tobs_id(str(chat_id))):
        return None  # what lies in another chat's folder is written with that
    top = archive.messages.newest_id(context.account, chat_id)
    chat = replace(full or known, count=known.count, top=max(known.top, top))
    host = archive.chats.get(context.account, chat.migrated_to) if chat.migrated_to else None
    parent = open_chat(context, host) if host is not None else None
    # Where an export was stopped halfway, what is new gets its notes all the same.
    is_part = bool(archive.coverage.gaps(context.account, chat_id, 1, chat.top))
    if is_part and not archive.ledgers.of(context.account, chat_id).is_complete:
        logger.warning("not all of {} was ever fetched: tobs sync --fill does it", chat.title)
    chat_folder = open_chat(context, chat, parent=parent, is_part=is_part)
    if is_changed:
        archive.notes.mark_stale([chat_folder.note_id])
    return chat_folder
