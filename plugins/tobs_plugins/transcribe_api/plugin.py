"""The plugin ``transcribe-api``: transcribes a recording with a server."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tobs.plugin import EFFORT, SECRET, Item, Passage, Plugin, Requirement, Result, Unreadable, transcript
from tobs_plugins.transcribe_api.endpoint import Endpoint, FileRejected, Request, Transcription
from tobs_plugins.transcribe_api.languages import language_code

#: Servers detect the format by the suffix; the name of the file in Telegram is not sent.
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

#: Segments with this probability of no speech were invented by Whisper.
_NO_SPEECH = 0.8


class TranscribeApiConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``transcribe-api``."""

    base_url: Annotated[
        str, Meta(pattern=r"^(https?://[^\s]+)?$", description="Address of the server, including /v1")
    ] = ""
    key: Annotated[str, Meta(pattern=r"^[\x21-\x7e]*$", description="Key for the server, if it needs one"), SECRET] = ""
    model: Annotated[str, Meta(min_length=1, max_length=200, description="Name of the model")] = "whisper-1"
    language: Annotated[
        str, Meta(pattern=r"^(auto|[a-z]{2,3})$", description="A code (de), or auto: the server detects it")
    ] = "auto"
    kinds: Annotated[
        tuple[Literal["voice", "round", "audio", "video"], ...], Meta(description="Kinds of files that are transcribed")
    ] = ("voice", "round")
    times: Annotated[bool, Meta(description="Also list each sentence with its time and a player")] = True
    max_megabytes: Annotated[float, Meta(gt=0, le=2000, description="Largest file that is sent")] = 25
    timeout: Annotated[float, Meta(gt=0, le=900, description="Seconds without data from the server"), EFFORT] = 120
    retries: Annotated[int, Meta(ge=0, le=10, description="Further attempts after a failure"), EFFORT] = 4
    patience: Annotated[
        float, Meta(ge=0, le=900, description="Longest total wait between attempts, in seconds"), EFFORT
    ] = 180


class TranscribeApi(Plugin[TranscribeApiConfig]):
    """Transcribe voice and video messages with a server."""

    name = "transcribe-api"
    version = "1"
    summary = "Transcribes voice messages with a server that has OpenAI's interface (they are sent there)"
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
        """Require an address: without ``base_url`` nothing is sent anywhere."""
        if self.config.base_url:
            return None
        return Requirement("the option base_url", "set it in config.toml, under [plugins.transcribe-api]")

    def process(self, item: Item) -> Result | None:
        """Return the item's transcript; None if there is no speech, or the file is too large."""
        config = self.config
        if item.size > config.max_megabytes * 1_000_000:
            return None
        language = "" if config.language == "auto" else config.language
        mime = item.mime.partition(";")[0].strip().lower() or "application/octet-stream"
        name = f"{item.kind}.{_SUFFIXES.get(mime) or item.path.suffix.lstrip('.') or 'ogg'}"
        try:
            understood = self._endpoint.transcribe(Request(item.path, name, mime, language))
        except FileRejected as error:
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
