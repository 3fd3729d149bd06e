"""The plugin ``tags``: reads the tags of a file into properties."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tobs.plugin import Item, Plugin, Requirement, Result, Section, Unreadable
from tobs_plugins.tags.reader import FileTags, NotAudio, read_all
from tobs_plugins.tags.writer import Known, write_missing


class TagsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``tags``."""

    max_length: Annotated[int, Meta(ge=10, le=2000, description="Longest text taken from a tag, in characters")] = 200
    lyrics: Annotated[bool, Meta(description="Show the lyrics of a song")] = True
    write: Annotated[
        Literal["no", "copy", "in-place"],
        Meta(description="Write Telegram's title, performer and cover into music that lacks them"),
    ] = "no"


class Tags(Plugin[TagsConfig]):
    """Read title, performer, album, genre, year, track, duration, bitrate, format, ReplayGain, chapters and lyrics."""

    name = "tags"
    version = "2"
    summary = "Reads the tags of audio files into front matter"
    handles = frozenset({"audio", "voice"})
    band = "read"
    bound = "io"
    time_limit = 20.0
    memory_limit = 512 * 2**20

    def __init__(self, config: TagsConfig) -> None:
        super().__init__(config)
        if config.write != "no":
            self.sees = "message"  # to get Telegram's title and performer
            self.thumbnails = True

    def available(self) -> Requirement | None:
        """Check for mutagen, which is a dependency of tobs but may be missing in a reduced installation."""
        try:
            import mutagen  # noqa: F401
        except ModuleNotFoundError:
            return Requirement("the package mutagen", "pip install mutagen")
        return None

    def process(self, item: Item) -> Result | None:
        """Return the item's tags as fields; None if it has none."""
        try:
            tags = read_all(item.path, self.config.max_length)
        except NotAudio as error:
            raise Unreadable(str(error)) from error
        written = self._written(item, tags)
        if written is not None:
            tags = read_all(written, self.config.max_length)
        sections = []
        if tags.chapters:
            sections.append(Section("Chapters", passages=tags.chapters, folded=True))
        if tags.lyrics and self.config.lyrics:
            sections.append(Section("Lyrics", tags.lyrics, plain=True, folded=True))
        is_in_place = written is not None and self.config.write == "in-place"
        return Result(fields=tags.fields, sections=tuple(sections), replacement=written, in_place=is_in_place)

    def _written(self, item: Item, tags: FileTags) -> Path | None:
        """Make a copy with the title, performer and cover that the file lacks; None if it lacks nothing."""
        if self.config.write == "no" or item.kind != "audio" or item.file is None:
            return None
        title = "" if tags.fields.get("title") else item.file.title
        performer = "" if tags.fields.get("performer") else item.file.performer
        known = Known(title, performer, item.thumbnail.read_bytes() if item.thumbnail else b"")
        target = item.new_file(f"tagged{item.path.suffix}")
        return target if write_missing(item.path, target, known) else None
