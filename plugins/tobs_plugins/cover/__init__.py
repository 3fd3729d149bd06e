"""Pictures of files as attachments: the cover in a song, a frame of a video."""

from tobs_plugins.cover.plugin import Cover, CoverConfig

__all__ = ["Cover", "CoverConfig"]
