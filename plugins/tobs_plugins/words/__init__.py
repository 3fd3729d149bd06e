"""Functions for templates that count and cut words."""

from tobs_plugins.words.plugin import Words, WordsConfig

__all__ = ["Words", "WordsConfig"]
