"""Check pictures, and scale them down."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

#: Formats that Obsidian shows, by Pillow's names; others are converted to JPEG.
_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"}

#: Most pixels of a picture; larger ones may exhaust the memory.
_MAX_PIXELS = 50_000_000


class NoPicture(Exception):
    """The bytes are no picture that can be shown."""


def as_cover(data: bytes, max_side: int) -> tuple[str, bytes]:
    """Return (suffix, bytes) of the picture in ``data``: unchanged if Obsidian can show it and no side is longer than
    ``max_side`` pixels, else as a JPEG. Raises NoPicture."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own, far higher limit
            image = Image.open(BytesIO(data))
            if image.width * image.height > _MAX_PIXELS:
                raise NoPicture("too many pixels")
            image.load()
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise NoPicture(str(error)) from error
    suffix = _SUFFIXES.get(image.format or "")
    if suffix and max(image.size) <= max_side:
        return suffix, data
    return ".jpg", as_jpeg(image, max_side)


def as_jpeg(image: Image, max_side: int) -> bytes:
    """Return ``image`` as a JPEG with no side longer than ``max_side`` pixels."""
    image.thumbnail((max_side, max_side))
    out = BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=88, optimize=True)
    return out.getvalue()
