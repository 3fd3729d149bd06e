"""The staging folder: verified files under their hash, waiting to be placed in the vault."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from msgspec import Struct

from tobs.errors import VaultUnwritable


class Settled(Struct, frozen=True):
    """A file in the staging folder: its place, the SHA-256 of its bytes (hex) and their number."""

    path: Path
    sha256: str
    size: int


def settle(file: Path, staging: Path, suffix: str) -> Settled:
    """Hash ``file``, sync it and move it to its place in ``staging``: named by content, so the same bytes twice are
    one file. Blocks; raises VaultUnwritable."""
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
    return Settled(place, digest, size)


def unwritable(folder: Path, error: OSError) -> VaultUnwritable:
    """``error`` of the operating system while working in ``folder``, in words for the owner."""
    return VaultUnwritable(
        f"Files cannot be kept in {folder}: {error.strerror or error}.",
        "Make room or mend the folder's permissions, then run the same command again.",
    )
