"""Text with entities to Markdown: blocks (quotes, fences) here, the lines between them in ``inline``.

A pure function: the same text and entities give the same Markdown. A CommonMark parser reads back the text and its
styles. The result contains no link, tag, comment, block id, formula, heading, list or HTML that the entities do not
define.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tobs.model.text import Entity
from tobs.render.escape import escape_text, fence, legal_tag, start_line
from tobs.render.inline import inline_lines
from tobs.render.links import NO_TARGETS, LinkTargets
from tobs.render.spans import Span, clean, text_spans


class MarkdownOptions(Struct, frozen=True):
    """Options of the converter: ``tag_prefix`` precedes hashtags (``tg/``); ``line_breaks`` ``two-space`` makes line
    breaks hard.
    """

    tag_prefix: str = ""
    line_breaks: str = "soft"


DEFAULT = MarkdownOptions()
_QUOTES = frozenset({"blockquote", "expandable_blockquote"})
_BLOCKS = _QUOTES | {"pre"}


def to_markdown(
    text: str,
    entities: Sequence[Entity] = (),
    options: MarkdownOptions = DEFAULT,
    targets: LinkTargets = NO_TARGETS,
) -> str:
    """Render ``text`` with its entities (UTF-16 offsets, in any order, overlapping or out of range) as Markdown."""
    if not entities:
        markdown = escape_text(clean(text))
    else:
        text, spans = text_spans(text, entities)
        markdown = _Converter(text, options, targets).blocks(0, len(text), spans)
    if options.line_breaks == "two-space":
        return hard_breaks(markdown)
    return markdown


class _Converter(Struct, frozen=True, gc=False):
    """The text of a conversion, its options and link targets."""

    text: str
    options: MarkdownOptions
    targets: LinkTargets

    def blocks(self, start: int, end: int, spans: list[Span]) -> str:
        """Render ``text[start:end]`` as blocks, with a blank line between a quote or fence and its neighbours."""
        blocks = [span for span in spans if span.kind in _BLOCKS]
        if not blocks:
            return inline_lines(self.text, start, end, spans, self.options.tag_prefix, self.targets)
        parts: list[str] = []
        at = start
        for position, block in enumerate(blocks):
            first, last = max(block.start, at), min(block.end, end)
            if first >= last:
                continue
            following = blocks[position + 1] if position + 1 < len(blocks) else None
            if block.kind == "pre" and following and following.kind in _QUOTES and following.start == block.start:
                continue
            parts += [
                self.paragraph(at, first, spans, after=at > start, before=True),
                self.block(block, first, last, spans),
            ]
            at = last
        parts.append(self.paragraph(at, end, spans, after=at > start))
        return "\n\n".join(part for part in parts if part)

    def block(self, block: Span, first: int, last: int, spans: list[Span]) -> str:
        """Render a quote or fence over ``text[first:last]``; empty if it has no content."""
        if block.kind == "pre":
            code = self.text[first:last].strip("\n")
            return fence(code, block.entity.language) if code else ""
        inside = [_clipped(span, first, last) for span in spans if span.start < last and span.end > first]
        inside = [span for span in inside if span.kind not in _QUOTES]
        quoted = self.blocks(first, last, inside).strip("\n")
        return quote(quoted, folded=block.kind == "expandable_blockquote") if quoted.strip() else ""

    def paragraph(self, start: int, end: int, spans: list[Span], *, after: bool = False, before: bool = False) -> str:
        """Render the text between two blocks, without the line ends and spaces next to them; empty if nothing is left.

        ``after`` and ``before`` tell on which side a block stands.
        """
        text = self.text
        while after and start < end and text[start] in " \t":
            start += 1
        while start < end and text[start] == "\n":
            start += 1
        while end > start and (text[end - 1] == "\n" or (before and text[end - 1] in " \t")):
            end -= 1
        if start >= end:
            return ""
        inside = [
            _clipped(span, start, end)
            for span in spans
            if span.start < end and span.end > start and span.kind not in _BLOCKS
        ]
        lines = inline_lines(text, start, end, inside, self.options.tag_prefix, self.targets)
        return lines if lines.strip() else ""


def _clipped(span: Span, start: int, end: int) -> Span:
    """Cut a span to ``start`` and ``end``."""
    if span.start >= start and span.end <= end:
        return span
    return Span(span.kind, max(span.start, start), min(span.end, end), span.entity)


def quote(markdown: str, *, folded: bool = False, callout: str = "", title: str = "") -> str:
    """Render ``markdown`` as a block quote, or as a callout of a kind; ``folded`` gives a closed callout."""
    lines = [f"> {line}" if line else ">" for line in markdown.split("\n")] if markdown else []
    if folded or callout:
        head = f"> [!{callout or 'quote'}]{'-' if folded else ''}"
        lines.insert(0, f"{head} {title}" if title else head)
    return "\n".join(lines)


def hard_breaks(markdown: str) -> str:
    """Add two spaces to every text line that another text line follows, except inside fences."""
    lines = markdown.split("\n")
    fence_mark = ""
    for n, line in enumerate(lines[:-1]):
        bare = line.lstrip("> ")
        if fence_mark:
            if bare.rstrip() == fence_mark:
                fence_mark = ""
            continue
        if bare.startswith("```"):
            fence_mark = "`" * (len(bare) - len(bare.lstrip("`")))
            continue
        if bare and lines[n + 1].lstrip("> ") and not lines[n + 1].lstrip("> ").startswith("```"):
            lines[n] = line.rstrip(" ") + "  "
    return "\n".join(lines)


def hashtags(text: str, entities: Sequence[Entity], tag_prefix: str = "") -> tuple[str, ...]:
    """Return the Obsidian tags of the hashtag entities in reading order, without duplicates (tags ignore case)."""
    wanted = [entity for entity in entities if entity.kind == "hashtag"]
    if not wanted:
        return ()
    text, spans = text_spans(text, wanted)
    tags: dict[str, str] = {}
    for span in spans:
        name = text[span.start + 1 : span.end].partition("@")[0]
        if text[span.start] == "#" and legal_tag(name):
            tags.setdefault(name.casefold(), tag_prefix + name)
    return tuple(tags.values())


__all__ = ["MarkdownOptions", "hard_breaks", "hashtags", "quote", "start_line", "to_markdown"]
