"""Blocks of a note's body: paragraphs, lists, callouts, code; empty lines separate them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

#: Start of the callout of a conflict; it belongs to the block before it.
CONFLICT_CALLOUT = "> [!warning] tobs: "

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
# The header of a message in a note of many messages (docs/user/vault.md).
_HEADER = re.compile(r"(?:^|[ \t])\^([mg][0-9]+)[ \t]*\Z")


class Block(NamedTuple):
    """Lines without an empty one between them (code may have some). ``gap`` is the text before the first, ``callout`` a
    callout of tobs that follows, with its gap."""

    gap: str
    text: str
    callout: str = ""

    @property
    def message(self) -> str:
        """Block id of the message whose header the block is; empty for every other block."""
        match = _HEADER.search(self.text)
        return match[1] if match else ""


class Body(NamedTuple):
    """A body in blocks; ``end`` is the text after the last one."""

    blocks: Sequence[Block]
    end: str


def split_body(body: str) -> Body:
    """Split ``body`` into blocks. Joined again (gap, text, callout, end) they are the same text."""
    lines = body.split("\n")
    inside = _inside_code(lines)
    blocks: list[Block] = []
    at = done = 0  # where the line begins, and where the last block ended
    start = last = -1  # of the block that is being read
    for number, line in enumerate(lines):
        if line.strip() or number in inside:
            start = at if start < 0 else start
            last = at + len(line)
        elif start >= 0:
            _add(blocks, Block(body[done:start], body[start:last]))
            done, start = last, -1
        at += len(line) + 1
    if start >= 0:
        _add(blocks, Block(body[done:start], body[start:last]))
        done = last
    return Body(blocks, body[done:])


def _inside_code(lines: Sequence[str]) -> set[int]:
    """Return the numbers of the lines inside code blocks. One that is never closed counts as paragraphs."""
    inside: set[int] = set()
    fence, opened = "", 0
    for number, line in enumerate(lines):
        match = _FENCE.match(line)
        if match is None:
            continue
        if not fence:
            fence, opened = match[1], number
        elif match[1].startswith(fence) and not line[match.end() :].strip():
            inside.update(range(opened, number))
            fence = ""
    return inside


def _add(blocks: list[Block], block: Block) -> None:
    if blocks and block.text.startswith(CONFLICT_CALLOUT):
        before = blocks[-1]
        blocks[-1] = before._replace(callout=before.callout + block.gap + block.text)
    else:
        blocks.append(block)


class Section(NamedTuple):
    """A message in a note of many: its header and the blocks after it, as block indices. The section without a name is
    before the first header."""

    name: str
    start: int
    end: int


def sections(blocks: Sequence[Block]) -> list[Section]:
    """Return the messages of a body; a header that occurs twice begins a message only at its first place."""
    starts: dict[str, int] = {"": 0}
    for number, block in enumerate(blocks):
        if block.message:
            starts.setdefault(block.message, number)
    ends = [*list(starts.values())[1:], len(blocks)]
    return [Section(name, start, end) for (name, start), end in zip(starts.items(), ends, strict=True)]
