"""Convert files that Obsidian cannot show: old sound formats, videos, HEIC photos, animated stickers."""

from tobs_plugins.transcode.plugin import Transcode, TranscodeConfig

__all__ = ["Transcode", "TranscodeConfig"]
