"""What a file lacks, written into a copy of it: title, performer, cover."""

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

#: What each kind of tags calls title and performer; Vorbis comments and APEv2 compare without case.
_MP4 = ("\xa9nam", "\xa9ART")
_ASF = ("Title", "Author")
_PLAIN = ("title", "artist")

#: AC-3 and raw AAC have no tags; what else cannot be written stays as it is.
_DAMAGE = (NotImplementedError, struct.error, ValueError, LookupError, OverflowError, RecursionError)


class Known(Struct, frozen=True):
    """What is known of a file beside itself; ``picture`` is a JPEG. Empty where nothing is."""

    title: str = ""
    performer: str = ""
    picture: bytes = b""


def write_missing(path: Path, target: Path, known: Known) -> bool:
    """Make ``target`` a copy of the file at ``path`` with what it lacks of ``known`` (title and performer are empty
    where it has them). Whether there was something to write and its format can have it; else there is no ``target``."""
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
