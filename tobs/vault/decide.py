"""Decision about a note: written, left alone, or recorded as deleted. Pure: the file's bytes in, a decision out.

The owner's words win (invariant 3): tobs writes over a file only if it can tell that it wrote every word of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

from tobs.model import NoteState
from tobs.model.outcomes import NoteOutcome
from tobs.vault.merge import BrokenFrontMatter, ConflictWords, NoteLocations, merge_notes

#: `created`: was not there; `updated`: ours, and out of date; `unchanged`: says it already, not touched; `merged`: the
#: owner's words are in it, and what is new beside them; `conflict`: the same where both changed one place: the owner's
#: lines stay, ours are told; `preserved`: the owner's, left as it is; `deleted`: the owner removed it, it stays away.


class Decision(NamedTuple):
    """An outcome, and the text to write (None: write nothing).

    ``is_base``: the file has all of ``new``, or names it in a conflict: the next merge starts from there. ``conflicts``
    are the first words of what was not merged; ``problem`` says why the note was not updated.
    """

    outcome: NoteOutcome
    text: str | None = None
    is_base: bool = True
    conflicts: tuple[str, ...] = ()
    problem: str = ""


class KnownNote(NamedTuple):
    """A note as the archive has it. ``text_hash`` is ``text_hash`` of the text last written, or empty."""

    tobs_id: str
    state: NoteState
    text_hash: str = ""


class MergeInput(NamedTuple):
    """Input of a merge: ``base`` returns the text that was written with a `tobs_hash` (empty: the last one; None if it
    is not stored), ``note_locations`` the present place of a link's target, ``words`` the headings of conflicts."""

    base: Callable[[str], str | None]
    note_locations: NoteLocations
    words: ConflictWords = ConflictWords()


def decide(
    known: KnownNote, found: bytes | None, new: str, managed_hash: Callable[[str], str], merging: MergeInput
) -> Decision:
    """Decide about a note whose file has ``found`` (None: there is none) and should have ``new``.

    ``managed_hash`` computes the `tobs_hash` of a note's text (the render room knows how).
    """
    if found is None:
        # A planned note was never seen in place: the run before this one was stopped.
        return Decision("created", new) if known.state == "planned" else Decision("deleted", is_base=False)
    text = plain_text(found)
    if text is None:
        return Decision("preserved", is_base=False)
    if text == new:
        return Decision("unchanged")
    if _is_as_written(known, text) or _is_untouched(known, text, managed_hash):
        return Decision("updated", new)
    return _merged(known, text, new, managed_hash, merging)


def _merged(known: KnownNote, text: str, new: str, managed_hash: Callable[[str], str], merging: MergeInput) -> Decision:
    """Merge a note with words of its owner: new content goes between them."""
    marks = read_properties(text)
    if marks.tobs_id and marks.tobs_id != known.tobs_id and not _had_tobs_id(marks.tobs_id, merging):
        return Decision("preserved", is_base=False)
    if marks.tobs_hash and marks.tobs_hash == read_properties(new).tobs_hash:
        # This very text was merged into it; the run that did it was stopped, or its archive is lost.
        return Decision("preserved")
    base = merging.base(marks.tobs_hash)
    if base is None:
        # The owner's from here on; what comes later is merged into it.
        return Decision("preserved", is_base=marks.tobs_id == known.tobs_id)
    if not text.startswith("---") and not marks.tobs_id:
        # Another file at the note's place, or the owner took all properties out of it: it is theirs.
        return Decision("preserved", is_base=False)
    try:
        merged = merge_notes(base, text, new, merging.note_locations, merging.words)
    except BrokenFrontMatter as error:
        return Decision("preserved", is_base=False, problem=f"its front matter cannot be read: {error}")
    if not merged.news and managed_hash(merged.text) == managed_hash(text):
        # Only links moved, and Obsidian wrote them anew already: no reason to touch the file.
        return Decision("preserved" if merged.changed else "unchanged", is_base=False)
    to_write = None if merged.text == text else merged.text
    if merged.conflicts:
        return Decision("conflict", to_write, conflicts=merged.conflicts)
    if to_write is None:
        # What is new stands there already.
        return Decision("preserved" if merged.changed else "unchanged")
    return Decision("merged" if merged.changed else "updated", to_write)


def _had_tobs_id(tobs_id: str, merging: MergeInput) -> bool:
    """Tell if the note had this `tobs_id` when it was last written: that of a basic group that became a supergroup."""
    base = merging.base("")
    return base is not None and read_properties(base).tobs_id == tobs_id


def is_written_by_tobs(known: KnownNote, found: bytes, managed_hash: Callable[[str], str]) -> bool:
    """Tell if every word of a note's file was written by tobs."""
    text = plain_text(found)
    return text is not None and (_is_as_written(known, text) or _is_untouched(known, text, managed_hash))


def text_hash(text: str) -> str:
    """Return the digest that identifies a note's text: SHA-256, the first 32 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def plain_text(data: bytes) -> str | None:
    """Decode a note without changes that editors and sync tools make: a byte order mark, CRLF line ends.

    Returns None if it is not UTF-8: tobs never wrote that.
    """
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None


def _is_as_written(known: KnownNote, text: str) -> bool:
    """Tell if the file has exactly the text last written. A planned note has no such text."""
    return known.state != "planned" and known.text_hash == text_hash(text)


def _is_untouched(known: KnownNote, text: str, managed_hash: Callable[[str], str]) -> bool:
    """Tell if the file's properties say that it is this note and that nobody changed it. They identify a note without a
    base (a lost archive, a second computer, a run that was stopped before its commit)."""
    marks = read_properties(text)
    return marks.tobs_id == known.tobs_id and marks.tobs_hash != "" and marks.tobs_hash == managed_hash(text)


class NoteProperties(NamedTuple):
    """Front matter properties that identify a note of tobs; empty if missing."""

    tobs_id: str = ""
    tobs_hash: str = ""


_FRONT_MATTER = re.compile(r"---\n(.*?\n)---(?:\n|\Z)", re.DOTALL)
# Obsidian's property editor takes away quotes it does not need, other tools turn them into single ones.
_MARK = re.compile(r"""^(tobs_id|tobs_hash):[ \t]*(["']?)([^"'\n]*?)\2[ \t]*$""", re.MULTILINE)


def read_properties(text: str) -> NoteProperties:
    """Read the identifying properties of a note's text. A property that occurs twice is not used."""
    front = _FRONT_MATTER.match(text)
    if front is None:
        return NoteProperties()
    found = [(name, value) for name, _, value in _MARK.findall(front[1])]
    marks = dict(found)
    return NoteProperties(**marks) if len(marks) == len(found) else NoteProperties()
