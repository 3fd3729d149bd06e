"""What attachments are called: readable names in the `media` folder of the chat that has the file first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from tobs.model.media import FileItem, FileKind
from tobs.vault.layout import audio_name
from tobs.vault.names import MAX_BYTES, MAX_FILE, MAX_PATH, MIN_NAME, clean_name, fit, numbered, shorten

# Telegram's clients name the other kinds by themselves (`sticker.webp`, `mp4.mp4`): such a name says nothing.
_NAMED_KINDS: frozenset[FileKind] = frozenset({"audio", "video", "document"})

# With something before the dot: `.bashrc` is a name, not an extension.
_EXTENSION = re.compile(r"(?<=[^./\\])\.([A-Za-z0-9]{1,10})$")

#: Obsidian would run or read these as its own: a document somebody sent must not become a note of the vault.
_ACTIVE = frozenset({"md", "markdown", "canvas", "base"})

# Own table: the one of Python depends on its version, and on what the system has installed.
_BY_MIME = {
    "application/epub+zip": "epub",
    "application/gzip": "gz",
    "application/json": "json",
    "application/msword": "doc",
    "application/ogg": "ogg",
    "application/pdf": "pdf",
    "application/rtf": "rtf",
    "application/vnd.android.package-archive": "apk",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/x-7z-compressed": "7z",
    "application/x-bittorrent": "torrent",
    "application/x-rar-compressed": "rar",
    "application/x-tgsticker": "tgs",
    "application/zip": "zip",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/flac": "flac",
    "audio/m4a": "m4a",
    "audio/mp3": "mp3",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/mpeg3": "mp3",
    "audio/ogg": "ogg",
    "audio/opus": "ogg",
    "audio/vorbis": "ogg",
    "audio/wav": "wav",
    "audio/webm": "webm",
    "audio/x-flac": "flac",
    "audio/x-m4a": "m4a",
    "audio/x-ms-wma": "wma",
    "audio/x-wav": "wav",
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/tiff": "tiff",
    "image/webp": "webp",
    "text/calendar": "ics",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
    "video/3gpp": "3gp",
    "video/mp4": "mp4",
    "video/mpeg": "mpeg",
    "video/ogg": "ogv",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
    "video/x-msvideo": "avi",
}
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
    """`<chat folder>/media/<readable name>`: the file's own name where it has one that somebody gave it, else
    `2024-01-02 5 photo.jpg` with ``what`` its kind is called. ``index`` is the file's place among those of its message.

    A taken name gets the message id: `song (5).mp3`. No part of a path that stands in the name is believed.
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
    """The extension a file is stored under, with its dot: its own, else its type's, else its kind's."""
    own = _EXTENSION.search(item.name)
    extension = own[1].lower() if own else _BY_MIME.get(item.mime.lower(), _BY_KIND[item.kind])
    if extension in ("oga", "opus"):
        # The same container under the name that Obsidian plays.
        return ".ogg"
    return f".{extension}.txt" if extension in _ACTIVE else f".{extension}"


def _own_stem(item: FileItem) -> str:
    """The name somebody gave the file, without extension and without any folder; empty where there is none."""
    if item.kind not in _NAMED_KINDS:
        return ""
    base = re.split(r"[/\\]", item.name)[-1]
    stem = clean_name(_EXTENSION.sub("", base), limit=MAX_FILE)
    return stem or (audio_name(item.performer, item.title) if item.kind == "audio" else "")
