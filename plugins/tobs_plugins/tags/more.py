"""Chapters, lyrics and ReplayGain of an audio file.

Sources: https://id3.org/id3v2-chapters-1.0 (CHAP), https://wiki.xiph.org/Chapter_Extension (CHAPTERxxx),
https://wiki.hydrogenaudio.org/index.php?title=ReplayGain_2.0_specification, RFC 7845 (R128_TRACK_GAIN).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import mutagen
from mutagen.id3 import ID3
from mutagen.mp4 import MP4

from tobs.plugin import FieldValue, Passage

#: Most chapters, and most characters of lyrics.
_MOST_CHAPTERS = 500
_MOST_LYRICS = 20_000

_GAIN = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,6})?")
_TIME = re.compile(r"(\d{1,4}):(\d{2}):(\d{2}(?:\.\d{1,6})?)")
_CHAPTER = re.compile(r"chapter(\d{3})")

#: ReplayGain has a target of -18 LUFS, the gain of Opus files one of -23 LUFS: 5 dB less.
_OPUS = 5.0

#: Keys of lyrics, in lower case.
_LYRICS = ("\xa9lyr", "lyrics", "unsyncedlyrics", "wm/lyrics")


def gains(file: mutagen.FileType) -> dict[str, FieldValue]:
    """Read the ReplayGain of the track and of its album in dB; only values that the file has."""
    tags = dict(_plain(file))
    found: dict[str, FieldValue] = {}
    for name in ("replaygain_track_gain", "replaygain_album_gain"):
        match = _GAIN.match(tags.get(name, "").strip())
        opus = _GAIN.fullmatch(tags.get(name.replace("replaygain", "r128"), "").strip())
        if match:
            found[name] = round(float(match[0]), 2)
        elif opus:
            found[name] = round(int(float(opus[0])) / 256 + _OPUS, 2)
    if isinstance(file.tags, ID3):  # an older frame for the same
        for frame in file.tags.getall("RVA2"):
            name = f"replaygain_{str(frame.desc).lower()}_gain"
            if name in ("replaygain_track_gain", "replaygain_album_gain") and math.isfinite(frame.gain):
                found.setdefault(name, round(float(frame.gain), 2))
    return found


def lyrics(file: mutagen.FileType) -> str:
    """Read the lyrics of a song; empty if the file has none."""
    if isinstance(file.tags, ID3):
        found = next((str(frame.text) for frame in file.tags.getall("USLT") if str(frame.text).strip()), "")
    else:
        tags = dict(_plain(file))
        found = next((tags[key] for key in _LYRICS if tags.get(key, "").strip()), "")
    lines = [" ".join(line.split()) for line in found[:_MOST_LYRICS].replace("\r\n", "\n").splitlines()]
    return "\n".join(lines).strip()


def chapters(file: mutagen.FileType) -> tuple[Passage, ...]:
    """Read the chapters of a podcast or audio book in order of time; none if the file has fewer than two."""
    found = sorted(_chapters(file), key=lambda chapter: chapter.start)[:_MOST_CHAPTERS]
    return tuple(found) if len(found) > 1 else ()


def _chapters(file: mutagen.FileType) -> Iterator[Passage]:
    if isinstance(file, MP4):
        for chapter in file.chapters or ():
            yield _passage(float(chapter.start), str(chapter.title))
    elif isinstance(file.tags, ID3):
        for frame in file.tags.getall("CHAP"):
            title = next((str(part) for part in frame.sub_frames.getall("TIT2")), "")
            yield _passage(frame.start_time / 1000, title)
    else:
        tags = dict(_plain(file))
        for key, value in tags.items():
            if _CHAPTER.fullmatch(key) and (match := _TIME.match(value.strip())):
                hours, minutes, seconds = (float(part) for part in match.groups())
                yield _passage(3600 * hours + 60 * minutes + seconds, tags.get(f"{key}name", ""))


def _passage(start: float, title: str) -> Passage:
    return Passage(max(0.0, start) if math.isfinite(start) else 0.0, " ".join(title[:1000].split())[:300])


def _plain(file: mutagen.FileType) -> Iterator[tuple[str, str]]:
    """Return tags with free names (Vorbis, APEv2, ASF, ID3's TXXX, iTunes' ``----``) with their first value."""
    for key, value in (file.tags or {}).items():
        name = str(key).lower().removeprefix("----:com.apple.itunes:")
        if isinstance(file.tags, ID3):
            if not name.startswith("txxx:"):
                continue
            name, value = name.removeprefix("txxx:"), value.text
        first = value[0] if isinstance(value, list) and value else value
        # Pictures may have megabytes; the values needed here are short.
        text = first[: 4 * _MOST_LYRICS].decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
        yield name, text
