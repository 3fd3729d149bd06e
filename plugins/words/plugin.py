"""The plugin ``words``: what templates can do with the words of a text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Annotated

from msgspec import Meta, Struct

from tobs.plugin import Plugin

#: What Markdown adds to the words: addresses of links, and signs.
_ADDRESS = re.compile(r"\]\([^)\s]*\)|\[\[[^\]|]*\|")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


class WordsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``words``."""

    per_minute: Annotated[int, Meta(ge=50, le=1000, description="Words that are read in a minute")] = 230


class Words(Plugin[WordsConfig]):
    """Counts words and cuts texts, in templates."""

    name = "words"
    version = "1"
    summary = "Functions for templates: word_count, reading_minutes, excerpt"

    def template_functions(self) -> Mapping[str, Callable[..., object]]:
        """The functions by their names."""
        return {"word_count": word_count, "reading_minutes": self.reading_minutes, "excerpt": excerpt}

    def reading_minutes(self, text: str) -> int:
        """In how many minutes ``text`` is read; 0 where there is nothing to read."""
        return math.ceil(word_count(text) / self.config.per_minute)


def word_count(text: str) -> int:
    """How many words ``text`` (Markdown) has."""
    return len(_WORD.findall(_ADDRESS.sub(" ", text)))


def excerpt(text: str, words: int = 20) -> str:
    """The first ``words`` words of ``text`` on one line, without Markdown; what is cut off is an ellipsis."""
    found = [match.group() for match in _WORD.finditer(_ADDRESS.sub(" ", text))]
    return " ".join(found[:words]) + ("…" if len(found) > words else "")
