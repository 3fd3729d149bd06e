"""``tobs render``: write notes again, in another layout if requested, or show the changes in a dry run."""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from tobs.archive import NoteRow
from tobs.model import Chat
from tobs.model.events import NoteChangePreviewed, PhaseStarted, RenderingStarted
from tobs.model.report import RunReport
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.notes.note_writer import NoteWriter, mark_changed_templates
from tobs.pipeline.notes.relayout import (
    change_layout,
    finish_relayouts,
    transfer_owner_text,
)
from tobs.pipeline.notes.render_notes import NoteResult, render_message_notes
from tobs.pipeline.select.archived_chats import archived_folders, stored_account
from tobs.pipeline.session.chat_stages import finish_notes
from tobs.pipeline.session.run_session import RunConfig, RunSession, open_run
from tobs.vault.layout import AskedLayout


class RenderSelection(Struct, frozen=True):
    """The selection of notes: ``targets`` (none: all), a period (Unix seconds, 0: no bound), another ``layout``.

    ``dry`` shows the changes only, ``diff`` with differences. ``restore`` restores notes and files that the owner
    deleted.
    """

    targets: tuple[str, ...] = ()
    since: float = 0
    until: float = 0
    layout: AskedLayout | None = None
    dry: bool = False
    diff: bool = False
    restore: bool = False


class RenderRun(Struct, frozen=True):
    """A run that renders the selected notes."""

    config: RunConfig
    selection: RenderSelection

    async def render(self) -> RunReport:
        """Render the notes. Raises TargetNotFound, VaultError; other failures are in the report."""
        self.config.events.emit(RenderingStarted(self.selection.dry))
        async with open_run(self._config()) as run:
            account = await run.archive_thread(stored_account, run.archive, self.config.settings.account)
            await self._render(run, run.context(account))
        return run.report

    def _config(self) -> RunConfig:
        """Return the configuration; in a dry run without plugins, so that none is notified of a run."""
        if not self.selection.dry:
            return self.config
        return replace(self.config, catalogue=replace(self.config.catalogue, ready=()))

    async def _render(self, run: RunSession, context: RunContext) -> None:
        events = self.config.events
        if self.selection.dry:
            context = replace(context, render_context=replace(context.render_context, is_dry_run=True))
        async with self._writer(run, context) as writer:
            events.emit(PhaseStarted("planning"))
            chat_folders = await run.archive_thread(archived_folders, context, self.selection.targets)
            scope = Scope(chat_folders, bool(self.selection.targets), self.selection.since, self.selection.until)
            if self.selection.restore:
                await run.archive_thread(restore, context, scope)
            changed = await run.archive_thread(self._change_layouts, context, chat_folders)
            await run.archive_thread(mark_stale, context, scope)
            events.emit(PhaseStarted("rendering"))
            for chat_folder in changed or chat_folders:
                await writer.write_messages(chat_folder, final=True)
            await finish_notes(context, run.archive_thread, writer, changed or chat_folders, with_waiting=True)

    def _change_layouts(self, context: RunContext, chat_folders: Sequence[ChatFolder]) -> list[ChatFolder]:
        """Change the layout of the chats if one was requested; return the folders concerned."""
        changed: list[ChatFolder] = []
        if self.selection.layout is not None:
            # A chat that is filed in the folder of another one changes with that.
            for chat_folder in chat_folders:
                if chat_folder.chat.id == chat_folder.filed_under and not chat_folder.is_filed_elsewhere:
                    changed += change_layout(context, chat_folder.chat, self.selection.layout)
        if changed and not context.render_context.is_dry_run:
            transfer_owner_text(context)
        return changed

    @asynccontextmanager
    async def _writer(self, run: RunSession, context: RunContext) -> AsyncIterator[NoteWriter]:
        """Open the note writer; a dry run writes nothing and rolls back the archive."""
        if not self.selection.dry:
            async with run.writer(context) as writer:
                yield writer
            return
        previewed: set[str] = set()
        await run.archive_thread(run.archive.begin_dry_run)
        try:
            await run.archive_thread(mark_changed_templates, context)
            yield NoteWriter(
                context,
                run.archive_thread,
                _DryRun(context, run.archive_thread),
                on_result=partial(_preview, context, previewed, self.selection.diff),
            )
            await run.archive_thread(finish_relayouts, context, previewed=previewed)
        finally:
            await run.archive_thread(run.archive.end_dry_run)


class _DryRun:
    """Renders notes on the archive thread without writing: another process would not see the transaction."""

    width = 1

    def __init__(self, context: RunContext, archive_thread: ArchiveThread) -> None:
        self._context = context
        self._archive_thread = archive_thread

    async def __call__(self, chat: Chat, rows: Sequence[NoteRow]) -> Sequence[NoteResult]:
        """Return the results that ``rows`` would have."""
        return await self._archive_thread(render_message_notes, self._context.render_context, chat, rows)

    def expect(self, messages: int) -> None:
        """Do nothing: there is nothing to prepare."""


def _preview(context: RunContext, previewed: set[str], with_diff: bool, result: NoteResult) -> None:
    """Report the change that would be made to a note, if there is one."""
    if result.change is not None:
        previewed.add(result.path)
        diff = difference(result.path, *result.change) if with_diff else ""
        context.events.emit(NoteChangePreviewed(result.path, result.outcome, diff))


def difference(path: str, before: str, after: str) -> str:
    """Return a unified diff of a note."""
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), path if before else "/dev/null", path)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


class Scope(Struct, frozen=True):
    """The selected chats; ``named`` means that targets named them (else all notes are selected). ``since`` and
    ``until`` are Unix seconds (0: no bound)."""

    chat_folders: Sequence[ChatFolder]
    named: bool = False
    since: float = 0
    until: float = 0


def mark_stale(context: RunContext, scope: Scope) -> None:
    """Mark the notes of ``scope`` stale."""
    notes = context.archive.notes
    if not scope.named and not scope.since and not scope.until:
        notes.mark_all_stale()
        return
    for chat_folder in scope.chat_folders:
        if scope.since or scope.until:
            notes.mark_stale_between(context.account, chat_folder.chat.id, scope.since, scope.until or float("inf"))
        else:
            notes.mark_stale_in(context.account, chat_folder.chat.id)


def restore(context: RunContext, scope: Scope) -> None:
    """Restore the notes and files of ``scope`` that the owner deleted. Files have to be fetched again."""
    archive = context.archive
    ids = [chat_folder.chat.id for chat_folder in scope.chat_folders] if scope.named else []
    with archive.transaction():
        archive.notes.restore_deleted(context.account, ids if scope.named else None)
        for files in archive.files.all():
            for file in files:
                if file.is_lost and (not ids or file.owner.chat_id in ids):
                    archive.media.want_again(file.sha256)
                    archive.files.forget(file.sha256)
