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
from tobs.render.spans import Span, clean, spans


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
        text, found = spans(text, entities)
        markdown = _blocks(text, 0, len(text), found, options, targets)
    if options.line_breaks == "two-space":
        return hard_breaks(markdown)
    return markdown


def _blocks(text: str, start: int, end: int, found: list[Span], options: MarkdownOptions, targets: LinkTargets) -> str:
    """Render ``text[start:end]`` as blocks, with a blank line between a quote or fence and its neighbours."""
    blocks = [span for span in found if span.kind in _BLOCKS]
    if not blocks:
        return inline_lines(text, start, end, found, options.tag_prefix, targets)
    parts: list[str] = []
    at = start
    for position, block in enumerate(blocks):
        first, last = max(block.start, at), min(block.end, end)
        if first >= last:
            continue
        following = blocks[position + 1] if position + 1 < len(blocks) else None
        if block.kind == "pre" and following and following.kind in _QUOTES and following.start == block.start:
            continue
        _paragraph(parts, text, at, first, found, options, targets, after=at > start, before=True)
        if block.kind == "pre":
            code = text[first:last].strip("\n")
            if code:
                parts.append(fence(code, block.entity.language))
        else:
            within = [_clipped(span, first, last) for span in found if span.start < last and span.end > first]
            within = [span for span in within if span.kind not in _QUOTES]
            quoted = _inside(text, first, last, within, options, targets)
            if quoted.strip():
                parts.append(quote(quoted, folded=block.kind == "expandable_blockquote"))
        at = last
    _paragraph(parts, text, at, end, found, options, targets, after=at > start)
    return "\n\n".join(parts)


def _inside(text: str, start: int, end: int, found: list[Span], options: MarkdownOptions, targets: LinkTargets) -> str:
    """The content of a quote, without the line ends around it."""
    return _blocks(text, start, end, found, options, targets).strip("\n")


def _paragraph(
    parts: list[str],
    text: str,
    start: int,
    end: int,
    found: list[Span],
    options: MarkdownOptions,
    targets: LinkTargets,
    *,
    after: bool = False,
    before: bool = False,
) -> None:
    """Adds the text between two blocks, without the line ends and blanks that part it from the block it stands
    ``after`` and the one it stands ``before``."""
    while after and start < end and text[start] in " \t":
        start += 1
    while start < end and text[start] == "\n":
        start += 1
    while end > start and (text[end - 1] == "\n" or (before and text[end - 1] in " \t")):
        end -= 1
    if start >= end:
        return
    within = [
        _clipped(span, start, end)
        for span in found
        if span.start < end and span.end > start and span.kind not in _BLOCKS
    ]
    lines = inline_lines(text, start, end, within, options.tag_prefix, targets)
    if lines.strip():
        parts.append(lines)


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
    text, found = spans(text, wanted)
    tags: dict[str, str] = {}
    for span in found:
        name = text[span.start + 1 : span.end].partition("@")[0]
        if text[span.start] == "#" and legal_tag(name):
            tags.setdefault(name.casefold(), tag_prefix + name)
    return tuple(tags.values())


__all__ = ["MarkdownOptions", "hard_breaks", "hashtags", "quote", "start_line", "to_markdown"]
