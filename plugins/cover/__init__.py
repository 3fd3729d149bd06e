"""Pictures of files: the cover in a song, a frame of a video, as attachments."""

from tobs_plugins.cover.plugin import Cover, CoverConfig

__all__ = ["Cover", "CoverConfig"]
