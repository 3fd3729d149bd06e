"""Rendering and writing: stale notes become text, the text is held against what is on disk, and written in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from tobs.archive import NoteLink, NoteRow, StoredMessage, WrittenNote
from tobs.errors import TemplateBroken
from tobs.pipeline.desk import ChatPlace, Desk
from tobs.pipeline.lookups import Lookups
from tobs.pipeline.summaries import summary_text
from tobs.render.frontmatter import managed_hash
from tobs.render.notes import render_message
from tobs.vault.decide import Decision, Known, decide, text_hash
from tobs.vault.read import read_batch
from tobs.vault.writer import NoteFile, WrittenFile, write_batch

#: Notes about something else than a message; there are few, and they come when the messages are done.
SUMMARIES = ("chat", "person", "audio")


class _Draft(Struct, frozen=True):
    """A note as it should be, and what it asked for."""

    row: NoteRow
    text: str
    links: Sequence[NoteLink]
    missing: Sequence[str]


class NoteWriter:
    """Writes the stale notes of a run. A note whose template fails on it is told, left as it is, and stale again
    at the end, so that the next run tries it with a better template."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._left: list[int] = []

    def write_messages(self, place: ChatPlace, *, final: bool) -> int:
        """Write the next batch of a chat's message notes; without ``final`` only those whose media are settled.

        The number of notes looked at; 0 when there are none.
        """
        desk, notes = self._desk, self._desk.archive.notes
        rows = notes.stale(desk.account, place.chat.id, kinds=("message",), limit=desk.batch, ready_only=not final)
        if rows:
            stored = notes.stored([row.id for row in rows])
            lookups = Lookups(desk, (one for messages in stored.values() for one in messages))
            self._bring(rows, lambda row: _message_text(desk, place, stored[row.id], lookups), lookups)
        return len(rows)

    def write_summaries(self) -> int:
        """Write the next batch of notes about chats, people and audio files; 0 when there are none."""
        desk = self._desk
        rows = desk.archive.notes.stale(desk.account, None, kinds=SUMMARIES, limit=desk.batch)
        if rows:
            lookups = Lookups(desk, ())
            self._bring(rows, lambda row: summary_text(desk, row, lookups.links), lookups)
        return len(rows)

    def heal(self) -> int:
        """Mark stale the notes whose missing link targets are in the vault now; how many there are."""
        found = self._desk.archive.links.healable()
        self._desk.archive.notes.mark_stale(found)
        return len(found)

    def close(self) -> None:
        """Leave what could not be rendered to the next run."""
        self._desk.archive.notes.mark_stale(self._left)

    def _bring(self, rows: Sequence[NoteRow], render: Callable[[NoteRow], str], lookups: Lookups) -> None:
        """Render ``rows``, write what is to be written, and take down what became of each."""
        desk, archive = self._desk, self._desk.archive
        drafts: list[_Draft] = []
        settled: list[NoteRow] = []
        for row in rows:
            lookups.begin()
            try:
                drafts.append(_Draft(row, render(row), *lookups.met()))
            except TemplateBroken as error:
                desk.reporter.failed(error, row.path)
                self._left.append(row.id)
                settled.append(row)
        decisions = _decide(desk, drafts)
        texts = [
            NoteFile(d.row.path, one.text) for d, one in zip(drafts, decisions, strict=True) if one.text is not None
        ]
        files = {file.path: file for file in write_batch(desk.root, texts)}
        in_place, gone = [], []
        for draft, decision in zip(drafts, decisions, strict=True):
            match decision.outcome:
                case "created" | "updated" | "unchanged":
                    in_place.append(_written(draft, files.get(draft.row.path)))
                case "deleted":
                    gone.append(draft.row.id)
                case "preserved":
                    settled.append(draft.row)
            desk.reporter.count_note(decision.outcome)
        with archive.transaction():
            archive.notes.written(in_place)
            archive.notes.settle(settled)
            archive.notes.mark_deleted(gone)
            archive.links.set(
                {draft.row.id: draft.links for draft in drafts}, {draft.row.id: draft.missing for draft in drafts}
            )


def _message_text(desk: Desk, place: ChatPlace, stored: Sequence[StoredMessage], lookups: Lookups) -> str:
    messages = [one.message for one in stored]
    return render_message(messages, place.chat, lookups.links, desk.options, desk.templates).text


def _decide(desk: Desk, drafts: Sequence[_Draft]) -> list[Decision]:
    """Hold each draft against its file."""
    found = read_batch(desk.root, [draft.row.path for draft in drafts])
    return [
        decide(Known(draft.row.tobs_id, draft.row.state, draft.row.text_hash), now, draft.text, managed_hash)
        for draft, now in zip(drafts, found, strict=True)
    ]


def _written(draft: _Draft, file: WrittenFile | None) -> WrittenNote:
    row = draft.row
    size, mtime_ns = (file.size, file.mtime_ns) if file else (row.size, row.mtime_ns)
    return WrittenNote(row.id, row.revision, text_hash(draft.text), draft.text, size, mtime_ns)
