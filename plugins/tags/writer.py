"""Title and performer written into a copy of a file that has none."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import mutagen
from mutagen.asf import ASF
from mutagen.id3 import ID3, TIT2, TPE1
from mutagen.mp4 import MP4

#: What each kind of tags calls title and performer; Vorbis comments and APEv2 compare without case.
_MP4 = ("\xa9nam", "\xa9ART")
_ASF = ("Title", "Author")
_PLAIN = ("title", "artist")


def write_tags(path: Path, target: Path, *, title: str, performer: str) -> bool:
    """Make ``target`` a copy of the file at ``path`` with ``title`` and ``performer`` in its tags (an empty one is not
    written); whether its format can have them."""
    shutil.copyfile(path, target)
    try:
        file = mutagen.File(target)
        if file is None:
            return False
        if file.tags is None:
            file.add_tags()
        if isinstance(file.tags, ID3):
            for kind, text in ((TIT2, title), (TPE1, performer)):
                if text:
                    file.tags.add(kind(encoding=3, text=[text]))
        else:
            names = _MP4 if isinstance(file, MP4) else _ASF if isinstance(file, ASF) else _PLAIN
            for name, text in zip(names, (title, performer), strict=True):
                if text:
                    file.tags[name] = [text]
        file.save()
    except (
        mutagen.MutagenError,
        NotImplementedError,
        struct.error,
        ValueError,
        LookupError,
        OverflowError,
        RecursionError,
    ):
        return False  # AC-3 and raw AAC have no tags; what cannot be written stays as it is
    return True
