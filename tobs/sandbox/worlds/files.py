"""The files of a world: bytes by (kind, id, size name), their data centre, access hash and expiring reference."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct
from telethon.tl import types

from tobs.sandbox.worlds.seeds import access_hash, splitmix64
from tobs.sandbox.worlds.tl import RpcError, Tl, to_date, walk

DC_ORDER = (2, 4, 1, 5, 3)
"""The data centres, home first: ``--dcs 2`` has DC 2 (home) and DC 4."""

RemoteKind = Literal["photo", "document"]


class Blob(Protocol):
    """Bytes that can be read at any offset. ``size`` in bytes."""

    @property
    def size(self) -> int: ...
    def read(self, offset: int, n: int) -> bytes: ...


class MemoryBlob:
    """A blob in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read(self, offset: int, n: int) -> bytes:
        return self.data[offset : offset + n]


class FileBlob:
    """A blob in a file, opened for each read: worlds may have thousands of files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size

    def read(self, offset: int, n: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(n)


class StoredFile(Struct):
    """A file's parts by size name (``""`` is a document's body). No parts: the file is not available."""

    parts: dict[str, Blob]


FileFinder = Callable[[RemoteKind, int], StoredFile | None]


class FileLocations:
    """The data centre and the current file reference of every file.

    ``generation`` is part of every reference. ``version`` rises with each change, so that a cache of serialised
    messages can compare it.
    """

    def __init__(self) -> None:
        self.generation = 1
        self.dcs: tuple[int, ...] = DC_ORDER[:1]
        self.version = 0

    def expire(self) -> None:
        """Make every file reference given out so far too old."""
        self.generation += 1
        self.version += 1

    def use_dcs(self, count: int) -> None:
        """Distribute the files over the first ``count`` data centres of ``DC_ORDER``."""
        self.dcs = DC_ORDER[:count]
        self.version += 1

    def reference(self, kind: RemoteKind, id: int) -> bytes:
        """Return the current reference of a file: 13 bytes."""
        return struct.pack("<BIQ", 1 if kind == "photo" else 2, self.generation, splitmix64(id, 77))

    def check(self, kind: RemoteKind, id: int, reference: bytes) -> None:
        """Raise FILE_REFERENCE_EXPIRED for an old reference and FILE_REFERENCE_INVALID for one never given out."""
        if reference == self.reference(kind, id):
            return
        well_formed = len(reference) == 13 and reference[5:] == struct.pack("<Q", splitmix64(id, 77))
        raise RpcError(400, "FILE_REFERENCE_EXPIRED" if well_formed else "FILE_REFERENCE_INVALID")

    def dc(self, id: int) -> int:
        """Return the data centre that stores file ``id``."""
        return self.dcs[splitmix64(id, 5) % len(self.dcs)]

    def refresh(self, message: Tl) -> Tl:
        """Write the current reference and DC into every photo and document of ``message``, and return it."""
        for item in walk(message):
            if isinstance(item, types.Photo | types.Document):
                kind: RemoteKind = "photo" if isinstance(item, types.Photo) else "document"
                item.file_reference = self.reference(kind, item.id)
                item.dc_id = self.dc(item.id)
        return message


class FileStore:
    """The files of a world: those of its base, found by finders, and those added since. ``now``: Unix seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.locations = FileLocations()
        self._now = now
        self._finders: list[FileFinder] = []
        self._added: dict[tuple[RemoteKind, int], StoredFile] = {}

    def add_finder(self, finder: FileFinder) -> None:
        """Ask ``finder`` for files that were not added here."""
        self._finders.append(finder)

    def open(self, kind: RemoteKind, id: int, size: str = "", reference: bytes | None = None) -> Blob:
        """Return a part of a file. ``size`` names a photo's size or a document's thumbnail; ``""`` is its body.

        Raise ``FILE_REFERENCE_EXPIRED`` or ``FILE_REFERENCE_INVALID`` (``reference`` None is not checked),
        ``FILE_ID_INVALID`` for an unknown file and ``LOCATION_INVALID`` for an unknown part.
        """
        stored = self._find(kind, id)
        if stored is None:
            raise RpcError(400, "FILE_ID_INVALID")
        if reference is not None:
            self.locations.check(kind, id, reference)
        if size not in stored.parts:
            raise RpcError(400, "LOCATION_INVALID")
        return stored.parts[size]

    def _find(self, kind: RemoteKind, id: int) -> StoredFile | None:
        if (kind, id) in self._added:
            return self._added[kind, id]
        return next((stored for finder in self._finders if (stored := finder(kind, id)) is not None), None)

    def add_document(self, data: bytes, mime: str, attributes: Sequence[Tl] = (), thumb: bytes = b"") -> Tl:
        """Store a document, with a thumbnail if ``thumb`` is given; return its ``Document``."""
        id = splitmix64(len(self._added), 1) >> 2
        parts: dict[str, Blob] = {"": MemoryBlob(data)}
        thumbs = None
        if thumb:
            parts["m"], thumbs = MemoryBlob(thumb), [types.PhotoSize("m", 320, 320, len(thumb))]
        self._added["document", id] = StoredFile(parts)
        date, hash = to_date(self._now()), access_hash("document", id)
        document = types.Document(id, hash, b"", date, mime, len(data), 0, list(attributes), thumbs=thumbs)
        return self.locations.refresh(document)

    def add_photo(self, data: bytes, width: int, height: int) -> Tl:
        """Store a photo of one size; return its ``Photo``."""
        id = splitmix64(len(self._added), 2) >> 2
        self._added["photo", id] = StoredFile({"x": MemoryBlob(data)})
        sizes = [types.PhotoSize("x", width, height, len(data))]
        photo = types.Photo(id, access_hash("photo", id), b"", to_date(self._now()), sizes, 0)
        return self.locations.refresh(photo)
