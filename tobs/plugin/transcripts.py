"""Transcripts of recordings as results, for every plugin that converts speech to text."""

from __future__ import annotations

from collections.abc import Sequence

from tobs.plugin.api import FieldValue, Passage, Result, Section

#: Seconds of silence after which a new paragraph begins.
_PAUSE = 2.0


def transcript(passages: Sequence[Passage], *, language: str = "", times: bool = True) -> Result | None:
    """Make a result with a transcript of the passages; None if they contain no speech.

    It has the text, with ``times`` also a folded list that plays each passage, and ``language`` (a code: ``en``), if
    known, as a property.
    """
    spoken = [passage for passage in passages if passage.text.strip()]
    if not spoken:
        return None
    sections = [Section("Transcript", _text(spoken), plain=True)]
    if times:
        sections.append(Section("Transcript by time", folded=True, passages=tuple(spoken)))
    fields: dict[str, FieldValue] = {"transcript_language": language} if language else {}
    return Result(fields=fields, sections=tuple(sections))


def _text(passages: Sequence[Passage]) -> str:
    """Join the passages, with a new paragraph after each pause."""
    text, end = "", None
    for passage in passages:
        if end is not None:
            text += "\n\n" if end and passage.start - end >= _PAUSE else " "
        text += passage.text.strip()
        end = passage.end
    return text
