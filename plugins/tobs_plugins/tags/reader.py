"""Tags of an audio file of any format as plain values."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import mutagen
from msgspec import Struct
from mutagen.asf import ASF
from mutagen.id3 import ID3
from mutagen.mp4 import MP4

from tobs.plugin import FieldValue, Passage, reason_of
from tobs_plugins.tags import more, names

_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_NUMBER = re.compile(r"\d{1,6}")
#: C0, C1, line and paragraph separators, and marks of text direction.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")


#: Exceptions of mutagen for truncated or malicious files.
_DAMAGE = (struct.error, ValueError, LookupError, OverflowError, EOFError, RecursionError)


#: First bytes of audio files that mutagen cannot read. Sources: RFC 4867 (AMR), RFC 8794 (Matroska), the
#: specifications of CAF, AU, MIDI and RealMedia.
_OTHERS = {
    b"#!AMR\n": "AMR",
    b"#!AMR-WB\n": "AMR",
    b"\x1aE\xdf\xa3": "Matroska",
    b"caff": "CAF",
    b".snd": "AU",
    b"MThd": "MIDI",
    b".RMF": "RealAudio",
}


class NotAudio(Exception):
    """The file is no audio file that mutagen can read."""


class FileTags(Struct, frozen=True):
    """Tags of a file: ``fields`` as in ``read_tags``, its chapters, and the lyrics of a song."""

    fields: dict[str, FieldValue]
    chapters: tuple[Passage, ...] = ()
    lyrics: str = ""


def read_tags(path: Path, max_length: int) -> dict[str, FieldValue]:
    """Read the tags of the file at ``path``; texts are cut to ``max_length`` characters.

    Keys: title, performer, album, genre (text), year, track, bitrate (kbit/s), duration (seconds), format,
    replaygain_track_gain, replaygain_album_gain (dB). A key is missing if the file has no value. Raises NotAudio.
    """
    return read_all(path, max_length).fields


def read_all(path: Path, max_length: int) -> FileTags:
    """Read fields, chapters and lyrics. Raises NotAudio."""
    try:
        file = mutagen.File(path)
        if file is None:
            return FileTags(_other_format(path))
        fields: dict[str, FieldValue] = {}
        for name, values in _tag_values(file).items():
            value = (
                _year(values) if name == "year" else _track(values) if name == "track" else _text(values, max_length)
            )
            if value:
                fields[name] = value
        return FileTags(fields | _sound(file) | more.gains(file), more.chapters(file), more.lyrics(file))
    except (*_DAMAGE, mutagen.MutagenError) as error:
        raise NotAudio(f"not readable as audio: {reason_of(error)}") from error


def _other_format(path: Path) -> dict[str, FieldValue]:
    """Detect the format of an audio file that mutagen does not know. Raises NotAudio."""
    with path.open("rb") as file:
        head = file.read(16)
    for start, name in _OTHERS.items():
        if head.startswith(start):
            return {"format": name}
    raise NotAudio("not readable as audio: no format that mutagen knows")


def _tag_values(file: mutagen.FileType) -> dict[str, list[str]]:
    """Return all values of each property; of several tags with the same meaning, the first one with a value."""
    tags = file.tags
    if not tags:
        return {}
    table = names.PLAIN
    if isinstance(tags, ID3):
        table = names.ID3
    elif isinstance(file, MP4):
        table = names.MP4
    elif isinstance(file, ASF):
        table = names.ASF
    # Vorbis and APEv2 keys compare without case; ASF's do not, and files write them both ways.
    known = tags if table in (names.ID3, names.MP4) else {str(key).lower(): tags[key] for key in tags.keys()}  # noqa: SIM118
    found = {}
    for name, keys in table.items():
        values = next((texts for key in keys if (texts := _texts(known, key))), [])
        if values:
            found[name] = values
    return found


def _texts(tags: Mapping[str, Any], key: str) -> list[str]:
    """Return the values of one tag as texts, without pictures and other bytes."""
    value = tags.get(key)
    if value is None:
        return []
    if hasattr(value, "genres"):  # ID3 genres may be numbers of a table
        value = value.genres
    values: Iterable[Any] = value if isinstance(value, (list, tuple)) else getattr(value, "text", [value])
    texts = []
    for part in values:
        if isinstance(part, tuple):  # MP4's (track, of)
            part = part[0] or ""
        if isinstance(part, bytes):
            continue
        texts.append(str(part))
    return [text for text in texts if text.strip()]


def _text(values: list[str], max_length: int) -> str:
    return _one_line(", ".join(dict.fromkeys(values)), max_length)


def _year(values: list[str]) -> int | None:
    """Read the year in ``2012``, ``2012-05-01`` or ``01.05.2012``."""
    match = _YEAR.search(values[0][:100])
    return int(match.group(1)) or None if match else None


def _track(values: list[str]) -> int | None:
    """Read the number in ``3``, ``03`` or ``3/12``."""
    match = _NUMBER.match(values[0][:100].strip())
    return int(match.group()) or None if match else None


def _sound(file: mutagen.FileType) -> dict[str, FieldValue]:
    """Return duration, bitrate and format of the sound."""
    info = file.info
    sound: dict[str, FieldValue] = {"format": _format(file)}
    length = getattr(info, "length", 0) or 0
    if math.isfinite(length) and 0 < length < 10**7:
        sound["duration"] = round(float(length), 1)
    bitrate = getattr(info, "bitrate", 0) or 0
    if math.isfinite(bitrate) and 500 <= bitrate < 10**9:
        sound["bitrate"] = round(bitrate / 1000)
    return sound


def _format(file: mutagen.FileType) -> str:
    """Return the usual name of the format: ``MP3``, ``FLAC``, ``Opus``, ``AAC``."""
    if isinstance(file, MP4):
        codec = str(getattr(file.info, "codec_description", "") or "MP4")
        return "AAC" if codec.startswith("AAC") else codec
    kind = type(file).__name__
    return _FORMATS.get(kind, kind.removeprefix("Ogg"))


_FORMATS = {
    "MonkeysAudio": "Monkey's Audio",
    "OggFLAC": "FLAC",
    "AC3": "AC-3",
    "ASF": "WMA",
    "WAVE": "WAV",
    "TrueAudio": "True Audio",
}


def _one_line(text: str, max_length: int) -> str:
    # Cut first: a real file has a tag of 70,000 characters, others may have megabytes.
    text = " ".join(_UNSEEN.sub(" ", text[: 4 * max_length]).split())
    return text if len(text) <= max_length else text[: max_length - 1].rstrip() + "…"
