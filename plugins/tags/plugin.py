"""The plugin ``tags``: one file in, front-matter fields out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tobs.plugin import Item, Plugin, Requirement, Result, Section, Unreadable
from tobs_plugins.tags.reader import NotAudio, Told, read_all
from tobs_plugins.tags.writer import Known, write_missing


class TagsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``tags``."""

    max_length: Annotated[int, Meta(ge=10, le=2000, description="Longest text taken from a tag, in characters")] = 200
    lyrics: Annotated[bool, Meta(description="Show the words of a song")] = True
    write: Annotated[
        Literal["no", "copy", "in-place"],
        Meta(description="Write title, performer and cover, as Telegram has them, into music without"),
    ] = "no"


class Tags(Plugin[TagsConfig]):
    """Reads title, performer, album, genre, year, track, duration, bitrate, format, ReplayGain, chapters and lyrics."""

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
            self.sees = "message"  # what Telegram knows of the file comes with it
            self.thumbnails = True

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
            told = read_all(item.path, self.config.max_length)
        except NotAudio as error:
            raise Unreadable(str(error)) from error
        written = self._written(item, told)
        if written is not None:
            told = read_all(written, self.config.max_length)
        sections = []
        if told.chapters:
            sections.append(Section("Chapters", passages=told.chapters, folded=True))
        if told.lyrics and self.config.lyrics:
            sections.append(Section("Lyrics", told.lyrics, plain=True, folded=True))
        is_in_place = written is not None and self.config.write == "in-place"
        return Result(fields=told.fields, sections=tuple(sections), replacement=written, in_place=is_in_place)

    def _written(self, item: Item, told: Told) -> Path | None:
        """A copy with the title, performer and cover that the file itself lacks; None when it lacks nothing."""
        if self.config.write == "no" or item.kind != "audio" or item.file is None:
            return None
        title = "" if told.fields.get("title") else item.file.title
        performer = "" if told.fields.get("performer") else item.file.performer
        known = Known(title, performer, item.thumbnail.read_bytes() if item.thumbnail else b"")
        target = item.new_file(f"tagged{item.path.suffix}")
        return target if write_missing(item.path, target, known) else None
