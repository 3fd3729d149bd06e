"""Pressing: stale notes become text, the text is held against what is on disk, and written in a batch.

The archive is only read here; what became of each note is answered, for the keeper to take down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from tobs.archive import NoteLink, NoteRow, StoredMessage, pack_base
from tobs.errors import TemplateBroken
from tobs.model import Chat
from tobs.pipeline.desk import Studio
from tobs.pipeline.lookups import Lookups
from tobs.pipeline.summaries import summary_text
from tobs.render.frontmatter import managed_hash
from tobs.render.notes import render_message
from tobs.vault.decide import Known, Outcome, decide, text_hash
from tobs.vault.read import read_batch
from tobs.vault.writer import NoteFile, write_batch


class Pressed(Struct, frozen=True):
    """What became of a note. ``base`` is its text as the archive keeps it, ``links`` and ``missing`` what it asked for;
    ``problem`` is set where its template failed on it (nothing was written then)."""

    id: int
    path: str
    revision: int
    outcome: Outcome = "preserved"
    text_hash: str = ""
    base: bytes = b""
    size: int = 0
    mtime_ns: int = 0
    links: tuple[NoteLink, ...] = ()
    missing: tuple[str, ...] = ()
    problem: str = ""


class _Draft(Struct, frozen=True):
    """A note as it should be, and what it asked for."""

    row: NoteRow
    text: str
    links: tuple[NoteLink, ...]
    missing: tuple[str, ...]


def press_messages(studio: Studio, chat: Chat, rows: Sequence[NoteRow]) -> list[Pressed]:
    """Bring the message notes ``rows`` of ``chat`` up to date. Raises VaultError."""
    stored = studio.archive.notes.stored([row.id for row in rows])
    lookups = Lookups(studio, (one for messages in stored.values() for one in messages))
    return _press(studio, rows, lambda row: _message_text(studio, chat, stored[row.id], lookups), lookups)


def press_summaries(studio: Studio, rows: Sequence[NoteRow]) -> list[Pressed]:
    """Bring the notes ``rows`` about chats, people and audio files up to date. Raises VaultError."""
    lookups = Lookups(studio, ())
    return _press(studio, rows, lambda row: summary_text(studio, row, lookups.links), lookups)


def _message_text(studio: Studio, chat: Chat, stored: Sequence[StoredMessage], lookups: Lookups) -> str:
    messages = [one.message for one in stored]
    return render_message(messages, chat, lookups.links, studio.options, studio.templates).text


def _press(
    studio: Studio, rows: Sequence[NoteRow], render: Callable[[NoteRow], str], lookups: Lookups
) -> list[Pressed]:
    drafts, pressed = [], []
    for row in rows:
        lookups.begin()
        try:
            drafts.append(_Draft(row, render(row), *lookups.met()))
        except TemplateBroken as error:
            pressed.append(Pressed(row.id, row.path, row.revision, problem=str(error)))
    found = read_batch(studio.root, [draft.row.path for draft in drafts])
    decisions = [
        decide(Known(draft.row.tobs_id, draft.row.state, draft.row.text_hash), now, draft.text, managed_hash)
        for draft, now in zip(drafts, found, strict=True)
    ]
    texts = [NoteFile(d.row.path, one.text) for d, one in zip(drafts, decisions, strict=True) if one.text is not None]
    files = {file.path: file for file in write_batch(studio.root, texts)}
    for draft, decision in zip(drafts, decisions, strict=True):
        row, file = draft.row, files.get(draft.row.path)
        in_place = decision.outcome in ("created", "updated", "unchanged")
        pressed.append(
            Pressed(
                id=row.id,
                path=row.path,
                revision=row.revision,
                outcome=decision.outcome,
                text_hash=text_hash(draft.text) if in_place else "",
                base=pack_base(draft.text) if in_place else b"",
                size=file.size if file else row.size,
                mtime_ns=file.mtime_ns if file else row.mtime_ns,
                links=draft.links,
                missing=draft.missing,
            )
        )
    return pressed
