"""Lines of text with styles, links and code.

The entities of a line become marks (``marks``). The line is cut at their borders into runs, which are written here. A
run knows the Markdown styles around it, outermost first, and the HTML styles inside. Delimiters stand next to non-space
characters and never cross a line end. A style that CommonMark would not read as delimiters becomes ``<b>`` or ``<i>``,
innermost.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from unicodedata import category

from msgspec import Struct
from msgspec.structs import replace

from tobs.render.escape import ZERO_WIDTH, code_span, escape_html, escape_label, escape_piece, escape_text, start_line
from tobs.render.links import LinkTargets, destination, wikilink
from tobs.render.marks import HTML_RANK, RANK, Mark, line_marks, url_markdown
from tobs.render.simple_text import simple_lines
from tobs.render.spans import Span

_DELIMITERS = {"bold": "**", "italic": "*", "strike": "~~"}
_TAGS = {
    "bold": ("<b>", "</b>"),
    "italic": ("<i>", "</i>"),
    "underline": ("<u>", "</u>"),
    "spoiler": ('<span class="tg-spoiler">', "</span>"),
}
# Number of demoted styles after which all others are demoted, too: a line with thousands of styles would take minutes.
_MAX_DEMOTIONS = 30
_ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


class Run(Struct, frozen=True, gc=False):
    """A part of a line with one set of styles. ``atom`` is the mark written instead of plain text."""

    start: int
    end: int
    outer: tuple[Mark, ...]
    html: tuple[str, ...]
    atom: Mark | None


def inline_lines(text: str, start: int, end: int, spans: Sequence[Span], prefix: str, targets: LinkTargets) -> str:
    """Render ``text[start:end]`` (complete lines, spans sorted by start) as Markdown lines."""
    if not spans:
        return escape_text(text[start:end])
    simple = simple_lines(text, start, end, spans, prefix, targets)
    return styled_lines(text, start, end, spans, prefix, targets) if simple is None else simple


def styled_lines(text: str, start: int, end: int, spans: Sequence[Span], prefix: str, targets: LinkTargets) -> str:
    """Render spans of any kind like ``inline_lines``, line by line."""
    lines: list[str] = []
    carry: list[Span] = []
    at, n, count = start, 0, len(spans)
    while True:
        if not carry:
            if n == count:
                lines.append(escape_text(text[at:end]))
                break
            before = text.rfind("\n", at, max(at, spans[n].start))
            if before >= 0:
                lines.append(escape_text(text[at:before]))
                at = before + 1
        stop = text.find("\n", at, end)
        if stop < 0:
            stop = end
        here = carry
        while n < count and spans[n].start < stop:
            here.append(spans[n])
            n += 1
        if not here:
            lines.append(escape_text(text[at:stop]))
        elif (simple := simple_lines(text, at, stop, here, prefix, targets)) is not None:
            lines.append(simple)
        else:
            lines.append(_line(text[at:stop], at, here, prefix, targets))
        if stop == end:
            break
        carry = [span for span in here if span.end > stop + 1]
        at = stop + 1
    return "\n".join(lines)


def _line(line: str, offset: int, spans: Sequence[Span], prefix: str, targets: LinkTargets) -> str:
    """Render a line with at least one span."""
    styles, atoms = line_marks(line, offset, spans, prefix, targets)
    if not styles and not atoms:
        return escape_text(line)
    demoted = _shared_borders(styles)
    while True:
        writer = _Writer(line, _runs(line, styles, atoms, demoted))
        if writer.write(0, len(writer.runs), 0, False):
            return start_line("".join(writer.out))
        demoted.add(writer.inexpressible)
        if len(demoted) > _MAX_DEMOTIONS:
            demoted.update(mark for mark in styles if mark.style in ("bold", "italic"))


def _shared_borders(styles: Sequence[Mark]) -> set[Mark]:
    """Return bold marks that begin or end together with an italic mark around them, and the reverse.

    ``***`` is ambiguous there.
    """
    stars = sorted((mark for mark in styles if mark.style in ("bold", "italic")), key=_order)
    touching: set[Mark] = set()
    if len(stars) > 1:
        for border in ("start", "end"):
            outermost: dict[int, Mark] = {}
            touching.update(mark for mark in stars if outermost.setdefault(getattr(mark, border), mark) is not mark)
    return touching


def _order(mark: Mark) -> tuple[int, int, int]:
    return (mark.start - mark.end, RANK[mark.style], mark.start)


def _runs(line: str, styles: Sequence[Mark], atoms: Sequence[Mark], demoted: set[Mark]) -> list[Run]:
    """Cut the line at every border; ``demoted`` marks are written as HTML."""
    if not styles and len(atoms) == 1:
        only = atoms[0]
        pieces = ((0, only.start, None), (only.start, only.end, only), (only.end, len(line), None))
        return [Run(start, end, (), (), there) for start, end, there in pieces if start < end]
    cuts = {0, len(line)}
    for mark in (*styles, *atoms):
        cuts.add(mark.start)
        cuts.add(mark.end)
    borders = sorted(cuts)
    runs: list[Run] = []
    waiting = sorted(styles, key=lambda mark: mark.start)
    active: list[Mark] = []
    next_style = next_atom = 0
    for start, end in pairwise(borders):
        active = [mark for mark in active if mark.end > start]
        while next_style < len(waiting) and waiting[next_style].start <= start:
            active.append(waiting[next_style])
            next_style += 1
        while next_atom < len(atoms) and atoms[next_atom].end <= start:
            next_atom += 1
        atom = atoms[next_atom] if next_atom < len(atoms) and atoms[next_atom].start <= start else None
        outer = sorted((mark for mark in active if mark.style in RANK and mark not in demoted), key=_order)
        if atom is not None and atom.style == "picture":
            outer = [mark for mark in outer if mark.style != "link"]  # no link around an embed
        html = {mark.style for mark in active if mark.style not in RANK or mark in demoted}
        if atom is not None and atom.style == "code" and "spoiler" not in html and _html_reads(line, atom):
            html = set()
        run = Run(
            start,
            end,
            tuple(outer),
            tuple(sorted(html, key=HTML_RANK.__getitem__)),
            atom,
        )
        _add(runs, run)
    return _trimmed(line, runs) if len(styles) > 1 else runs


def _html_reads(line: str, code: Mark) -> bool:
    """Return whether the code would be read as HTML inside an HTML element, where some parsers read no Markdown."""
    return "<" in line[code.start : code.end] or "&" in line[code.start : code.end]


def _add(runs: list[Run], run: Run) -> None:
    """Append a run, joined with the previous one if nothing is written between them."""
    if runs:
        last = runs[-1]
        whole = run.atom is not None and run.atom.style != "code"
        if last.outer == run.outer and last.atom is run.atom and (last.html == run.html or whole):
            runs[-1] = replace(last, end=run.end)
            return
    runs.append(run)


def _trimmed(line: str, runs: list[Run]) -> list[Run]:
    """Reduce the styles of spaces at the edges of a styled run to those that continue on the other side."""
    pieces: list[Run] = []
    for run in runs:
        text = line[run.start : run.end]
        bare = text.strip()
        if run.atom is not None or len(bare) == len(text) or not (run.outer or run.html):
            pieces.append(run)
            continue
        first = run.start + len(text) - len(text.lstrip())
        last = first + len(bare)
        for start, end in ((run.start, first), (first, last), (last, run.end)) if bare else ((run.start, run.end),):
            if start < end:
                pieces.append(replace(run, start=start, end=end))
    joined: list[Run] = []
    for n, run in enumerate(pieces):
        if run.atom is None and (run.outer or run.html) and line[run.start : run.end].isspace():
            before = joined[-1] if joined else None
            after = next((other for other in pieces[n + 1 :] if not line[other.start : other.end].isspace()), None)
            outer: tuple[Mark, ...] = ()
            html: tuple[str, ...] = ()
            if before is not None and after is not None:
                outer = _common(_common(run.outer, before.outer), after.outer)
                among = all(each.atom is None or each.atom.style == "code" for each in (before, after))
                if before.outer == after.outer == run.outer and among:
                    html = tuple(style for style in run.html if style in before.html and style in after.html)
            run = replace(run, outer=outer, html=html)
        _add(joined, run)
    return joined


def _common(one: tuple[Mark, ...], other: tuple[Mark, ...]) -> tuple[Mark, ...]:
    length = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine is not theirs:
            break
        length += 1
    return one[:length]


def _maybe_punctuation(char: str) -> bool:
    """Return whether any CommonMark parser counts ``char`` as punctuation; newer parsers count symbols, older ones do
    not.
    """
    return char in _ASCII_PUNCTUATION or (char > "\x7f" and category(char)[0] in "PS")


def _is_safe_neighbor(char: str) -> bool:
    """Return whether any delimiter works next to ``char``: the edge of the line, a space, or punctuation for
    all parsers.
    """
    return not char or char.isspace() or char in _ASCII_PUNCTUATION or (char > "\x7f" and category(char)[0] == "P")


#: Characters that form markup with certain following ones: ``<%``, ``%%``, ``==``, ``::``, ``#tag`` ...
_MARKUP_STARTS = frozenset("<%=:#&^")
_OPEN_REFERENCE = re.compile(r"&#?\w{1,31}\Z")


class _Writer:
    """Writer of the runs of one line; ``inexpressible`` is the mark that delimiters cannot express."""

    def __init__(self, line: str, runs: list[Run]) -> None:
        self.line = line
        self.runs = runs
        self.out: list[str] = []
        self.star = False  # the last thing written is a * delimiter
        self.plain = False  # the last thing written is escaped text
        self.needs_reference = False  # the next text begins with a character reference
        self.tag = False  # the last thing written is a tag, which the next text must not extend
        self.inexpressible = Mark("", 0, 0)
        self.in_label = False

    def last(self) -> str:
        """Return the last character written; empty at the start of the line."""
        return self.out[-1][-1] if self.out else ""

    def mark_up(self, piece: str, *, star: bool = False) -> None:
        self.out.append(piece)
        self.star = star
        self.plain = False
        self.tag = False

    def write(self, first: int, stop: int, depth: int, in_star: bool) -> bool:
        """Write ``runs[first:stop]`` inside ``depth`` open styles; return False if a style must be demoted."""
        runs = self.runs
        n = first
        while n < stop:
            outer = runs[n].outer
            begin = n
            n += 1
            if len(outer) <= depth:
                while n < stop and len(runs[n].outer) <= depth:
                    n += 1
                self.write_atoms(begin, n)
                continue
            mark = outer[depth]
            while n < stop and len(runs[n].outer) > depth and runs[n].outer[depth] is mark:
                n += 1
            if not self.write_group(mark, begin, n, depth, in_star and n == stop):
                return False
        return True

    def write_group(self, mark: Mark, first: int, stop: int, depth: int, at_star: bool) -> bool:
        """Write a style or link around ``runs[first:stop]``; ``at_star`` means that a * delimiter follows its end."""
        if mark.style == "link":
            self.escape_before_link()
            self.mark_up("[")
            self.in_label = True
            done = self.write(first, stop, depth + 1, False)
            self.in_label = False
            self.close_label()
            self.mark_up(f"]({destination(mark.value)})")
            return done
        if mark.style == "unsafe":
            self.separate()
            done = self.write(first, stop, depth + 1, False)
            if self.line[mark.start : mark.end] != mark.value:
                self.mark_up(f" ({code_span(mark.value)})")
            self.separate()
            return done
        delimiter = _DELIMITERS[mark.style]
        star = delimiter[0] == "*"
        left, right = self.flanks(first, stop, depth)
        if star and (self.star or at_star or not left or not right):
            self.inexpressible = mark
            return False
        if (blocking := self.blocking_mark(first, stop, left, right)) is not None:
            self.inexpressible = blocking
            return False
        if not left and self.plain:
            # A letter written as a character reference ends in ';', next to which the delimiter works.
            piece = self.out[-1]
            self.out[-1] = f"{piece[:-1]}&#{ord(piece[-1])};"
        self.mark_up(delimiter, star=star)
        if not self.write(first, stop, depth + 1, star):
            return False
        self.mark_up(delimiter, star=star)
        self.needs_reference = not right
        return True

    def blocking_mark(self, first: int, stop: int, left: bool, right: bool) -> Mark | None:
        """Return the style whose delimiter stands next to a letter that must become a character reference."""
        beside = []
        if not left and len(self.out) > 1 and len(self.out[-1]) == 1 and not self.out[-2][-1:].isspace():
            beside.append(self.runs[first - 1])
        if not right and stop < len(self.runs) and self.runs[stop].end - self.runs[stop].start == 1:
            beside.append(self.runs[stop])
        return next((mark for run in beside for mark in reversed(run.outer) if mark.style in ("bold", "italic")), None)

    def flanks(self, first: int, stop: int, depth: int) -> tuple[bool, bool]:
        """Return whether delimiters around ``runs[first:stop]`` would open and close."""
        runs, line = self.runs, self.line
        head, tail = runs[first], runs[stop - 1]
        head_marked = len(head.outer) > depth + 1 or head.html or head.atom is not None
        left = not (head_marked or _maybe_punctuation(line[head.start])) or _is_safe_neighbor(self.last())
        tail_marked = len(tail.outer) > depth + 1 or tail.html or tail.atom is not None
        if not (tail_marked or _maybe_punctuation(line[tail.end - 1])):
            return left, True
        if stop == len(runs):
            return left, True
        follower = runs[stop]
        marked = len(follower.outer) != depth or bool(follower.html)
        if follower.atom is not None:
            marked = marked or follower.atom.style != "url"
        return left, marked or _is_safe_neighbor(line[tail.end])

    def write_atoms(self, first: int, stop: int) -> None:
        """Write runs without a further Markdown style: text, HTML styles and atoms."""
        opened: tuple[str, ...] = ()
        for run in self.runs[first:stop]:
            text = self.line[run.start : run.end]
            atom = run.atom
            html = run.html if atom is None or atom.style in ("url", "code") else ()
            if html != opened:
                shared = 0
                while shared < min(len(html), len(opened)) and html[shared] == opened[shared]:
                    shared += 1
                for style in reversed(opened[shared:]):
                    self.mark_up(_TAGS[style][1])
                for style in html[shared:]:
                    self.mark_up(_TAGS[style][0])
                opened = html
            if html and (atom is None or atom.style == "url" or _html_reads(self.line, atom)):
                self.mark_up(escape_html(text))
            elif atom is None:
                self.write_text(text, is_last=run.end == len(self.line) and not run.outer)
            else:
                self.write_atom(atom, text)
            self.needs_reference = False
        for style in reversed(opened):
            self.mark_up(_TAGS[style][1])

    def write_text(self, text: str, *, is_last: bool) -> None:
        if self.needs_reference:
            piece = f"&#{ord(text[0])};{self.escaped(text[1:], is_last=is_last)}"
        else:
            piece = self.escaped(text, is_last=is_last)
            if self.tag and piece[0] in "-_/":
                piece = "\\" + piece
        self.out.append(piece)
        self.star = self.tag = False
        self.plain = True

    def escaped(self, text: str, *, is_last: bool) -> str:
        return escape_label(text) if self.in_label else escape_piece(text, is_last=is_last)

    def write_atom(self, atom: Mark, text: str) -> None:
        match atom.style:
            case "code":
                # ``[`a]: b`](…)`` at the start of a line would be a definition.
                self.mark_up(code_span(text.replace("]:", f"]{ZERO_WIDTH}:") if self.in_label else text))
            case "picture":
                self.mark_up(atom.value)
            case "wiki":
                self.escape_before_link()
                self.mark_up(wikilink(atom.value, text))
            case "url":
                piece = url_markdown(self.line, atom)
                if piece[0] == "[":
                    self.escape_before_link()
                elif self.needs_reference and piece[0] != "<":
                    piece = f"<{piece}>"  # the delimiter before it works next to `<`
                self.mark_up(piece)
            case _:
                self.mark_up(atom.value)
                self.tag = True

    def escape_before_link(self) -> None:
        """Escape a character that changes a following link: ``!`` embeds it, ``^`` makes a footnote, ``[`` a
        wikilink.
        """
        if self.plain and self.last() in ("!", "^", "["):
            piece = self.out[-1]
            self.out[-1] = f"{piece[:-2]}&#91;" if piece[-1] == "[" else f"{piece[:-1]}\\{piece[-1]}"

    def separate(self) -> None:
        """Insert a zero-width space if the last character would form markup with the next one (``<`` and ``%``)."""
        if self.plain and (self.last() in _MARKUP_STARTS or _OPEN_REFERENCE.search(self.out[-1])):
            self.out.append(ZERO_WIDTH)

    def close_label(self) -> None:
        """Escape a bracket at the end of a label, which would look like the end of a wikilink."""
        if self.plain and self.last() == "]":
            self.out[-1] = f"{self.out[-1][:-2]}&#93;"
