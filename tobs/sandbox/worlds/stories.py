"""Stories of a world."""

from __future__ import annotations

import datetime as dt

from telethon.tl import types

from tobs.sandbox.worlds import forge
from tobs.sandbox.worlds.tl import Tl
from tobs.sandbox.worlds.world import World

_SHOWN = 86_400


def story(world: World, id: int, caption: str, picture: bytes, *, date: float, pinned: bool = False) -> Tl:
    """A story with a picture, shown for a day; ``pinned`` puts it on the profile."""
    photo = world.add_photo(picture, forge.JPEG_WIDTH, forge.JPEG_HEIGHT)
    return types.StoryItem(
        id, _date(date), _date(date + _SHOWN), types.MessageMediaPhoto(photo=photo), pinned=pinned or None,
        public=True, caption=caption or None, views=types.StoryViews(id * 3),
    )  # fmt: skip


def _date(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(seconds), dt.UTC)
