"""The cover in an audio file: find it, and add it, in every format.

Sources: https://mutagen.readthedocs.io, https://id3.org/id3v2.4.0-frames (APIC),
https://xiph.org/flac/format.html#metadata_block_picture, https://wiki.hydrogenaudio.org/index.php?title=APE_key
"""

from __future__ import annotations

import base64
import struct
from typing import Any

from mutagen.apev2 import BINARY, APEv2, APEValue
from mutagen.asf import ASF, ASFByteArrayAttribute
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3
from mutagen.mp4 import MP4, MP4Cover

#: The type of a front cover in ID3, FLAC and Windows Media.
_FRONT = 3
_JPEG = "image/jpeg"

#: The first bytes of a JPEG, and the largest picture that is written: thumbnails have at most 320 pixels a side.
_BEGIN = b"\xff\xd8\xff"
_MOST_BYTES = 1_000_000

#: Prefixes of the keys of pictures, in lower case: ID3, MP4, Ogg, APEv2, Windows Media.
_PICTURES = ("apic", "covr", "metadata_block_picture", "coverart", "cover art", "wm/picture")


def is_jpeg(picture: bytes) -> bool:
    """Report whether ``picture`` is a JPEG that is small enough to be written into a file."""
    return picture.startswith(_BEGIN) and len(picture) <= _MOST_BYTES


def has_picture(file: Any) -> bool:
    """Report whether a file opened by mutagen has a picture."""
    return bool(getattr(file, "pictures", ())) or any(
        str(key).lower().startswith(_PICTURES) for key in (file.tags.keys() if file.tags else ())
    )


def add_picture(file: Any, picture: bytes) -> None:
    """Add ``picture`` (JPEG) as the front cover of a file opened by mutagen, which must have tags."""
    tags = file.tags
    if isinstance(file, FLAC):
        file.add_picture(_block(picture))
    elif isinstance(file, MP4):
        tags["covr"] = [MP4Cover(picture, MP4Cover.FORMAT_JPEG)]
    elif isinstance(file, ASF):
        # Type, length, MIME type and description (UTF-16, ended by zeros), the picture.
        head = struct.pack("<BI", _FRONT, len(picture)) + f"{_JPEG}\0\0".encode("utf-16-le")
        tags["WM/Picture"] = [ASFByteArrayAttribute(head + picture)]
    elif isinstance(tags, ID3):
        tags.add(APIC(encoding=3, mime=_JPEG, type=_FRONT, desc="", data=picture))
    elif isinstance(tags, APEv2):
        tags["Cover Art (Front)"] = APEValue(b"cover.jpg\0" + picture, BINARY)
    else:
        tags["metadata_block_picture"] = [base64.b64encode(_block(picture).write()).decode("ascii")]


def _block(data: bytes) -> Picture:
    picture = Picture()
    picture.type, picture.mime, picture.data = _FRONT, _JPEG, data
    return picture
