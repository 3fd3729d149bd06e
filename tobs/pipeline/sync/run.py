"""A sync: record the changes since the last run and write their notes."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from loguru import logger
from msgspec import Struct
from msgspec.structs import replace

from tobs.archive import Replacement
from tobs.errors import FloodWait, RequestRefused
from tobs.media import MediaPolicy
from tobs.model import Chat
from tobs.model.events import NotesCounted, PhaseStarted
from tobs.model.report import RunReport
from tobs.pipeline.context.chat_sources import source_config
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.fetch.mass_deletion import refusal
from tobs.pipeline.notes.chat_folders import open_chat
from tobs.pipeline.notes.planning import plan_messages, settled_to
from tobs.pipeline.select.filters import Filters
from tobs.pipeline.session.chat_export import ChatExporter
from tobs.pipeline.session.chat_stages import ChatStages, finish_notes
from tobs.pipeline.session.run_session import RunConfig, RunSession, open_run
from tobs.pipeline.session.telegram_session import open_telegram_session
from tobs.pipeline.sync.comment_changes import fetch_comment_changes, groups_of
from tobs.pipeline.sync.syncer import PendingChanges, Syncer, boxes_of, moved_boxes
from tobs.pipeline.sync.tracked_chats import choose_tracked
from tobs.render.frontmatter import managed_hash
from tobs.sources.registry import continuing
from tobs.telegram.facade import Telegram
from tobs.telegram.net.settings import TelegramSettings
from tobs.vault.decide import KnownNote, is_written_by_tobs
from tobs.vault.read import read_batch
from tobs.vault.trash import move_to_trash


class SyncRun(Struct, frozen=True):
    """A sync of a vault. ``config`` is the configuration of the run, ``telegram`` the settings of the connection;
    ``counters`` refreshes the counters of recent messages, ``fill`` fetches all messages that are missing."""

    config: RunConfig
    telegram: TelegramSettings
    accept_deletions: bool = False
    counters: bool = False
    fill: bool = False

    async def sync(self, targets: Sequence[str]) -> RunReport:
        """Record and write the changes of the chats that ``targets`` name (none: of all tracked chats). Raises
        VaultError when too much was deleted, after everything else is done."""
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
        """Record the changes of all boxes of ``chats``. Of several, a box that Telegram refuses is reported and
        skipped."""
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
    """Write the notes of changed chats and those that an interrupted run left."""
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
        await run.archive_thread(move_deleted_to_trash, context)
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
                chat_stages = _local(stages) if kind.is_local else stages
                await chat_stages.run(source, chat_folder, pending.gaps.get(chat_id, ()))
            chat_folders.append(chat_folder)
            if chat_id in with_comments:
                chat_folders.append(await exporter.export_comments(chat_folder.chat, chat_folder, None))
        await finish_notes(context, run.archive_thread, stages.writer, chat_folders)
    await run.archive_thread(context.archive.updates.clear_pending, context.account)


def _local(stages: ChatStages) -> ChatStages:
    """Return stages for files on this computer: all of them are wanted, without a request to Telegram."""
    download_limits = replace(stages.limits.download_limits, later=False)
    limits = replace(stages.limits, download_limits=download_limits)
    return replace(stages, policy=MediaPolicy(max_size=sys.maxsize), limits=limits)


def open_archived_chat(context: RunContext, chat_id: int, full: Chat | None, *, is_changed: bool) -> ChatFolder | None:
    """Return the folder of a chat of the vault, None for a chat without a folder of its own. ``full`` is the chat as
    Telegram describes it now (None: unchanged). If ``is_changed``, its note becomes stale, because it shows the number
    of messages."""
    archive = context.archive
    known = archive.chats.get(context.account, chat_id)
    if known is None or not (known.migrated_to or archive.notes.by_tobs_id(str(chat_id))):
        return None  # it is written with the chat whose folder it uses
    top = archive.messages.newest_id(context.account, chat_id)
    chat = replace(full or known, count=known.count, top=max(known.top, top))
    host = archive.chats.get(context.account, chat.migrated_to) if chat.migrated_to else None
    parent = open_chat(context, host) if host is not None else None
    # New messages get their notes also when an export of older ones was stopped.
    is_part = bool(archive.coverage.gaps(context.account, chat_id, 1, chat.top))
    if is_part and not archive.ledgers.of(context.account, chat_id).is_complete:
        logger.warning("{} is not archived completely: tobs sync --fill fetches the missing messages", chat.title)
    chat_folder = open_chat(context, chat, parent=parent, is_part=is_part)
    if is_changed:
        archive.notes.mark_stale([chat_folder.note_id])
    return chat_folder


async def write_notes_without_files(run: RunSession, context: RunContext, pending: PendingChanges) -> None:
    """Write the notes of ``pending`` that do not wait for a file."""
    enrichers = run.enrichers(context)
    async with run.writer(context) as writer:
        for chat_id in sorted(pending.changed, reverse=True):
            chat_folder = await run.archive_thread(open_archived_chat, context, chat_id, None, is_changed=True)
            if chat_folder is None:
                continue
            upto = await run.archive_thread(settled_to, context, chat_folder, final=True)
            await enrichers.ask(chat_folder, upto)
            while not (await run.archive_thread(plan_messages, context, chat_folder, upto=upto, final=True)).is_all:
                pass
            await writer.write_messages(chat_folder, final=False)
        await writer.write_summaries()
        await writer.close()


def move_deleted_to_trash(context: RunContext) -> int:
    """Move notes whose messages are all deleted to the vault's trash; return their number. A note in which the owner
    wrote stays, and is marked like any other. Notes with links to the moved ones become stale."""
    archive, root = context.archive, context.root
    rows = archive.notes.emptied()
    moved: list[int] = []
    for row, found in zip(rows, read_batch(root, [row.path for row in rows]), strict=True):
        if found is not None and is_written_by_tobs(
            KnownNote(row.tobs_id, row.state, row.text_hash), found, managed_hash
        ):
            move_to_trash(root, row.path)
            moved.append(row.id)
    with archive.transaction():
        archive.replaced.keep(context.events.run_id, [Replacement(note_id, b"", "") for note_id in moved])
        archive.notes.mark_deleted(moved)
        archive.notes.mark_stale(archive.links.linking_to(moved))
    context.events.emit(NotesCounted(removed=len(moved)))
    return len(moved)
