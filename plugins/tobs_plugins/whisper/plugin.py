"""The plugin ``whisper``: transcribes a recording on this computer."""

from __future__ import annotations

from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from tobs.plugin import EFFORT, Item, Plugin, Requirement, Result, Unreadable, transcript
from tobs_plugins.whisper.models import NoModel, find_model
from tobs_plugins.whisper.sound import NoSound, decode
from tobs_plugins.whisper.speech import languages_of, load_model, transcribe

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

_NAME = "^[^\\x00-\\x1f]{1,1000}$"
_LANGUAGES = "^(auto|[a-z]{2,3}( *, *[a-z]{2,3})*)$"


class WhisperConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``whisper``."""

    model: Annotated[
        str,
        Meta(pattern=_NAME, description="Name of a model (tiny, base, small, medium, large-v3, turbo), or a folder"),
    ] = "small"
    language: Annotated[
        str,
        Meta(
            pattern=_LANGUAGES,
            description="auto; a code (de); or several codes, the most frequent first (ru, en)",
        ),
    ] = "auto"
    kinds: Annotated[
        tuple[Literal["voice", "round", "audio", "video"], ...], Meta(description="Kinds of files that are transcribed")
    ] = ("voice", "round")
    times: Annotated[bool, Meta(description="Also list each sentence with its time and a player")] = True
    max_minutes: Annotated[int, Meta(ge=1, le=600, description="Longest recording that is transcribed")] = 120
    beam_size: Annotated[int, Meta(ge=1, le=10, description="A larger value is slower and a little better")] = 5
    threads: Annotated[int, Meta(ge=0, le=256, description="Number of threads; 0: the library decides"), EFFORT] = 0
    device: Annotated[Literal["cpu", "cuda", "auto"], Meta(description="Device for the computation")] = "cpu"


class Whisper(Plugin[WhisperConfig]):
    """Transcribe voice and video messages."""

    name = "whisper"
    version = "1"
    summary = "Transcribes voice messages on this computer (Whisper)"
    handles = frozenset({"voice", "round", "audio", "video"})
    band = "describe"
    # One process: it loads the model once, and the model uses all processors.
    processes = 1
    time_limit = 3600.0
    memory_limit = 12 * 2**30

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__(config)
        self.handles = frozenset(config.kinds)

    def available(self) -> Requirement | None:
        """Check for faster-whisper, which comes with an extra, and for a model on this computer."""
        if find_spec("faster_whisper") is None:
            return Requirement("the package faster-whisper", "pip install faster-whisper")
        try:
            find_model(self.config.model)
        except NoModel as error:
            return Requirement(error.what, error.remedy)
        return None

    def process(self, item: Item) -> Result | None:
        """Return the item's transcript; None if there is no speech, or it is too long."""
        try:
            sound = decode(item.path, max_seconds=60 * self.config.max_minutes)
        except NoSound as error:
            raise Unreadable(str(error)) from error
        if sound is None:
            return None
        speech = transcribe(self._model, sound, languages_of(self.config.language), beam_size=self.config.beam_size)
        return transcript(speech.passages, language=speech.language, times=self.config.times)

    @cached_property
    def _model(self) -> WhisperModel:
        return load_model(find_model(self.config.model), threads=self.config.threads, device=self.config.device)
