"""Read the tags of audio files: title, performer, album, year, and facts about the sound."""

from tobs_plugins.tags.plugin import Tags, TagsConfig

__all__ = ["Tags", "TagsConfig"]
