"""Find the stale notes of a run, write them and record the results; mark notes stale whose templates changed."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Protocol

import msgspec

from tobs.archive import NoteRow, WrittenNote
from tobs.model import Chat
from tobs.model.events import ConflictFound, NotesCounted, ProcessorCounted
from tobs.model.outcomes import NoteOutcome
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.pipeline.context.post_render import stopped_with
from tobs.pipeline.context.run_context import ChatFolder, RunContext
from tobs.pipeline.notes.render_notes import NoteResult, render_summary_notes
from tobs.pipeline.notes.vault_scan import follow_displaced_notes
from tobs.render.templates import OF_KIND

#: Notes that show messages: one, or all of a day or month.
MESSAGE_NOTES = ("message", "day", "month")

#: Notes that are not about messages; they are few, and are written after those of messages.
SUMMARIES = ("base", "chat", "topic", "person", "audio", "page")


class NoteRenderer(Protocol):
    """A callable that renders and writes message notes of a chat, here or in other processes.

    ``width`` is the number of batches that it takes at a time.
    """

    width: int

    async def __call__(self, chat: Chat, rows: Sequence[NoteRow]) -> Sequence[NoteResult]: ...

    def expect(self, messages: int) -> None:
        """Announce the number of messages that will get notes."""


class NoteWriter:
    """Writes the stale notes of a run.

    If a template fails on a note, or the owner broke its front matter, the note is reported, left as it is, and stale
    again at the end, so that the next run tries again. ``on_result`` is called with the result of each note.
    """

    def __init__(
        self,
        context: RunContext,
        archive_thread: ArchiveThread,
        renderer: NoteRenderer,
        *,
        on_result: Callable[[NoteResult], None] = lambda _: None,
    ) -> None:
        self._on_result = on_result
        self._context = context
        self._archive_thread = archive_thread
        self._render = renderer
        self._unfinished: list[int] = []
        self._preserved: set[int] = set()

    def expect(self, messages: int) -> None:
        """Prepare for the notes of so many messages."""
        self._render.expect(messages)

    async def write_messages(self, chat_folder: ChatFolder, *, final: bool) -> int:
        """Write a chat's message notes and return the number of stale ones; without ``final`` only notes with settled
        media.

        Results of one batch are committed while others are rendered.
        """
        count = 0
        last: NoteRow | None = None
        running: deque[asyncio.Task[Sequence[NoteResult]]] = deque()
        more = True
        try:
            while more or running:
                while more and len(running) <= self._render.width:
                    rows = await self._archive_thread(self._next, chat_folder, last, final=final)
                    if rows:
                        running.append(asyncio.create_task(self._render_batch(chat_folder.chat, rows)))
                        count, last = count + len(rows), rows[-1]
                    more = bool(rows)
                if running:
                    await self._archive_thread(self._commit_results, await running.popleft())
        finally:
            for task in running:
                task.cancel()
        return count

    async def write_summaries(self) -> int:
        """Write the notes about chats, people and audio files; return the number of stale ones."""
        count = 0
        with stopped_with(self._context.render_context.post_render):
            while written := await self._archive_thread(self._write_summaries):
                count += written
        return count

    async def write_index(self) -> None:
        """Write the list of the vault's chats, if it is stale; after all notes that it counts."""
        with stopped_with(self._context.render_context.post_render):
            await self._archive_thread(self._write_index)

    async def resolve_links(self) -> int:
        """Mark notes stale whose missing link targets now exist, and notes found at the path of another; return their
        number."""
        return await self._archive_thread(self._resolve_links)

    async def close(self) -> None:
        """Mark the notes stale that could not be written, for the next run."""
        await self._archive_thread(self._context.archive.notes.mark_stale, self._unfinished)

    async def _render_batch(self, chat: Chat, rows: Sequence[NoteRow]) -> Sequence[NoteResult]:
        return await self._render(chat, rows)

    # On the archive thread

    def _next(self, chat_folder: ChatFolder, last: NoteRow | None, *, final: bool) -> list[NoteRow]:
        notes, account = self._context.archive.notes, self._context.account
        rows = notes.stale(
            account,
            chat_folder.chat.id,
            kinds=MESSAGE_NOTES,
            after=last,
            limit=self._context.batch,
            ready_only=not final,
        )
        if not any(row.period for row in rows):
            return rows
        return fitting_batch(rows, notes.sizes(row.id for row in rows))

    def _write_summaries(self) -> int:
        context = self._context
        rows = context.archive.notes.stale(context.account, None, kinds=SUMMARIES, limit=context.batch)
        results = render_summary_notes(context.render_context, rows)
        self._commit_results(results)
        return len(rows)

    def _write_index(self) -> None:
        notes, account = self._context.archive.notes, self._context.account
        self._commit_results(
            render_summary_notes(self._context.render_context, notes.stale(account, None, kinds=("index",)))
        )

    def _resolve_links(self) -> int:
        context = self._context
        resolvable = context.archive.links.resolvable()
        context.archive.notes.mark_stale(resolvable)
        preserved = context.archive.notes.rows(self._preserved)
        self._preserved.clear()
        return len(resolvable) + follow_displaced_notes(context.archive, context.root, context.events, preserved)

    def _commit_results(self, results: Sequence[NoteResult]) -> None:
        """Record the results of notes in the archive, in one transaction."""
        archive, events = self._context.archive, self._context.events
        written, settled, outcomes = [], [], Counter[NoteOutcome]()
        for note in results:
            if note.problem:
                subject, reason = note.problem
                events.problem(subject, note.path, reason)
                self._unfinished.append(note.id)
                settled.append((note.id, note.revision))
                continue
            self._report_plugin_calls(note)
            if note.outcome == "deleted":  # or moved, during the run: the next scan of the vault decides
                self._unfinished.append(note.id)
                settled.append((note.id, note.revision))
                continue
            if note.path.endswith(".md"):  # not bases
                outcomes[note.outcome] += 1
            self._on_result(note)
            if note.outcome == "preserved":
                self._preserved.add(note.id)
            for conflict in note.conflicts:
                events.emit(ConflictFound(note.path, conflict))
            if note.base and not self._context.render_context.is_dry_run:
                written.append(WrittenNote(note.id, note.revision, note.text_hash, note.base, note.size, note.mtime_ns))
            else:
                settled.append((note.id, note.revision))
        if outcomes:
            events.emit(NotesCounted(outcomes))
        rendered = [note for note in results if not note.problem]
        run_id = events.run_id
        with archive.transaction():
            archive.replaced.keep(run_id, [note.replaced for note in rendered if note.replaced is not None])
            archive.replaced.made(run_id, [note.id for note in rendered if note.outcome == "created"])
            archive.notes.written(written)
            archive.notes.settle(settled)
            # Also without a written note: a run may have been killed before this.
            archive.notes.mark_index_stale([note.id for note in rendered])
            archive.links.set({note.id: note.links for note in rendered}, {note.id: note.missing for note in rendered})

    def _report_plugin_calls(self, note: NoteResult) -> None:
        """Report the calls of plugins for a note; the note becomes stale again if one failed."""
        events = self._context.events
        for call in note.plugin_calls:
            events.emit(ProcessorCounted(call.plugin, **{call.outcome: 1}))
            if call.outcome == "failed":
                events.problem(f"plugin {call.plugin}", note.path, call.reason)
            elif call.outcome == "skipped":
                events.problem("plugin", call.plugin, f"off for the rest of the run: {call.reason}")
        if any(call.outcome != "done" for call in note.plugin_calls):
            self._unfinished.append(note.id)


