"""Photos and documents: the size to fetch, the kind of file, and its properties."""

from __future__ import annotations

from typing import Any

from telethon.tl import types

from tobs.model import FileItem, FileKind, RemoteFile


def _area_and_bytes(size: Any) -> tuple[int, int] | None:
    """Return (pixels, bytes) of a size that Telegram serves as a file; None for previews inside the message."""
    if isinstance(size, types.PhotoSize):
        return size.w * size.h, size.size
    if isinstance(size, types.PhotoSizeProgressive):
        return size.w * size.h, max(size.sizes, default=0)
    if isinstance(size, types.PhotoCachedSize):
        return size.w * size.h, len(size.bytes)
    return None


def _without_placeholder(name: str | None) -> str:
    """Return a performer or title; empty for ``<unknown>``, which Android's media store writes for a missing one."""
    return "" if name is None or name == "<unknown>" else name


def photo_of(photo: Any, *, spoiler: bool = False, ttl: int = 0) -> FileItem:
    """Convert a photo in its largest size; without ``remote`` when Telegram no longer has it (self-destructed)."""
    if not isinstance(photo, types.Photo):
        return FileItem("photo", mime="image/jpeg", spoiler=spoiler, ttl=ttl)
    known = [(found, size) for size in photo.sizes if (found := _area_and_bytes(size)) is not None]
    if not known:
        return FileItem("photo", mime="image/jpeg", spoiler=spoiler, ttl=ttl)
    (_, length), best = max(known, key=lambda pair: pair[0])
    return FileItem(
        "photo",
        mime="image/jpeg",
        size=length,
        width=best.w,
        height=best.h,
        spoiler=spoiler,
        ttl=ttl,
        remote=RemoteFile("photo", photo.id, photo.access_hash, photo.file_reference, photo.dc_id, best.type),
    )


def document_of(document: Any, *, spoiler: bool = False, ttl: int = 0, hint: FileKind = "document") -> FileItem:
    """Convert a document; ``hint`` is its kind by the message, for a document that is gone."""
    if not isinstance(document, types.Document):
        return FileItem(hint, spoiler=spoiler, ttl=ttl)
    kind: FileKind = "document"
    name = title = performer = emoji = ""
    width = height = 0
    duration = 0.0
    waveform = b""
    animated = False
    for attribute in document.attributes:
        match attribute:
            case types.DocumentAttributeFilename():
                name = attribute.file_name
            case types.DocumentAttributeVideo():
                kind = "round" if attribute.round_message else "video" if kind == "document" else kind
                width, height, duration = attribute.w, attribute.h, float(attribute.duration)
            case types.DocumentAttributeAudio():
                kind = "voice" if attribute.voice else "audio"
                duration = float(attribute.duration)
                title, performer = _without_placeholder(attribute.title), _without_placeholder(attribute.performer)
                waveform = waveform_steps(attribute.waveform or b"")
            case types.DocumentAttributeSticker() | types.DocumentAttributeCustomEmoji():
                kind, emoji = "sticker", attribute.alt
            case types.DocumentAttributeImageSize():
                width, height = attribute.w, attribute.h
            case types.DocumentAttributeAnimated():
                animated = True
    if animated and kind in ("document", "video"):
        kind = "gif"
    return FileItem(
        kind,
        mime=document.mime_type,
        size=document.size,
        name=name,
        width=width,
        height=height,
        duration=duration,
        title=title,
        performer=performer,
        emoji=emoji,
        spoiler=spoiler,
        ttl=ttl,
        waveform=waveform,
        thumb=_thumbnail(document) if kind == "audio" else "",
        remote=RemoteFile("document", document.id, document.access_hash, document.file_reference, document.dc_id),
    )


def _thumbnail(document: Any) -> str:
    """Return Telegram's type letter of the largest thumbnail of a document; empty for none."""
    known = [(found[0], size.type) for size in document.thumbs or () if (found := _area_and_bytes(size)) is not None]
    return str(max(known)[1]) if known else ""


def emoji_of(documents: Any) -> dict[int, str]:
    """Return the emoji of custom emoji documents: document id -> emoji."""
    found = {}
    for document in documents:
        for attribute in getattr(document, "attributes", ()):
            if isinstance(attribute, types.DocumentAttributeCustomEmoji) and attribute.alt:
                found[document.id] = attribute.alt
    return found


def waveform_steps(packed: bytes) -> bytes:
    """Unpack a voice message's waveform, 5 bits a step little-endian, into one byte 0..31 a step.

    Source: https://core.telegram.org/constructor/documentAttributeAudio
    """
    bits = int.from_bytes(packed, "little")
    return bytes((bits >> (5 * index)) & 31 for index in range(len(packed) * 8 // 5))
