"""MIME types and file suffixes: the one table of tobs.

Python's own table depends on its version and on what the system has installed; names in a vault must not.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")

#: Suffix under which a file of a type is stored when it has no name of its own.
_BY_TYPE = {
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
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
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
    "audio/ogg": "oga",
    "audio/opus": "opus",
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

#: Type of a file by its suffix, where ``_BY_TYPE`` read backwards is ambiguous or has nothing.
_BY_SUFFIX = {suffix: mime for mime, suffix in _BY_TYPE.items()} | {
    "3g2": "audio/3gpp2",
    "3gp": "audio/3gpp",
    "3gpp": "audio/3gpp",
    "adts": "audio/aac",
    "aifc": "audio/x-aiff",
    "au": "audio/basic",
    "m1v": "video/mpeg",
    "mp2": "audio/mpeg",
    "mpa": "video/mpeg",
    "mpe": "video/mpeg",
    "qt": "video/quicktime",
    "ra": "audio/x-pn-realaudio",
    "snd": "audio/basic",
    "aif": "audio/x-aiff",
    "aiff": "audio/x-aiff",
    "css": "text/css",
    "eml": "message/rfc822",
    "heif": "image/heif",
    "htm": "text/html",
    "ico": "image/vnd.microsoft.icon",
    "jpeg": "image/jpeg",
    "js": "text/javascript",
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "markdown": "text/markdown",
    "md": "text/markdown",
    "mp3": "audio/mpeg",
    "mpg": "video/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "srt": "text/plain",
    "tar": "application/x-tar",
    "tif": "image/tiff",
    "tsv": "text/tab-separated-values",
    "vcf": "text/vcard",
    "vtt": "text/vtt",
    "wav": "audio/wav",
    "webm": "video/webm",
    "xml": "text/xml",
    "yaml": "application/yaml",
    "yml": "application/yaml",
}


def suffix_of_type(mime: str) -> str:
    """Return the suffix (without dot) for the MIME type ``mime``, which may have parameters; empty if unknown."""
    return _BY_TYPE.get(mime.partition(";")[0].strip().lower(), "")


def type_of_name(name: str) -> str:
    """Return the MIME type of a file called ``name``; empty if its suffix is unknown."""
    return _BY_SUFFIX.get(PurePosixPath(name).suffix.removeprefix(".").lower(), "")


def suffix_of(name: str, mime: str) -> str:
    """Return the suffix (with dot) of a file called ``name`` (may be empty) of type ``mime``; empty if neither has
    one."""
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if _SUFFIX.fullmatch(suffix):
        return suffix
    known = suffix_of_type(mime)
    return f".{known}" if known else ""
