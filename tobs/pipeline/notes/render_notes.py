"""Render stale notes, compare them with the files of the vault, and write them in one batch.

The archive is only read here; the archive thread commits the results.
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
from tobs.vault.writer import NoteFile, WrittenFile, write_batch


class NoteResult(Struct, frozen=True):
    """The result of a note.

    ``base`` is the packed text for later merges (empty: unchanged), ``links`` and ``missing`` the requests of the
    note, ``conflicts`` the texts of tobs that the owner's text contradicts, ``replaced`` the content before (None:
    there was none, or nothing was written). ``problem`` (subject, reason) is set if the note could not be written.
    ``change`` is the text before and after in a dry run; ``plugin_calls`` the calls of post-render plugins.
    """

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
    plugin_calls: tuple[PluginCall, ...] = ()


class _Draft(Struct, frozen=True):
    """A rendered note with its requests."""

    row: NoteRow
    text: str
    links: tuple[NoteLink, ...]
    missing: tuple[str, ...]
    plugin_calls: tuple[PluginCall, ...] = ()


def render_message_notes(render_context: RenderContext, chat: Chat, rows: Sequence[NoteRow]) -> list[NoteResult]:
    """Render and write the message notes ``rows`` of ``chat``. Raises VaultError."""
    stored = render_context.archive.notes.stored([row.id for row in rows])
    lookups = Lookups(render_context, (item for messages in stored.values() for item in messages))

    def about(draft: _Draft) -> RenderedNote:
        messages = tuple([item.message for item in stored[draft.row.id]])
        return RenderedNote(
            draft.row.path, draft.row.kind, body_of(draft.text), render_context.root, chat.title, messages
        )

    return _render(
        render_context, rows, lambda row: _text(render_context, row, chat, stored[row.id], lookups), about, lookups
    )


def render_summary_notes(render_context: RenderContext, rows: Sequence[NoteRow]) -> list[NoteResult]:
    """Render and write the notes ``rows`` about chats, people and audio files. Raises VaultError."""
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
    messages = [item.message for item in stored]
    return render_message(messages, chat, lookups.links, render_context.options, render_context.templates).text


def _period_text(
    render_context: RenderContext, row: NoteRow, chat: Chat, stored: Sequence[StoredMessage], lookups: Lookups
) -> str:
    """Render the note of a day or month; messages of the group that the chat grew from come first."""
    units: dict[tuple[bool, int], list[Message]] = {}
    for item in stored:
        units.setdefault((item.message.chat_id == chat.id, item.block), []).append(item.message)
    group = render_context.archive.chats.get(render_context.account, chat.migrated_from) if chat.migrated_from else None
    note = PeriodNote(row.tobs_id, row.period, chat, [units[key] for key in sorted(units)], group)
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
            drafts.append(_Draft(row, render(row), *lookups.requested()))
        except TemplateBroken as error:
            results.append(NoteResult(row.id, row.path, row.revision, problem=("TemplateBroken", str(error))))
    if render_context.post_render is not None:
        drafts = _post_rendered(render_context, drafts, render_context.post_render, about)
    seen = read_batch_with_mtimes(render_context.root, [draft.row.path for draft in drafts])
    contents = [file and file[0] for file in seen]
    decisions = [
        decide(
            KnownNote(draft.row.tobs_id, draft.row.state, draft.row.text_hash),
            old,
            draft.text,
            managed_hash,
            merge_input(render_context, draft.row),
        )
        for draft, old in zip(drafts, contents, strict=True)
    ]
    texts = [
        NoteFile(draft.row.path, decision.text, file[1] if file else 0)
        for draft, decision, file in zip(drafts, decisions, seen, strict=True)
        if decision.text is not None
    ]
    files = {} if render_context.is_dry_run else {file.path: file for file in write_batch(render_context.root, texts)}
    results += [
        _result(draft, decision, old, files.get(draft.row.path), is_dry_run=render_context.is_dry_run)
        for draft, decision, old in zip(drafts, decisions, contents, strict=True)
    ]
    return results


def _result(
    draft: _Draft, decision: Decision, old: bytes | None, file: WrittenFile | None, *, is_dry_run: bool
) -> NoteResult:
    """The result of a note: ``old`` is its content before (None: no file), ``file`` the file that was written."""
    row = draft.row
    if decision.text is not None and file is None and not is_dry_run:
        return NoteResult(row.id, row.path, row.revision, problem=_BUSY)
    return NoteResult(
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
        replaced=_replacement(draft, decision, old),
        problem=(_UNREADABLE, decision.problem) if decision.problem else None,
        change=(_text_of(old), decision.text) if is_dry_run and decision.text is not None else None,
        plugin_calls=draft.plugin_calls,
    )


def _post_rendered(
    render_context: RenderContext,
    drafts: Sequence[_Draft],
    post_render: PostRender,
    about: Callable[[_Draft], RenderedNote],
) -> list[_Draft]:
    """Apply the post-render plugins; the front matter names the plugins that failed."""
    notes = [about(draft) for draft in drafts if draft.row.path.endswith(".md")]  # not bases
    done = {note.path: (note, result) for note, result in zip(notes, post_render(notes), strict=True)}
    return [
        _with_post_render(render_context, draft, *done[draft.row.path]) if draft.row.path in done else draft
        for draft in drafts
    ]


def _with_post_render(render_context: RenderContext, draft: _Draft, note: RenderedNote, done: PostRendered) -> _Draft:
    text = draft.text
    if done.failed or done.body != note.body:
        text = with_body(text, done.body, failed=done.failed, prefix=render_context.options.property_prefix)
    return replace(draft, text=text, plugin_calls=done.calls)


def _text_of(content: bytes | None) -> str:
    return "" if content is None else plain_text(content) or ""


def _replacement(draft: _Draft, decision: Decision, content: bytes | None) -> Replacement | None:
    """Return the text that was written over, as it is stored for an undo."""
    if content is None or decision.text is None:
        return None
    text, wrote_hash = plain_text(content) or "", text_hash(decision.text)
    base = b"" if text_hash(text) == draft.row.text_hash else pack_base(text)
    return Replacement(draft.row.id, base, wrote_hash, b"" if decision.text == draft.text else pack_base(decision.text))


#: The problem of a note that its owner saved after it was read and before it was written.
_BUSY = ("busy", "it was changed while it was being written; run it again")

#: The subject of problems of notes with broken front matter.
_UNREADABLE = "front matter"


def merge_input(render_context: RenderContext, row: NoteRow) -> MergeInput:
    """Return the input for a merge of the note ``row``; the archive is read only if there is a merge."""

    def base(tobs_hash: str) -> str | None:
        text = render_context.archive.notes.bases([row.id]).get(row.id)
        if text is None or tobs_hash in ("", read_properties(text).tobs_hash):
            return text
        # In a vault restored from a copy, the note may have an older text.
        earlier = render_context.archive.replaced.bases_of(row.id)
        return next((base for base in earlier if read_properties(base).tobs_hash == tobs_hash), None)

    return MergeInput(base, partial(note_locations, render_context), conflict_texts(render_context.options.language))


def note_locations(render_context: RenderContext, target: str) -> str | None:
    """Return the current path of the note or file that a link names (both without `.md`)."""
    path = render_context.archive.paths.current(f"{target}.md") or render_context.archive.paths.current(target)
    return path and path.removesuffix(".md")


@cache
def conflict_texts(language: str) -> ConflictWords:
    """Return the texts about a conflict in a note, in the language of the vault."""
    texts = catalogue(language)
    return ConflictWords(texts("conflict.lines"), texts("conflict.properties"))
