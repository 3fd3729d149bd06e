"""``tobs undo``: the notes a run changed are put back, around what their owner wrote since."""

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
    """Takes back what a run did to notes. What it fetched stays in the archive; the notes it put back are up to date
    until their messages change again."""

    config: RunConfig

    async def undo(self, run_id: str) -> RunReport:
        """Put back the notes of ``run_id`` (``last``: the newest run that changed any). Raises UsageError."""
        async with open_run(self.config) as run:
            context = run.context(await run.archive_thread(stored_account, run.archive, self.config.settings.account))
            chosen = await run.archive_thread(_chosen, context, run_id)
            run.config.events.emit(TargetsResolved((chosen,)))
            await run.archive_thread(_put_back, context, chosen)
            async with run.writer(context) as writer:
                # What links to a note that is gone now.
                await finish_notes(context, run.archive_thread, writer, [])
        return run.report


def _chosen(context: RunContext, run_id: str) -> str:
    runs = context.archive.replaced.runs()
    if run_id == "last" and runs:
        return runs[0].id
    if run_id not in {run.id for run in runs}:
        raise UsageError(
            f"Run {run_id} changed no note, or so long ago that its texts are not kept any more.",
            "`tobs undo --list` tells which can be undone.",
        )
    return run_id


def _put_back(context: RunContext, run_id: str) -> None:
    archive = context.archive
    for texts in archive.replaced.of(run_id):
        _put_back_batch(context, texts)
    gone = [row.path for rows in archive.replaced.made_in(run_id) for row in _remove(context, rows)]
    if gone:
        archive.notes.mark_stale(notes_linking_to(archive, gone))


class _Change(Struct, frozen=True):
    """A note to be written: what it held, what it will hold, and what that is measured from later."""

    replaced: ReplacedText
    found: str
    text: str


def _put_back_batch(context: RunContext, texts: Sequence[ReplacedText]) -> None:
    archive, events = context.archive, context.events
    bases = archive.notes.bases([one.note.id for one in texts])
    changes = []
    for one, data in zip(texts, read_batch(context.root, [one.note.path for one in texts]), strict=True):
        change = _change(context, one, data, bases.get(one.note.id, ""))
        if change is not None:
            changes.append(change)
    files = write_batch(context.root, [NoteFile(one.replaced.note.path, one.text) for one in changes])
    with archive.transaction():
        archive.replaced.keep(
            events.run_id,
            [
                Replacement(one.replaced.note.id, pack_base(one.found), text_hash(one.text), pack_base(one.text))
                for one in changes
            ],
        )
        archive.notes.written(
            [
                WrittenNote(
                    one.replaced.note.id,
                    one.replaced.note.revision,
                    text_hash(one.replaced.was_base),
                    pack_base(one.replaced.was_base),
                    file.size,
                    file.mtime_ns,
                )
                for one, file in zip(changes, files, strict=True)
            ]
        )


def _change(context: RunContext, one: ReplacedText, data: bytes | None, base: str) -> _Change | None:
    """What a note that was changed should hold again; None where nothing is to be written."""
    events, note = context.events, one.note
    if data is None:
        if one.wrote_hash:
            events.emit(NotesCounted({"deleted": 1}))
            return None
        # The run removed it.
        events.emit(NotesCounted({"created": 1}))
        return _Change(one, "", one.was)
    found = plain_text(data)
    if found is None or not one.wrote_hash:
        events.emit(NotesCounted({"preserved": 1}))
        return None
    if text_hash(found) == one.wrote_hash:
        events.emit(NotesCounted({"updated": 1}))
        return _Change(one, found, one.was)
    wrote = one.wrote if one.wrote is not None else base
    if text_hash(wrote) != one.wrote_hash:
        events.problem("undo", note.path, "a later run changed it too; undo that one first", retryable=False)
        return None
    try:
        merged = merge_notes(
            wrote,
            found,
            one.was,
            lambda target: note_locations(context.render_context, target),
            conflict_texts(context.render_context.options.language),
        )
    except BrokenFrontMatter as error:
        events.problem("front matter", note.path, f"its front matter cannot be read: {error}")
        return None
    events.emit(NotesCounted({"conflict" if merged.conflicts else "merged": 1}))
    for new in merged.conflicts:
        events.emit(ConflictFound(note.path, new))
    return _Change(one, found, merged.text)


def _remove(context: RunContext, rows: Sequence[NoteRow]) -> list[NoteRow]:
    """Notes that the run made, moved to the vault's trash; those their owner wrote into stay."""
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
