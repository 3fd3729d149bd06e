"""Obsidian's own trash in the vault, `.trash`: files moved there keep their path and can be restored by hand."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from tobs.vault.folders import absolute, make_folder, unwritable

TRASH = ".trash"


def move_to_trash(root: Path, path: str) -> str:
    """Move the note at ``path`` into the trash; return its vault path there. A note that is there already stays.

    Raises VaultUnwritable.
    """
    stem, dot, suffix = path.rpartition(".")
    for number in count(1):
        there = f"{TRASH}/{path}" if number == 1 else f"{TRASH}/{stem} {number}{dot}{suffix}"
        target = Path(absolute(root, there))
        if not target.exists():
            break
    make_folder(root, there.rpartition("/")[0])
    try:
        Path(absolute(root, path)).rename(target)
    except OSError as error:
        raise unwritable(error, path) from error
    return there
