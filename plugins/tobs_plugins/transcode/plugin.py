"""The plugin ``transcode``: converts files that Obsidian cannot show."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

from msgspec import Meta, Struct

from tobs.plugin import EFFORT, Item, Plugin, Requirement, Result, Unreadable, reason_of
from tobs_plugins.transcode.formats import is_played, may_be_media, plan_for
from tobs_plugins.transcode.pictures import PHOTO_TYPES, PHOTOS, STICKER, NoPicture, photo_as_jpeg, sticker_as_webp
from tobs_plugins.transcode.remake import NotMedia, film_encoder, remake

#: Largest factor by which a file may be longer than the limit; a longer one is rejected.
_PATIENCE = 4


class TranscodeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``transcode``."""

    sounds: Annotated[bool, Meta(description="Convert sound that Obsidian does not play")] = True
    videos: Annotated[bool, Meta(description="Convert videos that Obsidian does not play")] = True
    photos: Annotated[bool, Meta(description="Convert HEIC, TIFF and JPEG 2000 photos to JPEG")] = True
    stickers: Annotated[bool, Meta(description="Convert animated stickers (.tgs) to animated pictures")] = True
    max_minutes: Annotated[int, Meta(ge=1, le=600, description="Longest video that is converted")] = 30
    sticker_side: Annotated[int, Meta(ge=64, le=512, description="Width and height of stickers, in pixels")] = 256
    hardware: Annotated[bool, Meta(description="Use the graphics card (VA-API) for videos, if it works"), EFFORT] = (
        False
    )


class Transcode(Plugin[TranscodeConfig]):
    """Convert files that Obsidian cannot show. The original stays."""

    name = "transcode"
    version = "1"
    summary = "Converts files that Obsidian cannot show (AMR, WMA, AVI, HEIC, .tgs); originals stay"
    handles = frozenset({"audio", "voice", "video", "round", "gif", "sticker", "document"})
    band = "convert"
    time_limit = 1800.0
    memory_limit = 4 * 2**30
    batch = 10

    def available(self) -> Requirement | None:
        """Check for the libraries, which come with an extra."""
        config = self.config
        wanted = [("av", "PyAV", "av", config.sounds or config.videos)]
        wanted += [("PIL", "Pillow", "pillow", config.photos or config.stickers)]
        wanted += [("pillow_heif", "pillow-heif", "pillow-heif", config.photos)]
        wanted += [("rlottie_python", "rlottie-python", "rlottie-python", config.stickers)]
        missing = [
            (name, package) for module, name, package, is_wanted in wanted if is_wanted and not find_spec(module)
        ]
        if not missing:
            return None
        packages = " ".join(package for _, package in missing)
        return Requirement(f"the package {missing[0][0]}", f"pip install {packages}")

    def process(self, item: Item) -> Result | None:
        """Return the converted item; None if it needs no conversion."""
        suffix, mime = item.path.suffix.lower(), item.mime.partition(";")[0].strip().lower()
        try:
            if suffix == STICKER or mime == "application/x-tgsticker":
                return self._sticker(item) if self.config.stickers else None
            if suffix in PHOTOS or mime in PHOTO_TYPES:
                return self._photo(item) if self.config.photos else None
            return self._media(item, suffix) if may_be_media(suffix, mime) else None
        except (NoPicture, NotMedia) as error:
            raise Unreadable(str(error)) from error

    def _sticker(self, item: Item) -> Result:
        target = item.new_file("sticker.webp")
        sticker_as_webp(item.path, target, self.config.sticker_side)
        return Result(replacement=target)

    def _photo(self, item: Item) -> Result:
        target = item.new_file("photo.jpg")
        photo_as_jpeg(item.path, target)
        return Result(replacement=target)

    def _media(self, item: Item, suffix: str) -> Result | None:
        import av

        config = self.config
        if not (config.sounds or config.videos):
            return None
        try:
            plan = plan_for(item.path, max_seconds=60 * config.max_minutes)
        except (av.FFmpegError, ValueError, OverflowError) as error:
            if is_played(suffix) or item.kind == "document":
                return None  # Obsidian plays it, or it is an ordinary document
            raise NotMedia(f"not readable: {reason_of(error)}") from error
        if plan is None or not (config.videos if plan.suffix == ".mp4" else config.sounds):
            return None
        target = item.new_file(f"converted{plan.suffix}")
        encoder = film_encoder(hardware=config.hardware)
        remake(item.path, target, plan, encoder=encoder, max_seconds=_PATIENCE * 60 * max(60, config.max_minutes))
        return Result(replacement=target)