def fitting_batch(rows: Sequence[NoteRow], sizes: Mapping[int, int]) -> list[NoteRow]:
    """Return the first ``rows`` that together have few enough messages for one batch (at least one row)."""
    sums = list(accumulate(sizes.get(row.id, 0) for row in rows))
    return [row for row, count in zip(rows, sums, strict=True) if count <= max(_MOST_MESSAGES, sums[0])]


#: Messages that are read and rendered together if notes have many.
_MOST_MESSAGES = 2_000


_TEMPLATES_KEY = "templates"


def mark_changed_templates(context: RunContext) -> list[str]:
    """Mark the notes stale that changed templates or post-render plugins made; return their kinds.

    The new digests are stored in the archive.
    """
    archive, templates, post_render = (
        context.archive,
        context.render_context.templates,
        context.render_context.post_render,
    )
    after = f"; {post_render.digest}" if post_render is not None else ""
    digests = {kind: templates.digest(*names) + after for kind, names in OF_KIND.items()}
    stored = archive.meta.get(_TEMPLATES_KEY)
    before = msgspec.json.decode(stored, type=dict[str, str]) if stored else {}
    changed = [kind for kind, digest in digests.items() if before.get(kind, digest) != digest]
    if before != digests:
        with archive.transaction():
            if changed:
                archive.notes.mark_all_stale(changed)
            archive.meta.set(_TEMPLATES_KEY, msgspec.json.encode(digests).decode())
    return changed
