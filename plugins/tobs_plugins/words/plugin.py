"""The plugin ``words``: functions for templates about the words of a text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Annotated

from msgspec import Meta, Struct

from tobs.plugin import Plugin

#: Markdown around the words: addresses of links.
_ADDRESS = re.compile(r"\]\([^)\s]*\)|\[\[[^\]|]*\|")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


class WordsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``words``."""

    per_minute: Annotated[int, Meta(ge=50, le=1000, description="Words read per minute")] = 230


class Words(Plugin[WordsConfig]):
    """Count words and cut texts in templates."""

    name = "words"
    version = "1"
    summary = "Functions for templates: word_count, reading_minutes, excerpt"

    def template_functions(self) -> Mapping[str, Callable[..., object]]:
        """Return the functions by their names."""
        return {"word_count": word_count, "reading_minutes": self.reading_minutes, "excerpt": excerpt}

    def reading_minutes(self, text: str) -> int:
        """Return the reading time of ``text`` in minutes, rounded up; 0 for no text."""
        return math.ceil(word_count(text) / self.config.per_minute)


def word_count(text: str) -> int:
    """Count the words of ``text`` (Markdown)."""
    return len(_WORD.findall(_ADDRESS.sub(" ", text)))


def excerpt(text: str, words: int = 20) -> str:
    """Return the first ``words`` words of ``text`` on one line, without Markdown, and an ellipsis if it was cut."""
    found = [match.group() for match in _WORD.finditer(_ADDRESS.sub(" ", text))]
    return " ".join(found[:words]) + ("…" if len(found) > words else "")
