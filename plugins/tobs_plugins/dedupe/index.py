"""An index of the photos of a vault, stored between runs, so that each photo is read once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from tobs_plugins.dedupe.looks import Look

INDEX = "looks.msgpack"

#: Version of the index; another version is rebuilt.
_FORMAT = 1


class Stamped(NamedTuple):
    """A photo: its path in the vault, its size in bytes, its modification time in nanoseconds."""

    name: str
    size: int
    mtime_ns: int


class _Row(Struct, frozen=True, array_like=True):
    photo: tuple[str, int, int]
    look: tuple[int, int, bytes, bytes] | None


class _Index(Struct, frozen=True):
    format: int
    min_side: int
    rows: list[_Row]


def read_index(path: Path, min_side: int) -> dict[Stamped, Look | None]:
    """Read the index at ``path``; None stands for a photo that cannot be compared. Empty without a usable index."""
    try:
        index = msgspec.msgpack.decode(path.read_bytes(), type=_Index)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        logging.getLogger(__name__).info("the index is rebuilt: %s", error)
        return {}
    if (index.format, index.min_side) != (_FORMAT, min_side):
        return {}
    return {Stamped(*row.photo): _look(row.look) if row.look else None for row in index.rows}


def write_index(path: Path, looks: Mapping[Stamped, Look | None], min_side: int) -> None:
    """Write the index to ``path``."""
    rows = [_Row((*photo,), _packed(look) if look else None) for photo, look in looks.items()]
    path.write_bytes(msgspec.msgpack.encode(_Index(_FORMAT, min_side, rows)))


def _packed(look: Look) -> tuple[int, int, bytes, bytes]:
    return look.width, look.height, look.bits.to_bytes(16, "big"), look.small


def _look(packed: tuple[int, int, bytes, bytes]) -> Look:
    width, height, bits, small = packed
    return Look(width, height, int.from_bytes(bits, "big"), small)
