"""Write a missing title, performer and cover into a copy of a file."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from typing import Any

import mutagen
from msgspec import Struct
from mutagen.asf import ASF
from mutagen.id3 import ID3, TIT2, TPE1
from mutagen.mp4 import MP4

from tobs_plugins.tags.pictures import add_picture, has_picture, is_jpeg

#: Names of title and performer in each kind of tags; Vorbis comments and APEv2 ignore case.
_MP4 = ("\xa9nam", "\xa9ART")
_ASF = ("Title", "Author")
_PLAIN = ("title", "artist")

#: Errors of files that cannot be written (AC-3 and raw AAC have no tags); they stay as they are.
_DAMAGE = (NotImplementedError, struct.error, ValueError, LookupError, OverflowError, RecursionError)


class Known(Struct, frozen=True):
    """Telegram's values for a file; ``picture`` is a JPEG. Unknown values are empty."""

    title: str = ""
    performer: str = ""
    picture: bytes = b""


def write_missing(path: Path, target: Path, known: Known) -> bool:
    """Copy the file at ``path`` to ``target`` and add the values of ``known`` (empty if the file has its own).

    Return False, and leave no ``target``, if there is nothing to write or the format cannot hold it.
    """
    try:
        file = mutagen.File(path)
        if file is None:
            return False
        picture = known.picture if is_jpeg(known.picture) and not has_picture(file) else b""
        if not (known.title or known.performer or picture):
            return False
        shutil.copyfile(path, target)
        _write(mutagen.File(target), known, picture)
    except (mutagen.MutagenError, *_DAMAGE):
        target.unlink(missing_ok=True)
        return False
    return True


def _write(file: Any, known: Known, picture: bytes) -> None:
    if file.tags is None:
        file.add_tags()
    if isinstance(file.tags, ID3):
        for kind, text in ((TIT2, known.title), (TPE1, known.performer)):
            if text:
                file.tags.add(kind(encoding=3, text=[text]))
    else:
        names = _MP4 if isinstance(file, MP4) else _ASF if isinstance(file, ASF) else _PLAIN
        for name, text in zip(names, (known.title, known.performer), strict=True):
            if text:
                file.tags[name] = [text]
    if picture:
        add_picture(file, picture)
    file.save()
