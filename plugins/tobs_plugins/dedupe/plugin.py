"""The plugin ``dedupe``: finds photos of a vault that look alike. It changes nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from tobs.plugin import Export, Exported, Plugin, Remark, Requirement
from tobs_plugins.dedupe.groups import similar_groups
from tobs_plugins.dedupe.index import INDEX, Stamped, read_index, write_index
from tobs_plugins.dedupe.looks import Look, NoPicture, look

_PHOTOS = frozenset([".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".avif"])

#: Names of files made by plugins: songs of an album share their cover.
_MADE = re.compile(r" (cover|thumbnail|waveform)( \d+)?$")


#: Most remarks of a run, and most photos named in a remark.
_MOST_REMARKS, _MOST_NAMED = 200, 5


class DedupeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``dedupe``."""

    difference: Annotated[
        int, Meta(ge=0, le=24, description="Largest number of bits (of 128) in which photos that look alike may differ")
    ] = 10
    min_side: Annotated[
        int, Meta(ge=16, le=4000, description="Shortest side of a picture that is compared, in pixels")
    ] = 100
    every_run: Annotated[
        bool, Meta(description="List in the report of each run new photos that look like another one")
    ] = False


class Dedupe(Plugin[DedupeConfig]):
    """Find photos of a vault that look alike."""

    name = "dedupe"
    version = "1"
    summary = "Finds photos that look alike: tobs plugins run dedupe (identical files are stored once anyway)"
    band = "finish"
    time_limit = 7200.0

    def __init__(self, config: DedupeConfig) -> None:
        super().__init__(config)
        self.unused = frozenset() if config.every_run else frozenset({"export"})

    def available(self) -> Requirement | None:
        """Check for Pillow, which comes with an extra."""
        return None if find_spec("PIL") else Requirement("the package Pillow", "pip install pillow")

    def export(self, export: Export) -> Exported:
        """Report new photos that look like another one, and store the fingerprints for the next run."""
        before = read_index(export.vault / ".tobs" / "exports" / self.name / INDEX, self.config.min_side)
        photos = _stamped(export.vault)
        now = {one: before[one] if one in before else self._seen(export.vault, one) for one in photos}
        index = export.new_file(INDEX)
        write_index(index, now, self.config.min_side)
        return Exported((index,), tuple(islice(self._alike(now, before), _MOST_REMARKS)))

    def _seen(self, vault: Path, photo: Stamped) -> Look | None:
        try:
            return look(vault / photo.name, min_side=self.config.min_side)
        except NoPicture:
            return None

    def _alike(self, now: Mapping[Stamped, Look | None], before: Container[Stamped]) -> Iterator[Remark]:
        """Yield a remark for each new photo that looks like another one."""
        found = [(photo, seen) for photo, seen in now.items() if seen is not None]
        for group in similar_groups([seen for _, seen in found], self.config.difference):
            members = [found[place][0] for place in group]
            for new in members:
                others = [one.name for one in members if one != new]
                if new not in before and (new is not members[0] or any(one in before for one in members)):
                    names = ", ".join(others[:_MOST_NAMED]) + (" …" if len(others) > _MOST_NAMED else "")
                    yield Remark(new.name, f"it looks like {names}")

    def command(self, arguments: Sequence[str], vault: Path) -> str:
        """List as text the photos below ``vault`` (or the folder in ``arguments[0]``) that look alike."""
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
        groups = similar_groups([seen for _, seen in found], self.config.difference)
        lines = [_head(len(groups), len(found), unread)]
        for group in groups:
            members = sorted((found[place] for place in group), key=lambda each: -each[1].width * each[1].height)
            lines += ["", *(_line(path, seen, vault) for path, seen in members)]
        return "\n".join(lines)


def _stamped(vault: Path) -> list[Stamped]:
    """Return the photos of a vault with their sizes and times; another size or time means another photo."""
    stats = [(path.relative_to(vault).as_posix(), path.stat()) for path in sorted(_photos(vault))]
    return [Stamped(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]


def _photos(folder: Path) -> Iterator[Path]:
    """Return the photos below ``folder``, without hidden folders and symbolic links."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            if path.suffix.lower() in _PHOTOS and not _MADE.search(path.stem) and not path.is_symlink():
                yield path


def _head(groups: int, photos: int, unread: int) -> str:
    text = f"{groups} group{'' if groups == 1 else 's'} of photos that look alike, among {photos}"
    return f"{text}; {unread} could not be read." if unread else f"{text}."


def _line(path: Path, seen: Look, vault: Path) -> str:
    place = path.relative_to(vault).as_posix() if path.is_relative_to(vault) else str(path)
    size = path.stat().st_size
    return f"{seen.width} x {seen.height}, {max(1, round(size / 1000))} kB  {place}"
