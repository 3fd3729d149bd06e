"""Merge of bodies block by block; in notes of many messages, message by message.

The owner's blocks stay. Changes from Telegram are merged where the owner changed nothing; where both changed the same,
the owner's lines stay and those of tobs go into a callout below them. Where both added at one place, those of tobs come
first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tobs.vault.merge.blocks import CONFLICT_CALLOUT, Block, Body, Section, sections, split_body
from tobs.vault.merge.threeway import Chunk, Span, edits, three_way

_HEADER_MARKS = "mg"


class MergedBody(NamedTuple):
    """The merged body. ``changed``: it has something of the owner; ``conflicts`` are the first lines of what was not
    merged."""

    text: str
    changed: bool
    conflicts: tuple[str, ...]


class _Piece(NamedTuple):
    """A block of the result with its version and its number there."""

    block: Block
    origin: str
    number: int


def merge_bodies(base: str, mine: str, new: str, align: Callable[[str], str], heading: str) -> MergedBody:
    """Return ``mine`` with the changes from ``base`` to ``new``. ``align`` makes links comparable, ``heading`` is the
    heading of a conflict's callout."""
    merger = _Merger(split_body(base), split_body(mine), split_body(new), align, heading)
    pieces = merger.by_message() if merger.has_messages else merger.merged(*merger.all_of_it())
    own_end = bool(pieces) and pieces[-1].origin == "mine" and merger.mine.end != merger.base.end
    end = merger.mine.end if own_end else merger.new.end or "\n"
    return MergedBody(_joined(pieces) + end, merger.changed, tuple(merger.conflicts))


