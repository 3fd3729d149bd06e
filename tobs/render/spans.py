r"""Telegram's entities as spans of Python text.

Telegram counts UTF-16 code units. A boundary inside a surrogate pair is extended to the whole character, ends beyond
the text are clamped, empty spans dropped. Line ends become ``\n`` first, and the spans move accordingly.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from msgspec import Struct

from tobs.model.text import Entity

_ODD = re.compile("[\0\r\u2028\u2029\ud800-\udfff]")
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_BREAKS = re.compile("\r\n?|[\u2028\u2029]")
_UNFIT = re.compile("[\0\ud800-\udfff]")


class Span(Struct, frozen=True, gc=False):
    """An entity over ``text[start:end]`` (code points)."""

    kind: str
    start: int
    end: int
    entity: Entity


def clean(text: str) -> str:
    r"""Normalize line ends to ``\n`` and replace characters that a UTF-8 file cannot contain."""
    if not _ODD.search(text):
        return text
    return _UNFIT.sub("\ufffd", _BREAKS.sub("\n", text))


def text_spans(text: str, entities: Sequence[Entity]) -> tuple[str, list[Span]]:
    """Return the cleaned text and its spans, sorted by start, longer ones first."""
    spans: list[Span] = []
    length = len(text)
    ascii_only = text.isascii()
    pairs = [] if ascii_only else [match.start() for match in _ASTRAL.finditer(text)]
    # Lone surrogates are single units in both counts, so only astral characters shift the offsets.
    units = [at + n for n, at in enumerate(pairs)]
    for entity in entities:
        start, end = entity.offset, entity.offset + entity.length
        if start >= end:
            continue
        if pairs:
            before = bisect_left(units, start)
            start = pairs[before - 1] if before and units[before - 1] + 1 == start else start - before
            before = bisect_left(units, end)
            end = pairs[before - 1] + 1 if before and units[before - 1] + 1 == end else end - before
        if end > length:
            end = length
        if start < 0:
            start = 0
        if start < end:
            spans.append(Span(entity.kind, start, end, entity))
    if _ODD.search(text):
        text, spans = _cleaned(text, spans)
    spans.sort(key=_order)
    return text, spans


def _order(span: Span) -> tuple[int, int]:
    return (span.start, -span.end)


def _cleaned(text: str, spans: list[Span]) -> tuple[str, list[Span]]:
    r"""Normalize line ends in text and spans: a removed ``\n`` of ``\r\n`` shifts the spans after it."""
    removed = [match.start() + 1 for match in re.finditer("\r\n", text)]
    if removed:
        spans = [
            Span(span.kind, start, end, span.entity)
            for span in spans
            if (start := span.start - bisect_right(removed, span.start))
            < (end := span.end - bisect_left(removed, span.end))
        ]
    return clean(text), spans
