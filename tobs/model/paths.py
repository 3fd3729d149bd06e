"""When two paths of a vault are the same file for some file system or sync tool."""

from __future__ import annotations

from unicodedata import normalize


def path_key(path: str) -> str:
    """What ``path`` is compared by: macOS folds Unicode forms, Windows and macOS fold case, so both are folded.

    Two notes whose paths share a key would be one file on some of the owner's devices.
    """
    if path.isascii():
        return path.lower()
    return normalize("NFC", normalize("NFC", path).casefold())
