"""The plugin ``transcribe-api``: one recording in, what a server understood out."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tobs.plugin import EFFORT, SECRET, Item, Passage, Plugin, Requirement, Result, Unreadable, transcript
from tobs_plugins.transcribe_api.endpoint import Endpoint, NotThisFile, Request, Transcription
from tobs_plugins.transcribe_api.languages import language_code

#: Servers tell the format by the name; what a file is called in Telegram is nobody's business there.
_SUFFIXES = {
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/x-m4a": "m4a",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "video/mp4": "mp4",
    "video/webm": "webm",
}

#: A segment that is this likely no speech is one that Whisper made up.
_NO_SPEECH = 0.8


class TranscribeApiConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``transcribe-api``."""

    base_url: Annotated[
        str, Meta(pattern=r"^(https?://[^\s]+)?$", description="Address of the server, up to and with /v1")
    ] = ""
    key: Annotated[str, Meta(pattern=r"^[\x21-\x7e]*$", description="Its key, if it wants one"), SECRET] = ""
    model: Annotated[str, Meta(min_length=1, max_length=200, description="The model to ask for")] = "whisper-1"
    language: Annotated[
        str, Meta(pattern=r"^(auto|[a-z]{2,3})$", description="A code (de), or auto: the server tells it")
    ] = "auto"
    kinds: Annotated[
        tuple[Literal["voice", "round", "audio", "video"], ...], Meta(description="What is transcribed")
    ] = ("voice", "round")
    times: Annotated[bool, Meta(description="Also list what is said when, with players")] = True
    max_megabytes: Annotated[float, Meta(gt=0, le=2000, description="Larger files are left alone")] = 25
    timeout: Annotated[float, Meta(gt=0, le=900, description="Seconds without a sign from the server"), EFFORT] = 120
    retries: Annotated[int, Meta(ge=0, le=10, description="Further attempts after a failure"), EFFORT] = 4
    patience: Annotated[float, Meta(ge=0, le=900, description="Seconds waited between attempts in all"), EFFORT] = 180


class TranscribeApi(Plugin[TranscribeApiConfig]):
    """Has a server write down what is said in voice and video messages."""

    name = "transcribe-api"
    version = "1"
    summary = "Has a server with OpenAI's interface write down voice messages (they are sent there)"
    opt_in = True
    handles = frozenset({"voice", "round", "audio", "video"})
    band = "describe"
    bound = "network"
    processes = 4
    batch = 10
    time_limit = 1800.0

    def __init__(self, config: TranscribeApiConfig) -> None:
        super().__init__(config)
        self.handles = frozenset(config.kinds)

    def available(self) -> Requirement | None:
        """Nothing is sent anywhere before somebody said where."""
        if self.config.base_url:
            return None
        return Requirement("the option base_url", "set it in config.toml, under [plugins.transcribe-api]")

    def process(self, item: Item) -> Result | None:
        """The item's words; None when there are none, or it is too large."""
        config = self.config
        if item.size > config.max_megabytes * 1_000_000:
            return None
        language = "" if config.language == "auto" else config.language
        mime = item.mime.partition(";")[0].strip().lower() or "application/octet-stream"
        name = f"{item.kind}.{_SUFFIXES.get(mime) or item.path.suffix.lstrip('.') or 'ogg'}"
        try:
            understood = self._endpoint.transcribe(Request(item.path, name, mime, language))
        except NotThisFile as error:
            raise Unreadable(str(error)) from error
        passages = _passages(understood)
        return transcript(
            passages,
            language=language_code(understood.language) or language,
            times=config.times and understood.segments is not None,
        )

    @cached_property
    def _endpoint(self) -> Endpoint:
        config = self.config
        return Endpoint(
            config.base_url,
            key=config.key,
            model=config.model,
            timeout=config.timeout,
            retries=config.retries,
            patience=config.patience,
        )


def _passages(understood: Transcription) -> list[Passage]:
    if understood.segments is None:
        return [Passage(0.0, understood.text.strip())]
    return [
        Passage(max(0.0, round(segment.start, 2)), segment.text.strip(), round(segment.end, 2))
        for segment in understood.segments
        if segment.no_speech_prob < _NO_SPEECH
    ]
