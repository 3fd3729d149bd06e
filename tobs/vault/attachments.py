"""Names of attachments: readable, in the `media` folder of the chat that has the file first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from tobs.model.media import FileItem, FileKind
from tobs.model.mime import suffix_of_type
from tobs.vault.layout import audio_name
from tobs.vault.names import MAX_BYTES, MAX_FILE, MAX_PATH, MIN_NAME, clean_name, fit, numbered, shorten

# Telegram's clients name the other kinds by themselves (`sticker.webp`, `mp4.mp4`): such a name says nothing.
_NAMED_KINDS: frozenset[FileKind] = frozenset({"audio", "video", "document"})

# With something before the dot: `.bashrc` is a name, not an extension.
_EXTENSION = re.compile(r"(?<=[^./\\])\.([A-Za-z0-9]{1,10})$")

#: Obsidian would run or read these as its own: a document somebody sent must not become a note of the vault.
_ACTIVE = frozenset({"md", "markdown", "canvas", "base"})

_BY_KIND: dict[FileKind, str] = {
    "photo": "jpg",
    "video": "mp4",
    "round": "mp4",
    "gif": "mp4",
    "sticker": "webp",
    "audio": "mp3",
    "voice": "ogg",
    "document": "bin",
}


def attachment_candidates(
    folder: str, item: FileItem, day: date, message_id: int, index: int = 0, *, what: str
) -> Iterator[str]:
    """Yield `<chat folder>/media/<readable name>`: the file's own name if somebody gave it one, else `2024-01-02 5
    photo.jpg`, where ``what`` is the word for its kind. ``index`` is the file's place among those of its message.

    A taken name gets the message id: `song (5).mp3`. Folders in the given name are removed.
    """
    folder = f"{folder}/media"
    suffix = _suffix(item)
    stem = _own_stem(item)
    if stem:
        yield fit(folder, stem, suffix)
        room = max(MAX_PATH - len(folder) - len(suffix) - 24, MIN_NAME)
        stem = f"{shorten(stem, room, MAX_BYTES - 32)} ({message_id})"
    else:
        stem = f"{day.isoformat()} {message_id} {clean_name(what, limit=MAX_FILE)}"
    yield from numbered(f"{folder}/{stem}" + (f" {index + 1}" if index else ""), suffix)


def _suffix(item: FileItem) -> str:
    """Return the suffix of the stored file, with its dot: its own, else its type's, else its kind's."""
    own = _EXTENSION.search(item.name)
    extension = own[1].lower() if own else suffix_of_type(item.mime) or _BY_KIND[item.kind]
    if extension in ("oga", "opus"):
        # The same container under the name that Obsidian plays.
        return ".ogg"
    return f".{extension}.txt" if extension in _ACTIVE else f".{extension}"


def _own_stem(item: FileItem) -> str:
    """Return the given name of the file, without suffix and folders; empty if there is none."""
    if item.kind not in _NAMED_KINDS:
        return ""
    base = re.split(r"[/\\]", item.name)[-1]
    stem = clean_name(_EXTENSION.sub("", base), limit=MAX_FILE)
    return stem or (audio_name(item.performer, item.title) if item.kind == "audio" else "")
