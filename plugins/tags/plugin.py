"""The plugin ``tags``: one file in, front-matter fields out."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from tobs.plugin import Item, Plugin, Requirement, Result, Unreadable
from tobs_plugins.tags.reader import NotAudio, read_tags


class TagsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``tags``."""

    max_length: Annotated[int, Meta(ge=10, le=2000, description="Longest text taken from a tag, in characters")] = 200


class Tags(Plugin[TagsConfig]):
    """Reads title, performer, album, genre, year, track, duration, bitrate and format."""

    name = "tags"
    version = "1"
    summary = "Reads the tags of audio files into front matter"
    handles = frozenset({"audio", "voice"})
    band = "read"
    bound = "io"
    time_limit = 20.0
    memory_limit = 512 * 2**20

    def available(self) -> Requirement | None:
        """mutagen comes with tobs; it may be missing where tobs was taken apart."""
        try:
            import mutagen  # noqa: F401
        except ModuleNotFoundError:
            return Requirement("the package mutagen", "pip install mutagen")
        return None

    def process(self, item: Item) -> Result | None:
        """The item's tags as fields; None when the file tells nothing."""
        try:
            fields = read_tags(item.path, self.config.max_length)
        except NotAudio as error:
            raise Unreadable(str(error)) from error
        return Result(fields=fields) if fields else None
