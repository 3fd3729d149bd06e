"""Another form of files that Obsidian cannot show: old sound formats, films, HEIC photos, animated stickers."""

from tobs_plugins.transcode.plugin import Transcode, TranscodeConfig

__all__ = ["Transcode", "TranscodeConfig"]