class _Merger:
    """The three versions of a body, and the results of their merge."""

    def __init__(self, base: Body, mine: Body, new: Body, align: Callable[[str], str], heading: str) -> None:
        self.base, self.mine, self.new = base, mine, new
        self._align = align
        self._heading = heading
        self._keys = tuple([align(block.text) for block in body.blocks] for body in (base, mine, new))
        self.changed = base.end != mine.end
        self.conflicts: list[str] = []

    @property
    def has_messages(self) -> bool:
        """Tell if it is a note of many messages."""
        return any(block.message for body in (self.base, self.new) for block in body.blocks)

    def all_of_it(self) -> tuple[Span, Span, Span]:
        """Merge every block of each version."""
        base, mine, new = (Span(0, len(body.blocks)) for body in (self.base, self.mine, self.new))
        return base, mine, new

    def by_message(self) -> list[_Piece]:
        """Merge the messages in the order of tobs. A message that the owner removed stays removed; the owner's text
        below the last message comes after newer messages."""
        olds, mines, news = (
            {each.name: each for each in sections(body.blocks)} for body in (self.base, self.mine, self.new)
        )
        tail = self._tail(olds, mines, news)
        pieces: list[_Piece] = []
        left = dict(mines)
        for name, now in news.items():
            # What the owner has before it and Telegram has no more.
            pieces += self._orphans(left, name, olds, news)
            old, own = olds.get(name), left.pop(name, None)
            if own is None and old is not None:
                self.changed = True
                continue
            pieces += self.merged(_span(old), _without(own, tail), Span(now.start, now.end))
        pieces += self._orphans(left, "", olds, news)
        return [*pieces, *self._own(tail)]

    def _orphans(
        self, left: dict[str, Section], upto: str, olds: dict[str, Section], news: dict[str, Section]
    ) -> list[_Piece]:
        """Return messages of the owner's version before ``upto`` that the new version lacks: those that the owner
        changed stay."""
        pieces: list[_Piece] = []
        if upto and upto not in left:
            return pieces
        for name in list(left):
            if name == upto:
                break
            if name not in news:
                own = left.pop(name)
                pieces += self.merged(_span(olds.get(name)), Span(own.start, own.end), Span(0, 0))
        return pieces

    def _tail(self, olds: dict[str, Section], mines: dict[str, Section], news: dict[str, Section]) -> Span:
        """Return the owner's text at the very end, if newer messages follow the one it was written below."""
        end = len(self.mine.blocks)
        last = list(mines.values())[-1]
        old = olds.get(last.name)
        if old is None or not last.name or list(news)[-1] == last.name:
            return Span(end, end)
        found = edits(self._keys[0][old.start : old.end], self._keys[1][last.start : last.end])
        if found and found[-1].is_insertion and found[-1].base.start == old.end - old.start:
            return Span(last.start + found[-1].other.start, end)
        return Span(end, end)

    def merged(self, old: Span, own: Span, now: Span) -> list[_Piece]:
        """Merge the blocks of one part of each version."""
        keys = (self._keys[0][slice(*old)], self._keys[1][slice(*own)], self._keys[2][slice(*now)])
        pieces: list[_Piece] = []
        for chunk in three_way(*keys):
            old_span, own_span, now_span = (
                Span(part.start + whole.start, part.end + whole.start)
                for part, whole in zip((chunk.base, chunk.mine, chunk.new), (old, own, now), strict=True)
            )
            pieces += self._chunk(chunk, old_span, own_span, now_span)
        return pieces

    def _chunk(self, chunk: Chunk, old: Span, own: Span, now: Span) -> list[_Piece]:
        self.changed = self.changed or chunk.kind in ("mine", "same", "inserted", "conflict")
        match chunk.kind:
            case "new":
                return self._ours(now)
            case "inserted":
                there = set(self._keys[2][slice(*now)])
                return [*self._ours(now), *(each for each in self._own(own) if self._keys[1][each.number] not in there)]
            case "conflict":
                return self._both(old, own, now)
        return self._own(own)

    def _both(self, old: Span, own: Span, now: Span) -> list[_Piece]:
        """Merge a place that both sides changed: line by line if it is one block, else as a conflict."""
        pieces = self._own(own)
        if old.end - old.start == own.end - own.start == now.end - now.start == 1:
            block = self.mine.blocks[own.start]
            text, lines = self._merged_lines(
                self.base.blocks[old.start].text, block.text, self.new.blocks[now.start].text
            )
            if lines is None:
                return [_Piece(block._replace(text=text), "mine", own.start)]
            pieces = [_Piece(block._replace(text=text), "mine", own.start)]
        else:
            lines = [line for piece in self._ours(now) for line in [*piece.block.text.split("\n"), ""]][:-1]
        self.conflicts.append(next((line for line in lines if line.strip()), ""))
        if not lines:
            return pieces
        if pieces:
            last = pieces[-1]
            return [
                *pieces[:-1],
                last._replace(block=last.block._replace(callout=f"\n\n{callout(self._heading, lines)}")),
            ]
        return [_Piece(Block("\n\n", callout(self._heading, lines)), "conflict", -1)]

    def _merged_lines(self, base: str, mine: str, new: str) -> tuple[str, list[str] | None]:
        """Merge the lines of a block; return them and the conflicting lines of tobs (None: no conflict)."""
        old, own, now = base.split("\n"), mine.split("\n"), new.split("\n")
        merged: list[str] = []
        against: list[str] | None = None
        for chunk in three_way(*([self._align(line) for line in lines] for lines in (old, own, now))):
            ours, theirs = now[slice(*chunk.new)], own[slice(*chunk.mine)]
            if chunk.kind == "conflict":
                against = [*(against or []), *ours]
            if chunk.kind == "inserted":
                theirs = ours + [line for line in theirs if line not in ours]
            merged += ours if chunk.kind == "new" else theirs
        return "\n".join(merged), against

    def _own(self, span: Span) -> list[_Piece]:
        return [_Piece(self.mine.blocks[number], "mine", number) for number in range(*span)]

    def _ours(self, span: Span) -> list[_Piece]:
        return [_Piece(self.new.blocks[number], "new", number) for number in range(*span)]


def callout(title: str, lines: Iterable[str]) -> str:
    """Return ``lines`` of tobs that were not merged as a callout. Block ids are removed from it, because they would
    occur twice."""
    return "\n".join([f"{CONFLICT_CALLOUT}{title}", *(f"> {_without_block_id(line)}".rstrip() for line in lines)])


def _without_block_id(line: str) -> str:
    text, mark, rest = line.rpartition(" ^")
    return text if mark and rest[:1] in _HEADER_MARKS and rest[1:].isdigit() else line


def _span(section: Section | None) -> Span:
    return Span(section.start, section.end) if section else Span(0, 0)


def _without(section: Section | None, tail: Span) -> Span:
    return Span(section.start, min(section.end, tail.start)) if section else Span(0, 0)


def _joined(pieces: Sequence[_Piece]) -> str:
    """Join the text of blocks: with the gaps they had, and at least one empty line between them."""
    text = ""
    for piece in pieces:
        gap = piece.block.gap
        if not text:
            gap = gap if piece.number == 0 else "\n"
        elif gap.count("\n") < 2:
            gap = "\n\n"
        text += gap + piece.block.text + piece.block.callout
    return text
