"""``tobs undo``: restore the notes that a run changed, and keep what their owner wrote since."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tobs.archive import NoteRow, ReplacedText, Replacement, WrittenNote, pack_base
from tobs.errors import UsageError
from tobs.model.events import ConflictFound, NotesCounted, TargetsResolved
from tobs.model.report import RunReport
from tobs.pipeline.context.run_context import RunContext
from tobs.pipeline.notes.render_notes import conflict_texts, note_locations
from tobs.pipeline.notes.vault_scan import notes_linking_to
from tobs.pipeline.select.archived_chats import stored_account
from tobs.pipeline.session.chat_stages import finish_notes
from tobs.pipeline.session.run_session import RunConfig, open_run
from tobs.vault.decide import plain_text, text_hash
from tobs.vault.merge import BrokenFrontMatter, merge_notes
from tobs.vault.read import read_batch
from tobs.vault.trash import move_to_trash
from tobs.vault.writer import NoteFile, write_batch


class UndoRun(Struct, frozen=True):
    """Restores the notes of a run. Fetched messages stay in the archive; restored notes are up to date until their
    messages change."""

    config: RunConfig

    async def undo(self, run_id: str) -> RunReport:
        """Restore the notes of ``run_id`` (``last``: the newest run that changed notes). Raises UsageError."""
        async with open_run(self.config) as run:
            context = run.context(await run.archive_thread(stored_account, run.archive, self.config.settings.account))
            selected = await run.archive_thread(_selected_run, context, run_id)
            run.config.events.emit(TargetsResolved((selected,)))
            await run.archive_thread(_restore_run, context, selected)
            async with run.writer(context) as writer:
                # Notes that link to removed ones.
                await finish_notes(context, run.archive_thread, writer, [])
        return run.report


def _selected_run(context: RunContext, run_id: str) -> str:
    runs = context.archive.replaced.runs()
    if run_id == "last" and runs:
        return runs[0].id
    if run_id not in {run.id for run in runs}:
        raise UsageError(
            f"Run {run_id} changed no note, or so long ago that its texts are no longer stored.",
            "`tobs undo --list` shows the runs that can be undone.",
        )
    return run_id


def _restore_run(context: RunContext, run_id: str) -> None:
    archive = context.archive
    for texts in archive.replaced.of(run_id):
        _restore_batch(context, texts)
    removed = [row.path for rows in archive.replaced.made_in(run_id) for row in _remove(context, rows)]
    if removed:
        archive.notes.mark_stale(notes_linking_to(archive, removed))


class _Change(Struct, frozen=True):
    """A note to write: the replaced text, the text of the file now, and the new text."""

    replaced: ReplacedText
    text_before: str
    text: str


def _restore_batch(context: RunContext, texts: Sequence[ReplacedText]) -> None:
    archive, events = context.archive, context.events
    bases = archive.notes.bases([item.note.id for item in texts])
    changes = []
    for item, data in zip(texts, read_batch(context.root, [item.note.path for item in texts]), strict=True):
        change = _change(context, item, data, bases.get(item.note.id, ""))
        if change is not None:
            changes.append(change)
    files = write_batch(context.root, [NoteFile(item.replaced.note.path, item.text) for item in changes])
    with archive.transaction():
        archive.replaced.keep(
            events.run_id,
            [
                Replacement(
                    item.replaced.note.id, pack_base(item.text_before), text_hash(item.text), pack_base(item.text)
                )
                for item in changes
            ],
        )
        archive.notes.written(
            [
                WrittenNote(
                    item.replaced.note.id,
                    item.replaced.note.revision,
                    text_hash(item.replaced.was_base),
                    pack_base(item.replaced.was_base),
                    file.size,
                    file.mtime_ns,
                )
                for item, file in zip(changes, files, strict=True)
            ]
        )


def _change(context: RunContext, replaced: ReplacedText, data: bytes | None, base: str) -> _Change | None:
    """Return the change that restores a note; None if nothing is to be written."""
    events, note = context.events, replaced.note
    if data is None:
        if replaced.wrote_hash:
            events.emit(NotesCounted({"deleted": 1}))
            return None
        # The run removed it.
        events.emit(NotesCounted({"created": 1}))
        return _Change(replaced, "", replaced.was)
    text = plain_text(data)
    if text is None or not replaced.wrote_hash:
        events.emit(NotesCounted({"preserved": 1}))
        return None
    if text_hash(text) == replaced.wrote_hash:
        events.emit(NotesCounted({"updated": 1}))
        return _Change(replaced, text, replaced.was)
    wrote = replaced.wrote if replaced.wrote is not None else base
    if text_hash(wrote) != replaced.wrote_hash:
        events.problem("undo", note.path, "a later run changed it too; undo that one first", retryable=False)
        return None
    try:
        merged = merge_notes(
            wrote,
            text,
            replaced.was,
            lambda target: note_locations(context.render_context, target),
            conflict_texts(context.render_context.options.language),
        )
    except BrokenFrontMatter as error:
        events.problem("front matter", note.path, f"its front matter cannot be read: {error}")
        return None
    events.emit(NotesCounted({"conflict" if merged.conflicts else "merged": 1}))
    for new in merged.conflicts:
        events.emit(ConflictFound(note.path, new))
    return _Change(replaced, text, merged.text)


def _remove(context: RunContext, rows: Sequence[NoteRow]) -> list[NoteRow]:
    """Move notes that the run created to the vault's trash, without those that the owner edited; return them."""
    removed = []
    for row, data in zip(rows, read_batch(context.root, [row.path for row in rows]), strict=True):
        if data is None:
            continue
        if text_hash(plain_text(data) or "") != row.text_hash:
            context.events.emit(NotesCounted({"preserved": 1}))
            continue
        move_to_trash(context.root, row.path)
        context.events.emit(NotesCounted({"deleted": 1}))
        removed.append(row)
    context.archive.notes.mark_deleted([row.id for row in removed])
    return removed
