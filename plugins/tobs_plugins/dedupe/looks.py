"""A fingerprint of a photo in 128 bits. Fingerprints of photos that look alike differ in few bits.

Source: difference hash, N. Krawetz, https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from PIL.Image import Image

BITS = 128

#: Side of the grid whose neighbours are compared, in both directions.
_SIDE = 8

#: Side of the small grey picture that is stored for a second check.
_SMALL = 16

#: Least standard deviation of brightness (of 255): pictures of one colour all look alike.
_SPREAD = 4.0

_MAX_PIXELS = 120_000_000


class NoPicture(Exception):
    """The file is no picture that can be read."""


class Look(Struct, frozen=True):
    """Fingerprint of a photo of ``width`` by ``height`` pixels: 128 ``bits``, and the photo as 16 by 16 grey pixels."""

    width: int
    height: int
    bits: int
    small: bytes

    def differs(self, other: Look) -> int:
        """Count the bits (of 128) in which two photos differ."""
        return (self.bits ^ other.bits).bit_count()

    def distance(self, other: Look) -> float:
        """Average difference in brightness between two photos, from 0 to 255."""
        return sum(abs(a - b) for a, b in zip(self.small, other.small, strict=True)) / len(self.small)


def look(path: Path, *, min_side: int) -> Look | None:
    """Compute the fingerprint of the photo at ``path``; None for one that is smaller than ``min_side`` pixels or of one
    colour. Raises NoPicture."""
    from PIL import Image, ImageOps, ImageStat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own, far higher limit
            with Image.open(path) as image:
                width, height = image.size
                if width * height > _MAX_PIXELS:
                    raise NoPicture("too many pixels")
                if min(width, height) < min_side:
                    return None
                image.draft("L", (4 * _SMALL, 4 * _SMALL))  # a JPEG is decoded at a reduced size, which is faster
                grey = ImageOps.exif_transpose(image).convert("L")
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise NoPicture(str(error)) from error
    small = grey.resize((_SMALL, _SMALL))
    if ImageStat.Stat(small).stddev[0] < _SPREAD:
        return None
    return Look(width, height, _rows(grey) << (BITS // 2) | _columns(grey), small.tobytes())


def _rows(grey: Image) -> int:
    """Set a bit for each pixel that is darker than its right neighbour."""
    pixels = grey.resize((_SIDE + 1, _SIDE)).tobytes()
    return _number(
        pixels[y * (_SIDE + 1) + x] < pixels[y * (_SIDE + 1) + x + 1] for y in range(_SIDE) for x in range(_SIDE)
    )


def _columns(grey: Image) -> int:
    """Set a bit for each pixel that is darker than the pixel below."""
    pixels = grey.resize((_SIDE, _SIDE + 1)).tobytes()
    return _number(pixels[y * _SIDE + x] < pixels[(y + 1) * _SIDE + x] for y in range(_SIDE) for x in range(_SIDE))


def _number(bits: Iterable[bool]) -> int:
    number = 0
    for bit in bits:
        number = number << 1 | bit
    return number
