"""From sound to words: which language, which segments, what of it is no speech."""

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

#: Seconds of speech from which a language can be told: of shorter ones, one in eight was told wrongly.
TELLING = 3.0

#: A segment that is this likely no speech is one that Whisper made up ("You" for a chime, 0.90; speech: below 0.5).
_NO_SPEECH = 0.8


class WrongModel(Exception):
    """The model does not know the language that is asked for."""


class Speech(Struct, frozen=True):
    """What is said in a recording; ``language`` is empty where it was too short to be sure."""

    passages: tuple[Passage, ...]
    language: str


def load_model(folder: Path, *, threads: int, device: str) -> WhisperModel:
    """The model in ``folder``, with 8-bit weights."""
    from faster_whisper import WhisperModel

    return WhisperModel(str(folder), device=device, compute_type="int8", cpu_threads=threads, local_files_only=True)


def languages_of(option: str) -> list[str]:
    """The codes in ``ru, en``; none for ``auto``."""
    codes = [code.strip().lower() for code in option.split(",") if code.strip()]
    return [] if codes == ["auto"] else codes


def transcribe(model: WhisperModel, sound: NDArray[np.float32], languages: Sequence[str], *, beam_size: int) -> Speech:
    """What is said in ``sound``, in one of ``languages`` (any when there are none). Raises WrongModel."""
    language, is_sure = _choose(model, sound, languages)
    segments, info = model.transcribe(
        sound,
        language=language,
        beam_size=beam_size,
        vad_filter=True,  # without it Whisper makes up words for silence
        condition_on_previous_text=False,  # else one repetition becomes many
    )
    heard = tuple(
        Passage(round(float(s.start), 2), s.text.strip(), round(float(s.end), 2))
        for s in segments
        if s.no_speech_prob < _NO_SPEECH
    )
    return Speech(heard, info.language if is_sure else "")


def _choose(model: WhisperModel, sound: NDArray[np.float32], languages: Sequence[str]) -> tuple[str | None, bool]:
    """(language, whether it is sure); None lets the model tell it."""
    if not model.model.is_multilingual:
        # Given another language, it would answer in English all the same.
        if languages and "en" not in languages:
            raise WrongModel(f"the model knows English only, not {', '.join(languages)}")
        return "en", True
    if unknown := [code for code in languages if code not in model.supported_languages]:
        raise WrongModel(f"{unknown[0]!r} is no language that the model knows; languages have codes such as en, de, ru")
    is_telling = len(sound) > TELLING * RATE
    if len(languages) == 1 or (languages and not is_telling):
        return languages[0], True
    if not languages:
        return None, is_telling
    _, _, likely = model.detect_language(sound, vad_filter=True)
    chances = dict(likely)
    return max(languages, key=lambda code: chances.get(code, 0.0)), True
