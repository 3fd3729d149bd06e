"""The plugin ``cover``: makes a picture from a file."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

from msgspec import Meta, Struct

from tobs.plugin import Item, NewFile, Plugin, Requirement, Result, Unreadable
from tobs_plugins.cover.embedded import NotAudio, embedded_pictures
from tobs_plugins.cover.frames import NotVideo, measured_duration, preview_frame
from tobs_plugins.cover.pictures import NoPicture, as_cover, as_jpeg


class CoverConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``cover``."""

    max_side: Annotated[int, Meta(ge=64, le=8000, description="Longest side of a picture, in pixels")] = 1200
    videos: Annotated[bool, Meta(description="Make a thumbnail of each video")] = True


class Cover(Plugin[CoverConfig]):
    """Extract the cover of audio files and a frame of videos, and measure the duration of videos."""

    name = "cover"
    version = "2"
    summary = "Covers of audio files and thumbnails of videos as attachments; durations of videos"
    handles = frozenset({"audio", "video", "round", "gif"})
    band = "read"
    after = ("tags",)
    time_limit = 60.0
    batch = 10

    def available(self) -> Requirement | None:
        """Check for PyAV and Pillow, which come with an extra."""
        for module, package in (("mutagen", "mutagen"), ("PIL", "Pillow"), ("av", "PyAV")):
            if find_spec(module) is None:
                return Requirement(f"the package {package}", "pip install av pillow")
        return None

    def process(self, item: Item) -> Result | None:
        """Return the item's picture as a file; None if it has none."""
        if item.kind != "audio":
            return self._film(item)
        try:
            pictures = embedded_pictures(item.path)
        except NotAudio as error:
            raise Unreadable(str(error)) from error
        for data in pictures:
            try:
                suffix, cover = as_cover(data, self.config.max_side)
            except NoPicture:
                continue  # the next picture may be readable
            path = item.new_file(f"cover{suffix}")
            path.write_bytes(cover)
            return Result(files=(NewFile(path, "cover"),))
        return None

    def _film(self, item: Item) -> Result | None:
        """Return the duration of a video, and a thumbnail of it."""
        try:
            plays = measured_duration(item.path)
            frame = preview_frame(item.path) if item.kind == "video" and self.config.videos else None
        except NotVideo as error:
            raise Unreadable(str(error)) from error
        if frame is None:
            return Result(plays=plays) if plays else None
        path = item.new_file("thumbnail.jpg")
        path.write_bytes(as_jpeg(frame, self.config.max_side))
        return Result(files=(NewFile(path, "thumbnail"),), plays=plays)
