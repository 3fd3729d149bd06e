"""The demo world's files: pictures, recordings and plain files as TL photos and documents."""

from __future__ import annotations

import base64
import datetime as dt
import json
from functools import cached_property
from pathlib import Path

from telethon.tl import types

from tobs.sandbox.worlds.files import FileBlob, RemoteKind, StoredFile
from tobs.sandbox.worlds.seeds import access_hash, noise, splitmix64
from tobs.sandbox.worlds.tl import Tl

DATA = Path(__file__).parent / "data"

PHOTO_SIZE = (800, 533)
THUMB_SIZE = (320, 213)
VIDEO_SIZES = {"dial": (240, 240, 3.0), "lamps": (320, 200, 3.0), "wires": (480, 272, 4.0)}
VOICE_SECONDS = {
    "auth-incorrect": 5, "conf-invalid": 4, "demo-nogo": 11, "followme_status": 5, "tt-allbusy": 9,
    "vm-instructions": 7,
}  # fmt: skip
MIMES = {
    ".pdf": "application/pdf", ".txt": "text/plain", ".csv": "text/csv", ".py": "text/x-python", ".conf": "text/plain",
    ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".flac": "audio/flac", ".opus": "audio/ogg", ".jpg": "image/jpeg",
}  # fmt: skip


class Assets:
    """The files in ``data/``, by name and by the id that is computed from the name."""

    def __init__(self) -> None:
        self._parts: dict[tuple[RemoteKind, int], dict[str, Path]] = {}

    @cached_property
    def _stripped(self) -> dict[str, str]:
        return dict(json.loads((DATA / "thumbs" / "stripped.json").read_text()))

    def find(self, kind: RemoteKind, id: int) -> StoredFile | None:
        """Return the file of an id; None if it is not in this world."""
        parts = self._parts.get((kind, id))
        return None if parts is None else StoredFile({size: FileBlob(path) for size, path in parts.items()})

    def _id(self, kind: RemoteKind, name: str, parts: dict[str, Path]) -> int:
        id = splitmix64(*name.encode()) >> 3
        self._parts[kind, id] = parts
        return id

    def photo(self, name: str, date: dt.datetime) -> Tl:
        """Make a photo with a stripped preview, a small and a full size."""
        small, full = DATA / "thumbs" / f"{name}.jpg", DATA / "photos" / f"{name}.jpg"
        id = self._id("photo", name, {"m": small, "x": full, "a": small, "c": full})
        sizes = [
            types.PhotoStrippedSize("i", base64.b64decode(self._stripped[name])),
            types.PhotoSize("m", *THUMB_SIZE, small.stat().st_size),
            types.PhotoSizeProgressive("x", *PHOTO_SIZE, [full.stat().st_size // 3, full.stat().st_size]),
        ]
        return types.Photo(id, access_hash("photo", id), b"", date, sizes, 0)

    def document(self, path: str, date: dt.datetime, mime: str, attributes: list[Tl], thumb: str = "") -> Tl:
        """Make a document; ``path`` is relative to ``data/``, ``thumb`` names a picture."""
        file = DATA / path
        parts = {"": file}
        thumbs = None
        if thumb:
            parts["m"] = DATA / "thumbs" / f"{thumb}.jpg"
            thumbs = [types.PhotoSize("m", *THUMB_SIZE, parts["m"].stat().st_size)]
        id = self._id("document", path, parts)
        hash = access_hash("document", id)
        return types.Document(id, hash, b"", date, mime, file.stat().st_size, 0, attributes, thumbs=thumbs)

    def plain_file(self, name: str, date: dt.datetime) -> Tl:
        """Make the document of a PDF, text, table or program."""
        named = types.DocumentAttributeFilename(name)
        # Linters would check a file with the suffix .py as a part of tobs.
        stored = f"{name}.txt" if name.endswith(".py") else name
        return self.document(f"files/{stored}", date, MIMES[Path(name).suffix], [named])

    def voice(self, name: str, date: dt.datetime) -> Tl:
        """Make a voice message with a waveform of 100 steps."""
        waveform = noise(splitmix64(*name.encode()), 63)
        wave = types.DocumentAttributeAudio(VOICE_SECONDS[name], voice=True, waveform=waveform)
        return self.document(f"voice/{name}.oga", date, "audio/ogg", [wave])

    def music(self, name: str, date: dt.datetime) -> Tl:
        """Make a recording with tags."""
        attributes = [
            types.DocumentAttributeAudio(8, title="Chimes They Fade", performer="Maxstack"),
            types.DocumentAttributeFilename(name),
        ]
        return self.document(f"music/{name}", date, MIMES[Path(name).suffix], attributes)

    def sticker(self, name: str, emoji: str, date: dt.datetime) -> Tl:
        """Make a sticker of 512 x 512."""
        attributes = [
            types.DocumentAttributeImageSize(512, 512),
            types.DocumentAttributeSticker(emoji, types.InputStickerSetEmpty()),
            types.DocumentAttributeFilename("sticker.webp"),
        ]
        return self.document(f"stickers/{name}.webp", date, "image/webp", attributes)

    def video(self, name: str, kind: str, date: dt.datetime) -> Tl:
        """Make a ``video``, a ``round`` message or a ``gif``."""
        width, height, seconds = VIDEO_SIZES[name]
        flags = {"round": "round_message", "video": "supports_streaming", "gif": "nosound"}
        attributes = [types.DocumentAttributeVideo(seconds, width, height, **{flags[kind]: True})]
        if kind == "gif":
            attributes.append(types.DocumentAttributeAnimated())
        if kind != "round":
            attributes.append(types.DocumentAttributeFilename(f"{name}.mp4"))
        return self.document(f"video/{name}.mp4", date, "video/mp4", attributes)
