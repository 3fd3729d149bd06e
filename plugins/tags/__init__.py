"""Reads the tags of audio files: title, performer, album, year, and what the sound is made of."""

from tobs_plugins.tags.plugin import Tags, TagsConfig

__all__ = ["Tags", "TagsConfig"]
