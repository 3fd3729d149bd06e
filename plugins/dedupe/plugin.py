"""The plugin ``dedupe``: a vault in, its photos that look alike out. It changes nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from tobs.plugin import Plugin, Requirement
from tobs_plugins.dedupe.groups import groups_alike
from tobs_plugins.dedupe.looks import Look, NoPicture, look

_PHOTOS = frozenset([".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".avif"])

#: What plugins made of other files: songs of an album share their cover.
_MADE = re.compile(r" (cover|thumbnail|waveform)( \d+)?$")


class DedupeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``dedupe``."""

    difference: Annotated[
        int, Meta(ge=0, le=24, description="In how many of 128 bits photos that look alike may differ")
    ] = 10
    min_side: Annotated[int, Meta(ge=16, le=4000, description="Smaller pictures are left out, in pixels")] = 100


class Dedupe(Plugin[DedupeConfig]):
    """Tells which photos of a vault look alike."""

    name = "dedupe"
    version = "1"
    summary = "Tells which photos look alike: tobs plugins run dedupe (the same bytes are one file already)"
    band = "finish"
    time_limit = 7200.0

    def available(self) -> Requirement | None:
        """Pillow comes with an extra."""
        return None if find_spec("PIL") else Requirement("the package Pillow", "pip install pillow")

    def command(self, arguments: Sequence[str], vault: Path) -> str:
        """The photos below ``vault`` (or a folder in it, the first of ``arguments``) that look alike, as text."""
        folder = vault / arguments[0] if arguments else vault
        if not folder.is_dir():
            raise ValueError(f"{folder} is no folder")
        found: list[tuple[Path, Look]] = []
        unread = 0
        for path in sorted(_photos(folder)):
            try:
                seen = look(path, min_side=self.config.min_side)
            except NoPicture:
                unread += 1
                continue
            if seen is not None:
                found.append((path, seen))
        groups = groups_alike([seen for _, seen in found], self.config.difference)
        lines = [_head(len(groups), len(found), unread)]
        for group in groups:
            members = sorted((found[place] for place in group), key=lambda each: -each[1].width * each[1].height)
            lines += ["", *(_line(path, seen, vault) for path, seen in members)]
        return "\n".join(lines)


def _photos(folder: Path) -> Iterator[Path]:
    """The photos below ``folder``, without hidden folders and what links lead to."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            if path.suffix.lower() in _PHOTOS and not _MADE.search(path.stem) and not path.is_symlink():
                yield path


def _head(groups: int, photos: int, unread: int) -> str:
    told = f"{groups} group{'' if groups == 1 else 's'} of photos that look alike, among {photos}"
    return f"{told}; {unread} could not be read." if unread else f"{told}."


def _line(path: Path, seen: Look, vault: Path) -> str:
    place = path.relative_to(vault).as_posix() if path.is_relative_to(vault) else str(path)
    size = path.stat().st_size
    return f"{seen.width} x {seen.height}, {max(1, round(size / 1000))} kB  {place}"
