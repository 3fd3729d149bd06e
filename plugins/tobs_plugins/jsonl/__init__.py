"""The messages of a run as JSON Lines."""

from tobs_plugins.jsonl.plugin import JsonLines, JsonLinesConfig

__all__ = ["JsonLines", "JsonLinesConfig"]
