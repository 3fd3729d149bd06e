"""Formats that Obsidian plays, and the conversion of the others.

Source: Obsidian help, 'Accepted file formats'; codecs: those of Chromium, which Obsidian uses on computers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import av

#: Suffixes that Obsidian plays if it knows the codecs. tobs names .oga and .opus files .ogg in the vault.
_PLAYED = frozenset(
    [".mp3", ".ogg", ".oga", ".opus", ".m4a", ".wav", ".flac", ".webm", ".3gp", ".mp4", ".mov", ".mkv", ".ogv"]
)

#: Suffixes of sound and video that Obsidian does not play.
_UNPLAYED = frozenset(
    [
        *(".amr", ".awb", ".wma", ".aac", ".aif", ".aiff", ".aifc", ".ape", ".wv", ".mka", ".ac3", ".dts", ".au"),
        *(".m4b", ".caf", ".tta", ".ra", ".mpc", ".spx", ".mp2", ".gsm"),
        *(".avi", ".wmv", ".flv", ".mpg", ".mpeg", ".m4v", ".ts", ".mts", ".m2ts", ".vob", ".asf", ".rm", ".3g2"),
    ]
)

_SOUNDS = frozenset(["mp3", "vorbis", "opus", "flac", "aac", "pcm_s16le", "pcm_s24le", "pcm_u8", "pcm_f32le"])
_FILMS = frozenset(["h264", "vp8", "vp9", "av1"])

#: Codecs that can be copied into MP4, and the suffix of a copied sound.
_INTO_MP4 = frozenset(["aac", "mp3"])
_SOUND_FILES = {"aac": ".m4a", "mp3": ".mp3"}


class Plan(Struct, frozen=True):
    """A conversion: the new ``suffix``; picture and sound are copied or converted."""

    suffix: str
    copies_film: bool
    copies_sound: bool


def may_be_media(suffix: str, mime: str) -> bool:
    """Report whether a file may be sound or video."""
    return suffix in _PLAYED or suffix in _UNPLAYED or mime.startswith(("audio/", "video/"))


def is_played(suffix: str) -> bool:
    """Report whether Obsidian plays files with this suffix (in lower case, with its dot)."""
    return suffix in _PLAYED


def plan_for(path: Path, *, max_seconds: float) -> Plan | None:
    """Plan the conversion of the file at ``path``.

    Return None if Obsidian plays it, if it has neither sound nor video, or if its video must be converted and is longer
    than ``max_seconds``. Raises av.FFmpegError.
    """
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
    """Return the video streams of a file, without the cover of a song."""
    import av

    return [s for s in container.streams.video if av.stream.Disposition.attached_pic not in s.disposition]


def _codec(stream: av.stream.Stream) -> str:
    """Return the codec's usual name, independent of the decoding library; empty if it is unknown."""
    context = stream.codec_context
    return str(context.codec.canonical_name) if context is not None else ""
