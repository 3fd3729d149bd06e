"""Pictures inside audio files of every format.

Sources: https://mutagen.readthedocs.io, https://id3.org/id3v2.4.0-frames (APIC),
https://xiph.org/flac/format.html#metadata_block_picture, https://wiki.hydrogenaudio.org/index.php?title=APE_key
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mutagen
from mutagen.flac import Picture

from tobs.plugin import reason_of

#: The type of a front cover in ID3, FLAC and Windows Media.
_FRONT = 3


#: Exceptions of mutagen for truncated or malicious files.
_DAMAGE = (struct.error, ValueError, LookupError, OverflowError, EOFError, RecursionError)


class NotAudio(Exception):
    """The file is no audio file that mutagen can read."""


def embedded_pictures(path: Path) -> list[bytes]:
    """Return the stored bytes of the pictures in the file at ``path``, the front cover first. Raises NotAudio."""
    try:
        file = mutagen.File(path)
        if file is None:
            return []  # a format without pictures; ``tags`` reports files that are no audio
        found = list(_pictures(file))
    except (*_DAMAGE, mutagen.MutagenError) as error:
        raise NotAudio(f"not readable as audio: {reason_of(error)}") from error
    # Sorting is stable: of several front covers the first one stays the first.
    return [data for kind, data in sorted(found, key=lambda each: each[0] != _FRONT) if data]


def _pictures(file: Any) -> Iterator[tuple[int, bytes]]:
    """Return (kind, data) of every picture."""
    for picture in getattr(file, "pictures", ()):  # FLAC
        yield picture.type, picture.data
    for key, value in dict(file.tags or {}).items():
        name = str(key).lower()
        if name.startswith("apic"):  # ID3
            yield int(value.type), value.data
        elif name == "covr":  # MP4
            for data in value:
                yield _FRONT, bytes(data)
        elif name == "metadata_block_picture":  # Ogg
            yield from _ogg_pictures(value)
        elif name.startswith("cover art ("):  # APEv2: a file name, a zero byte, the picture
            yield (_FRONT if "front" in name else 0), bytes(value.value).partition(b"\0")[2]
        elif name == "wm/picture":  # Windows Media
            for attribute in value:
                yield _asf_picture(bytes(attribute.value))


def _ogg_pictures(values: list[str]) -> Iterator[tuple[int, bytes]]:
    for text in values:
        try:
            picture = Picture(base64.b64decode(text))
        except (binascii.Error, mutagen.MutagenError, struct.error, ValueError):
            continue  # the next picture may be readable
        yield picture.type, picture.data


def _asf_picture(data: bytes) -> tuple[int, bytes]:
    """Parse type (one byte), length (four), MIME type and description (UTF-16, ended by zeros), and the picture."""
    kind, at = data[0], 5
    for _ in range(2):
        while data[at : at + 2] not in (b"\0\0", b"", b"\0"):
            at += 2
        at += 2
    return kind, data[at:]
