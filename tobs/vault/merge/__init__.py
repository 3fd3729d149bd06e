"""Three-way merge of a note: the text tobs wrote last, the note as it is now, and its new text.

Pure: texts in, a text out. `properties` merges front matter as values, `body` merges blocks, both on `threeway`;
`links` lets a link count as the same when it leads to the same note.
"""

from __future__ import annotations

import re

from msgspec import Struct

from tobs.vault.merge.blocks import CONFLICT_CALLOUT
from tobs.vault.merge.body import callout, merge_bodies
from tobs.vault.merge.links import NoteLocations, aligner, link_targets, with_new_places
from tobs.vault.merge.properties import BrokenFrontMatter, merge_properties, read_front_matter, split_note

__all__ = [
    "BrokenFrontMatter",
    "ConflictWords",
    "Merged",
    "NoteLocations",
    "link_targets",
    "merge_notes",
    "read_front_matter",
    "split_note",
]


_HASH = re.compile(r"^tobs_hash:.*\n", re.MULTILINE)


class ConflictWords(Struct, frozen=True):
    """Headings of conflicts in the note: about lines, and about properties."""

    lines: str = "on Telegram it says now"
    properties: str = "on Telegram these properties are now"


class Merged(Struct, frozen=True):
    """A merged note. ``changed``: the owner changed something in it; ``news``: tobs did too, apart from link targets;
    ``conflicts``: lines of tobs that were not merged."""

    text: str
    changed: bool
    news: bool = True
    conflicts: tuple[str, ...] = ()


def merge_notes(base: str, mine: str, new: str, note_locations: NoteLocations, words: ConflictWords) -> Merged:
    """Return ``mine`` with the changes from ``base`` to ``new``.

    Raises BrokenFrontMatter if the front matter of ``mine`` cannot be read: then nothing may be written.
    """
    if mine == base or base == new:
        return Merged(new if mine == base else mine, mine != base, base != new)
    align = aligner((base, new), note_locations)
    mine = with_new_places(mine, note_locations)
    (base_head, base_body), (head, own_body), (new_head, new_body) = (split_note(text) for text in (base, mine, new))
    if head is None:
        raise BrokenFrontMatter("it has no end (---)" if mine.startswith("---") else "it is gone")
    before, own, ours = (read_front_matter(text or "") for text in (base_head, head, new_head))
    properties = merge_properties(before, own, ours, align)
    body = merge_bodies(base_body, own_body, new_body, align, words.lines)
    text = body.text
    if properties.conflicts:
        lines = [f"`{line}`" for _, entry in properties.conflicts for line in entry.splitlines() if line.strip()]
        text = _with_notice(body.text, callout(words.properties, lines), words)
    return Merged(
        f"---\n{properties.text}---\n{text}",
        properties.changed or body.changed,
        align(_HASH.sub("", base, 1)) != align(_HASH.sub("", new, 1)),
        (*(name for name, _ in properties.conflicts), *body.conflicts),
    )


def _with_notice(body: str, notice: str, words: ConflictWords) -> str:
    """Return ``body`` with a callout about properties at its start, in place of an earlier one."""
    rest = body.lstrip("\n")
    head = f"{CONFLICT_CALLOUT}{words.properties}\n"
    if rest.startswith(head):
        rest = rest.partition("\n\n")[2]
    return f"\n{notice}\n\n{rest}" if rest.strip() else f"\n{notice}\n"
