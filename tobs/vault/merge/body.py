"""Bodies merged block by block; in notes of many messages, message by message.

The owner's blocks stay. What Telegram changed comes in where the owner changed nothing; where both changed the same,
the owner's lines stay and ours are told in a callout below them. Where both added at one place, ours comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tobs.vault.merge.blocks import TOLD, Block, Body, Section, sections, split_body
from tobs.vault.merge.threeway import Chunk, Span, edits, three_way

_HEADER_MARKS = "mg"


class MergedBody(NamedTuple):
    """The merged body. ``changed``: there is something of the owner in it; ``conflicts`` are the first lines of what
    was not taken."""

    text: str
    changed: bool
    conflicts: tuple[str, ...]


class _Piece(NamedTuple):
    """A block of the result and where it comes from: which version, and its number there."""

    block: Block
    origin: str
    number: int


def merge_bodies(base: str, mine: str, new: str, align: Callable[[str], str], told: str) -> MergedBody:
    """``mine`` with what changed from ``base`` to ``new``. ``align`` makes links comparable, ``told`` heads the callout
    of a conflict."""
    merger = _Merger(split_body(base), split_body(mine), split_body(new), align, told)
    pieces = merger.by_message() if merger.has_messages else merger.merged(*merger.all_of_it())
    own_end = bool(pieces) and pieces[-1].origin == "mine" and merger.mine.end != merger.base.end
    end = merger.mine.end if own_end else merger.new.end or "\n"
    return MergedBody(_joined(pieces) + end, merger.changed, tuple(merger.conflicts))


class _Merger:
    """The three versions of a body, and what the merge finds out."""

    def __init__(self, base: Body, mine: Body, new: Body, align: Callable[[str], str], told: str) -> None:
        self.base, self.mine, self.new = base, mine, new
        self._align = align
        self._told = told
        self._keys = tuple([align(block.text) for block in body.blocks] for body in (base, mine, new))
        self.changed = base.end != mine.end
        self.conflicts: list[str] = []

    @property
    def has_messages(self) -> bool:
        """Whether it is a note of many messages."""
        return any(block.message for body in (self.base, self.new) for block in body.blocks)

    def all_of_it(self) -> tuple[Span, Span, Span]:
        """Every block of each version."""
        base, mine, new = (Span(0, len(body.blocks)) for body in (self.base, self.mine, self.new))
        return base, mine, new

    def by_message(self) -> list[_Piece]:
        """The messages in our order. One the owner removed stays removed; what they wrote below the last comes after
        what came since."""
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
        """Messages of the owner's version before ``upto`` that ours has no more: kept where the owner changed them."""
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
        """What the owner wrote at the very end, if messages came after the one they wrote it below."""
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
        """The blocks of a part of each version as one."""
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
        """A place that both sides changed: line by line where it is one block, else told."""
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
            return [*pieces[:-1], last._replace(block=last.block._replace(told=f"\n\n{callout(self._told, lines)}"))]
        return [_Piece(Block("\n\n", callout(self._told, lines)), "told", -1)]

    def _merged_lines(self, base: str, mine: str, new: str) -> tuple[str, list[str] | None]:
        """A block's lines as one, and those of ours that the owner's stand against (None: no conflict)."""
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
    """``lines`` of ours that were not taken, as a callout. A block id in it would be there twice."""
    return "\n".join([f"{TOLD}{title}", *(f"> {_without_block_id(line)}".rstrip() for line in lines)])


def _without_block_id(line: str) -> str:
    text, mark, rest = line.rpartition(" ^")
    return text if mark and rest[:1] in _HEADER_MARKS and rest[1:].isdigit() else line


def _span(section: Section | None) -> Span:
    return Span(section.start, section.end) if section else Span(0, 0)


def _without(section: Section | None, tail: Span) -> Span:
    return Span(section.start, min(section.end, tail.start)) if section else Span(0, 0)


def _joined(pieces: Sequence[_Piece]) -> str:
    """The text of blocks: with the gaps they had, and at least one empty line between them."""
    text = ""
    for piece in pieces:
        gap = piece.block.gap
        if not text:
            gap = gap if piece.number == 0 else "\n"
        elif gap.count("\n") < 2:
            gap = "\n\n"
        text += gap + piece.block.text + piece.block.told
    return text
