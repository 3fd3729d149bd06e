"""The staging folder: verified files named by their hash, waiting to be attached to the vault."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from msgspec import Struct

from tobs.errors import VaultUnwritable


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
        f"Files cannot be stored in {folder}: {error.strerror or error}.",
        "Free some space or correct the permissions of the folder, then run the same command again.",
    )
