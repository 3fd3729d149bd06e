"""The plugin ``autolink``: adds links to the owner's own notes to the text of a note."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from tobs.plugin import Plugin, RenderedNote
from tobs_plugins.autolink.linking import Titles, add_links

#: Kinds of notes that get links; not the lists that tobs makes of chats and people.
_KINDS = frozenset({"message", "day", "month", "audio", "page"})


class AutolinkConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of ``autolink``."""

    folders: Annotated[
        tuple[str, ...], Meta(description="Folders of the vault (with subfolders) whose notes are linked to")
    ] = ()
    shortest: Annotated[int, Meta(ge=1, le=100, description="Shortest title that is linked, in letters")] = 4
    most: Annotated[int, Meta(ge=1, le=100_000, description="Largest number of notes that are linked to")] = 10_000

    def __post_init__(self) -> None:
        for folder in self.folders:
            parts = folder.split("/")
            if not parts[0] or ".." in parts or parts[0].startswith(".") or parts[0] == "Telegram":
                raise ValueError(f"folders: {folder!r} is no folder of your own notes in the vault")


class Autolink(Plugin[AutolinkConfig]):
    """Link the first mention of each of the owner's notes."""

    name = "autolink"
    version = "1"
    summary = "Links the first mention of each of your notes, by its title"
    opt_in = True
    time_limit = 20.0
    batch = 200

    def __init__(self, config: AutolinkConfig) -> None:
        super().__init__(config)
        self._titles = Titles({})
        self._seen: dict[Path, int] = {}

    def post_render(self, note: RenderedNote) -> str | None:
        """Return the note with its links; None if it mentions no note."""
        if note.kind not in _KINDS or not self.config.folders:
            return None
        if not self._seen or any(_changed(folder) != at for folder, at in self._seen.items()):
            self._look(note.vault)
        body = add_links(note.body, self._titles)
        return body if body != note.body else None

    def _look(self, vault: Path) -> None:
        """Read the titles of the owner's notes, and the modification times of their folders."""
        self._seen = {}
        paths: dict[str, str] = {}
        for name in self.config.folders:
            for folder, titles in _walk(vault / name):
                self._seen[folder] = _changed(folder)
                for title in titles:
                    if len(title) >= self.config.shortest and len(paths) < self.config.most:
                        paths.setdefault(title, (folder / title).relative_to(vault).as_posix())
        self._titles = Titles(paths)


def _walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Return the folder and its subfolders, each with the titles of its notes. Symbolic links are not followed."""
    yield folder, []  # a missing folder is watched, too
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield Path(parent), sorted(name.removesuffix(".md") for name in names if name.endswith(".md"))


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
