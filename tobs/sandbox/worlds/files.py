"""The files of a world: bytes by (kind, id, size name), their data centre, hash and expiring reference."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct
from telethon.tl import types

from tobs.sandbox.worlds.tl import Tl, walk

DC_ORDER = (2, 4, 1, 5, 3)
"""Home first: ``--dcs 2`` has DC 2 (home) and DC 4."""

RemoteKind = Literal["photo", "document"]

_MASK = (1 << 64) - 1


class RpcError(Exception):
    """A world's answer that Telegram gives as an rpc error: ``code`` and ``name`` (``CHANNEL_PRIVATE``)."""

    def __init__(self, code: int, name: str) -> None:
        super().__init__(f"{code} {name}")
        self.code = code
        self.name = name


class Blob(Protocol):
    """Bytes that can be read at any place. ``size`` in bytes."""

    @property
    def size(self) -> int: ...
    def read(self, offset: int, n: int) -> bytes: ...


class Bytes:
    """A blob in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read(self, offset: int, n: int) -> bytes:
        return self.data[offset : offset + n]


class OnDisk:
    """A blob in a file, opened for each read: worlds may hold thousands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size

    def read(self, offset: int, n: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(n)


class Stored(Struct):
    """One file: its parts by size name (``""`` is a document's body). No parts: the file is not there."""

    parts: dict[str, Blob]
    dc: int = 0


FileFinder = Callable[[RemoteKind, int], Stored | None]


def mix(*values: int) -> int:
    """64 well-mixed bits of some integers (splitmix64): the worlds' one source of chance."""
    state = 0x9E3779B97F4A7C15
    for value in values:
        state = (state + (value & _MASK) + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def signed(value: int) -> int:
    """64 bits as TL's signed long."""
    return value - (1 << 64) if value >> 63 else value


def access_hash(kind: str, id: int) -> int:
    """The access hash of a user, channel, photo or document."""
    return signed(mix(id, *kind.encode())) or 1


class Stamps:
    """What changes about every file at once: the generation of references and the number of DCs.

    ``version`` rises with each change; whoever caches serialised messages compares it.
    """

    def __init__(self) -> None:
        self.generation = 1
        self.dcs: tuple[int, ...] = DC_ORDER[:1]
        self.version = 0

    def expire(self) -> None:
        """Make every file reference handed out so far worthless."""
        self.generation += 1
        self.version += 1

    def use_dcs(self, count: int) -> None:
        """Spread files over the first ``count`` data centres of ``DC_ORDER``."""
        self.dcs = DC_ORDER[:count]
        self.version += 1

    def reference(self, kind: RemoteKind, id: int) -> bytes:
        """The file reference of the present generation: 13 bytes."""
        return struct.pack("<BIQ", 1 if kind == "photo" else 2, self.generation, mix(id, 77))

    def check(self, kind: RemoteKind, id: int, reference: bytes) -> None:
        """Raise what Telegram answers to a reference that is old or was never given."""
        if reference == self.reference(kind, id):
            return
        well_formed = len(reference) == 13 and reference[5:] == struct.pack("<Q", mix(id, 77))
        raise RpcError(400, "FILE_REFERENCE_EXPIRED" if well_formed else "FILE_REFERENCE_INVALID")

    def dc(self, id: int) -> int:
        """The data centre that keeps file ``id``."""
        return self.dcs[mix(id, 5) % len(self.dcs)]

    def stamp(self, message: Tl) -> Tl:
        """Write the present reference and DC into every photo and document of ``message``."""
        for item in walk(message):
            if isinstance(item, types.Photo | types.Document):
                kind: RemoteKind = "photo" if isinstance(item, types.Photo) else "document"
                item.file_reference = self.reference(kind, item.id)
                item.dc_id = self.dc(item.id)
        return message
