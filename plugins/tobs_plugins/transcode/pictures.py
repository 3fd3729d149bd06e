"""Convert photos and stickers that Obsidian does not show."""

from __future__ import annotations

import gzip
import json
import warnings
from pathlib import Path

from tobs.plugin import reason_of
from tobs_plugins.transcode.lottie import UnsafeAnimation, require_safe

#: Suffixes of photos that Obsidian does not show.
PHOTOS = frozenset([".heic", ".heif", ".hif", ".tif", ".tiff", ".jp2"])
PHOTO_TYPES = frozenset(["image/heic", "image/heif", "image/tiff", "image/jp2"])

#: Telegram's animated stickers: Lottie, compressed by gzip. Source: https://core.telegram.org/stickers
STICKER = ".tgs"

#: Most pixels of a picture, and most bytes of a sticker; larger ones may exhaust the memory.
_MAX_PIXELS = 120_000_000
_MAX_LOTTIE = 4_000_000

#: Frames per second and in all of a converted sticker. Telegram's have 60 frames per second and are 3 seconds long.
_RATE = 30
_MOST_FRAMES = 180


class NoPicture(Exception):
    """The file is no picture that can be converted."""


def photo_as_jpeg(path: Path, target: Path) -> None:
    """Convert the photo at ``path`` to an upright JPEG. Raises NoPicture."""
    from PIL import Image, ImageOps
    from pillow_heif import register_heif_opener

    register_heif_opener()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own, far higher limit
            with Image.open(path) as image:
                if image.width * image.height > _MAX_PIXELS:
                    raise NoPicture("too many pixels")
                upright = ImageOps.exif_transpose(image).convert("RGB")
                upright.save(target, "JPEG", quality=90, icc_profile=image.info.get("icc_profile"))
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError, Image.DecompressionBombError) as error:
        raise NoPicture(f"not readable as a picture: {reason_of(error)}") from error


def sticker_as_webp(path: Path, target: Path, side: int) -> None:
    """Convert the animated sticker at ``path`` to an animated WebP, ``side`` pixels wide. Raises NoPicture."""
    from rlottie_python import LottieAnimation

    with LottieAnimation.from_data(_lottie(path)) as animation:
        rate, total = animation.lottie_animation_get_framerate(), animation.lottie_animation_get_totalframe()
        if not (0 < rate <= 1000 and 0 < total <= 100_000):
            raise NoPicture("not readable as a sticker: it has no frames")
        step = max(1, round(rate / _RATE))
        numbers = range(0, total, step)[:_MOST_FRAMES]
        first, *rest = [animation.render_pillow_frame(number, width=side, height=side) for number in numbers]
    first.save(
        target, "WEBP", save_all=True, append_images=rest, duration=round(1000 * step / rate), loop=0, quality=80
    )


def _lottie(path: Path) -> str:
    """Read the animation in a sticker, as JSON."""
    try:
        with gzip.open(path) as file:
            packed = file.read(_MAX_LOTTIE + 1)
        if len(packed) > _MAX_LOTTIE:
            raise NoPicture("not readable as a sticker: it unpacks to more than 4 MB")
        text = packed.decode()
    except (OSError, EOFError, ValueError) as error:
        raise NoPicture(f"not readable as a sticker: {reason_of(error)}") from error
    try:
        drawing = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NoPicture("not readable as a sticker: no drawing in it") from error
    if not isinstance(drawing, dict):
        raise NoPicture("not readable as a sticker: no drawing in it")
    try:
        require_safe(drawing)
    except UnsafeAnimation as error:
        raise NoPicture(f"not readable as a sticker: {error}") from error
    return text
