"""What a watch is doing, for who asks from outside: a small file in `.tobs`, and another one that pauses it."""

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
    """A watch as it told last. Times are ISO 8601, UTC, empty where nothing happened yet; counts are since it began."""

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
    """Tell how it stands. Raises VaultUnwritable."""
    write_batch(root, [NoteFile(_STATUS, msgspec.json.format(msgspec.json.encode(status), indent=2).decode() + "\n")])


def read_status(root: Path) -> WatchStatus | None:
    """What a watch told last; None where there never was one, or the file is damaged."""
    try:
        return msgspec.json.decode((root / _STATUS).read_bytes(), type=WatchStatus)
    except (OSError, msgspec.DecodeError):
        return None


def is_paused(root: Path) -> bool:
    """Whether the owner wants Telegram left alone for now."""
    return (root / _PAUSE).exists()


def set_paused(root: Path, *, paused: bool) -> None:
    """Pause a watch, or let it go on. Raises VaultError."""
    path = root / _PAUSE
    try:
        if paused:
            path.touch()
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise VaultError(f"{path} cannot be written: {error.strerror}.", "Check the permissions of .tobs.") from error
