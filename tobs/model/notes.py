"""Notes as the archive and the vault both know them: the state of a note, and the key that compares paths."""

from __future__ import annotations

from typing import Literal
from unicodedata import normalize

#: ``planned``: has a path and no file yet; ``written``: was in place, so if the file is missing, the owner deleted
#: it; ``deleted``: the owner deleted it; ``retired``: its chat got another layout, and the note is to be removed.
NoteState = Literal["planned", "written", "deleted", "retired"]


def path_key(path: str) -> str:
    """Fold a vault path, so that two paths which some file system takes for one (case, composition) are equal."""
    if path.isascii():
        return path.lower()
    return normalize("NFC", normalize("NFC", path).casefold())
