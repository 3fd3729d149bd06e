"""The plugin ``waveform``: makes a picture of a recording, and measures its duration and loudness."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

from msgspec import Meta, Struct

from tobs.plugin import FieldValue, Item, NewFile, Plugin, Requirement, Result, Unreadable
from tobs_plugins.waveform.drawing import draw
from tobs_plugins.waveform.sound import NoSound, listen


class WaveformConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``waveform``."""

    bars: Annotated[int, Meta(ge=20, le=500, description="Number of bars in the picture")] = 100
    colour: Annotated[
        str, Meta(pattern="^(#[0-9a-fA-F]{3,8}|[a-z]{3,30})$", description="Colour of the bars, in CSS notation")
    ] = "#8080a8"
    max_minutes: Annotated[int, Meta(ge=1, le=600, description="Longest recording that is measured")] = 180


class Waveform(Plugin[WaveformConfig]):
    """Draw the waveform of music and voice messages, and measure their duration and loudness."""

    name = "waveform"
    version = "1"
    summary = "Waveform as a small picture, duration and loudness of audio files"
    handles = frozenset({"audio", "voice"})
    band = "describe"
    time_limit = 300.0
    batch = 10

    def available(self) -> Requirement | None:
        """Check for PyAV, which comes with an extra."""
        return None if find_spec("av") else Requirement("the package PyAV", "pip install av pillow")

    def process(self, item: Item) -> Result | None:
        """Return the item's waveform; None for a recording without sound, or one that is too long."""
        try:
            sound = listen(item.path, max_seconds=60 * self.config.max_minutes)
        except NoSound as error:
            raise Unreadable(str(error)) from error
        if sound is None or not sound.peaks:
            return None
        path = item.new_file("waveform.svg")
        path.write_text(draw(sound.peaks, self.config.bars, self.config.colour), encoding="ascii")
        fields: dict[str, FieldValue] = {"duration": round(sound.seconds, 1)}
        if sound.loudness is not None:
            fields["loudness"] = round(sound.loudness, 1)
        return Result(fields=fields, files=(NewFile(path, "waveform"),))
