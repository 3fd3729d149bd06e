"""The files by which a watch and other processes communicate: its status, and the request to pause."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from tobs.config.vault_paths import TOBS
from tobs.errors import VaultError
from tobs.vault.writer import NoteFile, write_batch

_STATUS = f"{TOBS}/watch.json"
_PAUSE = f"{TOBS}/watch.pause"

State = Literal["starting", "watching", "working", "quiet", "paused", "waiting", "offline", "stopped"]


class WatchStatus(Struct):
    """The status of a watch. Times are ISO 8601, UTC, empty before the first poll; counts are since the start."""

    pid: int
    started: str
    state: State = "starting"
    chats: int = 0
    last_look: str = ""
    next_look: str = ""
    new: int = 0
    edited: int = 0
    deleted: int = 0
    notes: int = 0
    problems: list[str] = []


def write_status(root: Path, status: WatchStatus) -> None:
    """Write the status file. Raises VaultUnwritable."""
    write_batch(root, [NoteFile(_STATUS, msgspec.json.format(msgspec.json.encode(status), indent=2).decode() + "\n")])


def read_status(root: Path) -> WatchStatus | None:
    """Return the last status of a watch; None if there was no watch or the file is damaged."""
    try:
        return msgspec.json.decode((root / _STATUS).read_bytes(), type=WatchStatus)
    except (OSError, msgspec.DecodeError):
        return None


def is_paused(root: Path) -> bool:
    """Return whether the owner paused the watch."""
    return (root / _PAUSE).exists()


def set_paused(root: Path, *, paused: bool) -> None:
    """Pause or resume the watch. Raises VaultError."""
    path = root / _PAUSE
    try:
        if paused:
            path.touch()
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise VaultError(f"{path} cannot be written: {error.strerror}.", "Check the permissions of .tobs.") from error
