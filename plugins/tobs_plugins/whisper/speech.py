"""Transcribe sound: choose the language, and leave out segments without speech."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tobs.plugin import Passage
from tobs_plugins.whisper.sound import RATE

if TYPE_CHECKING:
    import numpy as np
    from faster_whisper import WhisperModel
    from numpy.typing import NDArray

#: Least seconds of speech to detect a language: one in eight shorter recordings was detected wrongly.
MIN_SECONDS = 3.0

#: Segments with this probability of no speech were invented ("You" for a chime: 0.90; speech: below 0.5).
_NO_SPEECH = 0.8


class WrongModel(Exception):
    """The model does not know the requested language."""


class Speech(Struct, frozen=True):
    """The transcript of a recording; ``language`` is empty if the recording was too short to detect it."""

    passages: tuple[Passage, ...]
    language: str


def load_model(folder: Path, *, threads: int, device: str) -> WhisperModel:
    """Load the model in ``folder``, with 8-bit weights."""
    from faster_whisper import WhisperModel

    return WhisperModel(str(folder), device=device, compute_type="int8", cpu_threads=threads, local_files_only=True)


def languages_of(option: str) -> list[str]:
    """Split the option: the codes in ``ru, en``; none for ``auto``."""
    codes = [code.strip().lower() for code in option.split(",") if code.strip()]
    return [] if codes == ["auto"] else codes


def transcribe(model: WhisperModel, sound: NDArray[np.float32], languages: Sequence[str], *, beam_size: int) -> Speech:
    """Transcribe ``sound`` in one of ``languages`` (any if there are none). Raises WrongModel."""
    language, is_sure = _choose(model, sound, languages)
    segments, info = model.transcribe(
        sound,
        language=language,
        beam_size=beam_size,
        vad_filter=True,  # without it Whisper invents words for silence
        condition_on_previous_text=False,  # otherwise one repetition becomes many
    )
    heard = tuple(
        Passage(round(float(s.start), 2), s.text.strip(), round(float(s.end), 2))
        for s in segments
        if s.no_speech_prob < _NO_SPEECH
    )
    return Speech(heard, info.language if is_sure else "")


def _choose(model: WhisperModel, sound: NDArray[np.float32], languages: Sequence[str]) -> tuple[str | None, bool]:
    """Choose the language: (code, whether it is sure); the model detects it if the code is None."""
    if not model.model.is_multilingual:
        # Given another language, it would answer in English all the same.
        if languages and "en" not in languages:
            raise WrongModel(f"the model knows English only, not {', '.join(languages)}")
        return "en", True
    if unknown := [code for code in languages if code not in model.supported_languages]:
        raise WrongModel(f"{unknown[0]!r} is no language that the model knows; languages have codes such as en, de, ru")
    is_long_enough = len(sound) > MIN_SECONDS * RATE
    if len(languages) == 1 or (languages and not is_long_enough):
        return languages[0], True
    if not languages:
        return None, is_long_enough
    _, _, likely = model.detect_language(sound, vad_filter=True)
    chances = dict(likely)
    return max(languages, key=lambda code: chances.get(code, 0.0)), True
