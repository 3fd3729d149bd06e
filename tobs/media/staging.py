"""The staging folder: verified files named by their hash, waiting to be attached to the vault."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
from pathlib import Path, PurePosixPath

from msgspec import Struct

from tobs.errors import VaultUnwritable

#: Python's own table, without the machine's: names must not depend on where tobs runs.
_TYPES = mimetypes.MimeTypes()

_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")

#: Types that Telegram sends and the platform's table lacks or names oddly.
_SUFFIXES = {
    "audio/ogg": ".oga",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "application/x-tgsticker": ".tgs",
    "video/webm": ".webm",
    "video/mp4": ".mp4",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
}


class StagedFile(Struct, frozen=True):
    """A file in the staging folder: its path, the SHA-256 of its bytes (hex) and their number."""

    path: Path
    sha256: str
    size: int


def stage_file(file: Path, staging: Path, suffix: str) -> StagedFile:
    """Hash ``file``, sync it and move it to ``staging``, named by its content, so that equal bytes are stored once.

    Blocks; raises VaultUnwritable.
    """
    try:
        with file.open("r+b") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
            size = os.fstat(handle.fileno()).st_size
            os.fsync(handle.fileno())
        staging.mkdir(parents=True, exist_ok=True)
        place = staging / f"{digest}{suffix}"
        file.replace(place)
    except OSError as error:
        raise unwritable(staging, error) from error
    return StagedFile(place, digest, size)


def unwritable(folder: Path, error: OSError) -> VaultUnwritable:
    """Make a VaultUnwritable of an ``error`` of the operating system in ``folder``."""
    return VaultUnwritable(
        f"Files cannot be kept in {folder}: {error.strerror or error}.",
        "Make room or mend the folder's permissions, then run the same command again.",
    )


def suffix_of(name: str, mime: str) -> str:
    """The ending of a file called ``name`` (may be empty) of type ``mime``: ``.mp3``; empty when neither tells."""
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if _SUFFIX.fullmatch(suffix):
        return suffix
    kind = mime.partition(";")[0].strip().lower()
    return _SUFFIXES.get(kind) or _TYPES.guess_extension(kind) or ""


def type_of(name: str) -> str:
    """The MIME type of a file called ``name``; empty when it does not tell."""
    return _TYPES.guess_type(name)[0] or ""
