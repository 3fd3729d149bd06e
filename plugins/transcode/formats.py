"""What Obsidian plays, and what has to be done to a file that it does not.

Source: Obsidian help, 'Accepted file formats'; codecs: those of Chromium, in which Obsidian runs on computers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import av

#: Endings that Obsidian plays, if their codecs are known to it. tobs calls .oga and .opus .ogg in the vault.
_PLAYED = frozenset(
    [".mp3", ".ogg", ".oga", ".opus", ".m4a", ".wav", ".flac", ".webm", ".3gp", ".mp4", ".mov", ".mkv", ".ogv"]
)

#: Endings of sound and film that people send and Obsidian does not play.
_UNPLAYED = frozenset(
    [
        *(".amr", ".awb", ".wma", ".aac", ".aif", ".aiff", ".aifc", ".ape", ".wv", ".mka", ".ac3", ".dts", ".au"),
        *(".m4b", ".caf", ".tta", ".ra", ".mpc", ".spx", ".mp2", ".gsm"),
        *(".avi", ".wmv", ".flv", ".mpg", ".mpeg", ".m4v", ".ts", ".mts", ".m2ts", ".vob", ".asf", ".rm", ".3g2"),
    ]
)

_SOUNDS = frozenset(["mp3", "vorbis", "opus", "flac", "aac", "pcm_s16le", "pcm_s24le", "pcm_u8", "pcm_f32le"])
_FILMS = frozenset(["h264", "vp8", "vp9", "av1"])

#: Codecs that may be copied as they are: into MP4, and what a sound alone is then called.
_INTO_MP4 = frozenset(["aac", "mp3"])
_SOUND_FILES = {"aac": ".m4a", "mp3": ".mp3"}


class Plan(Struct, frozen=True):
    """What is to be made: a file that ends in ``suffix``, picture and sound copied as they are or converted."""

    suffix: str
    copies_film: bool
    copies_sound: bool


def may_be_media(suffix: str, mime: str) -> bool:
    """Whether a file is worth looking into."""
    return suffix in _PLAYED or suffix in _UNPLAYED or mime.startswith(("audio/", "video/"))


def is_played(suffix: str) -> bool:
    """Whether Obsidian plays files with this ending (in lower case, with its dot)."""
    return suffix in _PLAYED


def plan_for(path: Path, *, max_seconds: float) -> Plan | None:
    """What is to be done to the file at ``path``; None when Obsidian plays it, when it holds neither sound nor film, or
    when it has a film to be converted that is longer than ``max_seconds``. Raises av.FFmpegError."""
    import av

    with av.open(str(path)) as container:
        films = film_streams(container)
        sounds = [_codec(stream) for stream in container.streams.audio[:1]]
        pictures = [_codec(stream) for stream in films[:1]]
        length = (container.duration or 0) / av.time_base
    if not sounds and not pictures:
        return None
    fit_sound = all(codec in _SOUNDS for codec in sounds)
    fit_film = all(codec in _FILMS for codec in pictures)
    if is_played(path.suffix.lower()) and fit_sound and fit_film:
        return None
    if not pictures:
        suffix = _SOUND_FILES.get(sounds[0], "")
        return Plan(suffix or ".mp3", copies_film=True, copies_sound=bool(suffix))
    if not fit_film and length > max_seconds:
        return None
    return Plan(".mp4", copies_film=fit_film, copies_sound=all(codec in _INTO_MP4 for codec in sounds))


def film_streams(container: av.container.InputContainer) -> list[av.VideoStream]:
    """The films in a file; the cover of a song is none."""
    import av

    return [s for s in container.streams.video if av.stream.Disposition.attached_pic not in s.disposition]


def _codec(stream: av.stream.Stream) -> str:
    """The codec's usual name, whatever library decodes it; empty for one nobody knows."""
    context = stream.codec_context
    return str(context.codec.canonical_name) if context is not None else ""
