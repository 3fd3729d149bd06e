"""Pressing: stale notes become text, the text is held against what is on disk, and written in a batch.

The archive is only read here; what became of each note is answered, for the keeper to take down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

from msgspec import Struct
from msgspec.structs import replace

from tobs.archive import NoteLink, NoteRow, Replacement, StoredMessage, pack_base
from tobs.errors import TemplateBroken
from tobs.model import Chat, Message
from tobs.model.outcomes import NoteOutcome
from tobs.pipeline.context.post_render import PluginCall, PostRender, PostRendered
from tobs.pipeline.context.run_context import RenderContext
from tobs.pipeline.notes.lookups import Lookups
from tobs.pipeline.notes.summaries import summary_text
from tobs.plugin.api import RenderedNote
from tobs.render.catalogue import catalogue
from tobs.render.frontmatter import body_of, managed_hash, with_body
from tobs.render.notes import render_message
from tobs.render.period import PeriodNote, render_period
from tobs.vault.decide import Decision, KnownNote, MergeInput, decide, plain_text, read_properties, text_hash
from tobs.vault.merge import ConflictWords
from tobs.vault.read import read_batch_with_mtimes
from tobs.vault.writer import NoteFile, write_batch


class NoteResult(Struct, frozen=True):
    """What became of a note. ``base`` is the text the archive keeps of it (none: as before), ``links`` and ``missing``
    what it asked for, ``conflicts`` what of ours the owner's words stand against, ``replaced`` what it held before
    (None: it was not there, or nothing was written); ``problem`` is set where it could not be brought up to date (what,
    and why; nothing was written then). ``change`` is, in a rehearsal, the text that is there and the one that would
    be; ``asked`` are the plugins that had the last word."""

    id: int
    path: str
    revision: int
    outcome: NoteOutcome = "preserved"
    text_hash: str = ""
    base: bytes = b""
    size: int = 0
    mtime_ns: int = 0
    links: tuple[NoteLink, ...] = ()
    missing: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    replaced: Replacement | None = None
    problem: tuple[str, str] | None = None
    change: tuple[str, str] | None = None
    asked: tuple[PluginCall, ...] = ()


class _Draft(Struct, frozen=True):
    """A note as it should be, and what it asked for."""

    row: NoteRow
    text: str
    links: tuple[NoteLink, ...]
    missing: tuple[str, ...]
    asked: tuple[PluginCall, ...] = ()


def render_message_notes(render_context: RenderContext, chat: Chat, rows: Sequence[NoteRow]) -> list[NoteResult]:
    """Bring the message notes ``rows`` of ``chat`` up to date. Raises VaultError."""
    stored = render_context.archive.notes.stored([row.id for row in rows])
    lookups = Lookups(render_context, (one for messages in stored.values() for one in messages))

    def about(draft: _Draft) -> RenderedNote:
        messages = tuple([one.message for one in stored[draft.row.id]])
        return RenderedNote(
            draft.row.path, draft.row.kind, body_of(draft.text), render_context.root, chat.title, messages
        )

    return _render(
        render_context, rows, lambda row: _text(render_context, row, chat, stored[row.id], lookups), about, lookups
    )


def render_summary_notes(render_context: RenderContext, rows: Sequence[NoteRow]) -> list[NoteResult]:
    """Bring the notes ``rows`` about chats, people and audio files up to date. Raises VaultError."""
    lookups = Lookups(render_context, ())

    def about(draft: _Draft) -> RenderedNote:
        return RenderedNote(draft.row.path, draft.row.kind, body_of(draft.text), render_context.root)

    return _render(render_context, rows, lambda row: summary_text(render_context, row, lookups.links), about, lookups)


def _text(
    render_context: RenderContext, row: NoteRow, chat: Chat, stored: Sequence[StoredMessage], lookups: Lookups
) -> str:
    if row.period:
        return _period_text(render_context, row, chat, stored, lookups)
    return _message_text(render_context, chat, stored, lookups)


def _message_text(render_context: RenderContext, chat: Chat, stored: Sequence[StoredMessage], lookups: Lookups) -> str:
    messages = [one.message for one in stored]
    return render_message(messages, chat, lookups.links, render_context.options, render_context.templates).text


def _period_text(
    render_context: RenderContext, row: NoteRow, chat: Chat, stored: Sequence[StoredMessage], lookups: Lookups
) -> str:
    """The note of a day or month: what is of the group that the chat grew from comes first."""
    units: dict[tuple[bool, int], list[Message]] = {}
    for one in stored:
        units.setdefault((one.message.chat_id == chat.id, one.block), []).append(one.message)
    before = (
        render_context.archive.chats.get(render_context.account, chat.migrated_from) if chat.migrated_from else None
    )
    note = PeriodNote(row.tobs_id, row.period, chat, [units[key] for key in sorted(units)], before)
    return render_period(note, lookups.links, render_context.options, render_context.templates).text


def _render(
    render_context: RenderContext,
    rows: Sequence[NoteRow],
    render: Callable[[NoteRow], str],
    about: Callable[[_Draft], RenderedNote],
    lookups: Lookups,
) -> list[NoteResult]:
    drafts, results = [], []
    for row in rows:
        lookups.begin()
        try:
            drafts.append(_Draft(row, render(row), *lookups.met()))
        except TemplateBroken as error:
            results.append(NoteResult(row.id, row.path, row.revision, problem=("TemplateBroken", str(error))))
    if render_context.post_render is not None:
        drafts = _post_rendered(render_context, drafts, render_context.post_render, about)
    seen = read_batch_with_mtimes(render_context.root, [draft.row.path for draft in drafts])
    found = [one and one[0] for one in seen]
    decisions = [
        decide(
            KnownNote(draft.row.tobs_id, draft.row.state, draft.row.text_hash),
            now,
            draft.text,
            managed_hash,
            merging(render_context, draft.row),
        )
        for draft, now in zip(drafts, found, strict=True)
    ]
    texts = [
        NoteFile(draft.row.path, decision.text, there[1] if there else 0)
        for draft, decision, there in zip(drafts, decisions, seen, strict=True)
        if decision.text is not None
    ]
    files = {} if render_context.is_dry_run else {file.path: file for file in write_batch(render_context.root, texts)}
    for draft, decision, now in zip(drafts, decisions, found, strict=True):
        row, file = draft.row, files.get(draft.row.path)
        if decision.text is not None and file is None and not render_context.is_dry_run:
            results.append(NoteResult(row.id, row.path, row.revision, problem=_BUSY))
            continue
        results.append(
            NoteResult(
                id=row.id,
                path=row.path,
                revision=row.revision,
                outcome=decision.outcome,
                text_hash=text_hash(draft.text) if decision.is_base else "",
                base=pack_base(draft.text) if decision.is_base else b"",
                size=file.size if file else row.size,
                mtime_ns=file.mtime_ns if file else row.mtime_ns,
                links=draft.links,
                missing=draft.missing,
                conflicts=decision.conflicts,
                replaced=_replacement(draft, decision, now),
                problem=(_UNREADABLE, decision.problem) if decision.problem else None,
                change=(_shown(now), decision.text)
                if render_context.is_dry_run and decision.text is not None
                else None,
                asked=draft.asked,
            )
        )
    return results


def _post_rendered(
    render_context: RenderContext,
    drafts: Sequence[_Draft],
    post_render: PostRender,
    about: Callable[[_Draft], RenderedNote],
) -> list[_Draft]:
    """The drafts as plugins want them; who did not do their work on one is named in its front matter."""
    notes = [about(draft) for draft in drafts if draft.row.path.endswith(".md")]  # a base is no note
    done = {note.path: (note, one) for note, one in zip(notes, post_render(notes), strict=True)}
    return [
        _with_post_render(render_context, draft, *done[draft.row.path]) if draft.row.path in done else draft
        for draft in drafts
    ]


def _with_post_render(render_context: RenderContext, draft: _Draft, note: RenderedNote, done: PostRendered) -> _Draft:
    text = draft.text
    if done.failed or done.body != note.body:
        text = with_body(text, done.body, failed=done.failed, prefix=render_context.options.property_prefix)
    return replace(draft, text=text, asked=done.calls)


def _shown(found: bytes | None) -> str:
    return "" if found is None else plain_text(found) or ""


def _replacement(draft: _Draft, decision: Decision, found: bytes | None) -> Replacement | None:
    """What was written over, as it is kept for an undo."""
    if found is None or decision.text is None:
        return None
    text, wrote_hash = plain_text(found) or "", text_hash(decision.text)
    was = b"" if text_hash(text) == draft.row.text_hash else pack_base(text)
    return Replacement(draft.row.id, was, wrote_hash, b"" if decision.text == draft.text else pack_base(decision.text))


#: What is told of a note that its owner saved between the moment it was read and that it would have been written.
_BUSY = ("busy", "it was changed while it was being written; run it again")

#: What the report calls a note whose front matter the owner broke.
_UNREADABLE = "front matter"


def merging(render_context: RenderContext, row: NoteRow) -> MergeInput:
    """What merging the note ``row`` needs; the archive is asked only if it comes to that."""

    def base(tobs_hash: str) -> str | None:
        text = render_context.archive.notes.bases([row.id]).get(row.id)
        if text is None or tobs_hash in ("", read_properties(text).tobs_hash):
            return text
        # A vault put back from a copy: the note may come from a text that was written over since.
        earlier = render_context.archive.replaced.bases_of(row.id)
        return next((one for one in earlier if read_properties(one).tobs_hash == tobs_hash), None)

    return MergeInput(base, partial(note_locations, render_context), conflict_words(render_context.options.language))


def note_locations(render_context: RenderContext, target: str) -> str | None:
    """Where the note or file is now that a link names (both without `.md`)."""
    path = render_context.archive.paths.current(f"{target}.md") or render_context.archive.paths.current(target)
    return path and path.removesuffix(".md")


@cache
def conflict_words(language: str) -> ConflictWords:
    """What a note says about a conflict, in the language of the vault."""
    words = catalogue(language)
    return ConflictWords(words("conflict.lines"), words("conflict.properties"))
