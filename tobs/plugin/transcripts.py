"""What was said in a recording, as a note shows it: for every plugin that writes speech down."""

from __future__ import annotations

from collections.abc import Sequence

from tobs.plugin.api import FieldValue, Passage, Result, Section

#: Seconds of silence after which a new paragraph begins.
_PAUSE = 2.0


def transcript(passages: Sequence[Passage], *, language: str = "", times: bool = True) -> Result | None:
    """The passages as a transcript: the text, with ``times`` also a folded list that plays each of them, and its
    ``language`` (a code: ``en``), where it is known, as a property. None when nothing was said."""
    said = [passage for passage in passages if passage.text.strip()]
    if not said:
        return None
    sections = [Section("Transcript", _text(said), plain=True)]
    if times:
        sections.append(Section("Transcript by time", folded=True, passages=tuple(said)))
    fields: dict[str, FieldValue] = {"transcript_language": language} if language else {}
    return Result(fields=fields, sections=tuple(sections))


def _text(passages: Sequence[Passage]) -> str:
    """All of it, a new paragraph after each pause."""
    text, end = "", None
    for passage in passages:
        if end is not None:
            text += "\n\n" if end and passage.start - end >= _PAUSE else " "
        text += passage.text.strip()
        end = passage.end
    return text
