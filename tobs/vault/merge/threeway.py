"""Three-way merge of sequences: spans for the result, and conflicts where both sides disagree.

An edit replaces, removes or inserts neighbouring items of the base. Edits of the two sides conflict only if they touch
the same items, not if they are side by side. Items are compared by equality, so a caller may pass keys instead of the
items.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

#: `kept`: nobody changed it; `mine`, `new`: that side did; `same`: both did alike; `inserted`: both put something in
#: at one place; `conflict`: both changed the same items in different ways.
Kind = Literal["kept", "mine", "new", "same", "inserted", "conflict"]

# Beyond this many pairs the most alike are not looked for.
_MAX_PAIRS = 400
_ALIKE = 0.3


class Span(NamedTuple):
    """Items from ``start`` up to ``end`` (not included)."""

    start: int
    end: int


class Chunk(NamedTuple):
    """A part of the result, and its place in each version."""

    kind: Kind
    base: Span
    mine: Span
    new: Span


class Edit(NamedTuple):
    """``base`` is replaced by ``other``; one of them may be empty."""

    base: Span
    other: Span

    @property
    def is_insertion(self) -> bool:
        """True if nothing is removed."""
        return self.base.start == self.base.end


def edits(base: Sequence[str], other: Sequence[str]) -> list[Edit]:
    """Return the smallest edits from ``base`` to ``other``, in order: an item that became another one is an edit of its
    own."""
    found: list[Edit] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, base, other, autojunk=False).get_opcodes():
        if tag == "replace":
            found += _paired(base, other, Span(i1, i2), Span(j1, j2))
        elif tag != "equal":
            found.append(Edit(Span(i1, i2), Span(j1, j2)))
    return found


def three_way(base: Sequence[str], mine: Sequence[str], new: Sequence[str]) -> list[Chunk]:
    """Return the chunks of the merge, in order; together they cover all three versions."""
    waiting = (edits(base, mine), edits(base, new))
    chunks: list[Chunk] = []
    at, shifts = 0, [0, 0]
    while waiting[0] or waiting[1]:
        cluster = _next_cluster(waiting)
        start = min(edit.base.start for side in cluster for edit in side)
        end = max(edit.base.end for side in cluster for edit in side)
        if at < start:
            chunks.append(_kept(at, start, shifts))
        spans = []
        for number, side in enumerate(cluster):
            first = start + shifts[number]
            shifts[number] += sum(_length(edit.other) - _length(edit.base) for edit in side)
            spans.append(Span(first, end + shifts[number]))
        theirs, ours = (list(version[span.start : span.end]) for version, span in zip((mine, new), spans, strict=True))
        chunks.append(Chunk(_kind(cluster, theirs == ours, start == end), Span(start, end), *spans))
        at = end
    if at < len(base):
        chunks.append(_kept(at, len(base), shifts))
    return chunks


def _length(span: Span) -> int:
    return span.end - span.start


def _kept(start: int, end: int, shifts: Sequence[int]) -> Chunk:
    mine, new = (Span(start + shift, end + shift) for shift in shifts)
    return Chunk("kept", Span(start, end), mine, new)


def _kind(cluster: tuple[list[Edit], list[Edit]], is_same: bool, is_insertion: bool) -> Kind:
    if not cluster[1]:
        return "mine"
    if not cluster[0]:
        return "new"
    if is_same:
        return "same"
    return "inserted" if is_insertion else "conflict"


def _next_cluster(waiting: tuple[list[Edit], list[Edit]]) -> tuple[list[Edit], list[Edit]]:
    """Take the first edit of both sides, and all edits that touch it."""
    cluster: tuple[list[Edit], list[Edit]] = ([], [])
    side = min((number for number in (0, 1) if waiting[number]), key=lambda number: waiting[number][0].base)
    first = waiting[side].pop(0)
    cluster[side].append(first)
    reach = first.base
    grows = True
    while grows:
        grows = False
        for number in (0, 1):
            while waiting[number] and _touch(reach, waiting[number][0].base):
                edit = waiting[number].pop(0)
                cluster[number].append(edit)
                reach = Span(min(reach.start, edit.base.start), max(reach.end, edit.base.end))
                grows = True
    return cluster


def _touch(one: Span, other: Span) -> bool:
    """Tell if two edits exclude each other: they share an item, or insert at one place."""
    if one.start == one.end and other.start == other.end:
        return one == other
    return max(one.start, other.start) < min(one.end, other.end) or (
        one.start < other.start == other.end < one.end or other.start < one.start == one.end < other.end
    )


def _paired(base: Sequence[str], other: Sequence[str], old: Span, now: Span) -> list[Edit]:
    """Split a replacement into single edits: each item with its most similar new one."""
    count = min(_length(old), _length(now))
    if count == 0:
        return [Edit(old, now)] if _length(old) + _length(now) else []
    if _length(old) != _length(now) and _length(old) * _length(now) <= _MAX_PAIRS:
        ratio, i, j = max(
            (_alike(base[i], other[j]), -i, -j) for i in range(*old) for j in range(*now)
        )  # of equals, the first
        i, j = -i, -j
        if ratio > _ALIKE:
            before = _paired(base, other, Span(old.start, i), Span(now.start, j))
            after = _paired(base, other, Span(i + 1, old.end), Span(j + 1, now.end))
            return [*before, Edit(Span(i, i + 1), Span(j, j + 1)), *after]
    pairs = [Edit(Span(old.start + n, old.start + n + 1), Span(now.start + n, now.start + n + 1)) for n in range(count)]
    rest = Edit(Span(old.start + count, old.end), Span(now.start + count, now.end))
    return [*pairs, rest] if _length(rest.base) + _length(rest.other) else pairs


def _alike(one: str, other: str) -> float:
    """Return the similarity of two items, from 0 to 1; long ones are compared by their first lines."""
    return SequenceMatcher(None, one[:500], other[:500], autojunk=False).ratio()
