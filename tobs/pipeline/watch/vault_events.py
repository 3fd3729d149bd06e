"""What happens in the vault, told by the operating system: what the owner did, and not what tobs wrote itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

import watchfiles
from msgspec import Struct

from tobs.archive import Archive
from tobs.vault.strays import marks_at

#: Milliseconds in which changes are gathered: an editor that writes by rename makes several.
_GATHER = 300

_SOURCES = (".tobs/templates/", ".tobs/plugins/", ".tobs/config.toml")


class Happened(Struct, frozen=True):
    """Vault paths that changed: visible files, and what notes are made by (templates, plugins, configuration)."""

    files: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()


async def watch_vault(root: Path, heard: Callable[[Happened], None]) -> None:
    """Tell what happens below ``root`` until cancelled."""
    async for changes in watchfiles.awatch(
        root, watch_filter=lambda _, path: _is_wanted(root, path), debounce=_GATHER, step=50, rust_timeout=1000
    ):
        heard(sort_out(_inside(root, path) for _, path in changes))


def sort_out(paths: Iterable[str]) -> Happened:
    """Vault paths by what they are to a watch; hidden files are nothing to it."""
    files, sources = set(), set()
    for path in paths:
        if path.startswith(_SOURCES):
            sources.add(path)
        elif not any(part.startswith(".") for part in PurePosixPath(path).parts):
            files.add(path)
    return Happened(frozenset(files), frozenset(sources))


def _is_wanted(root: Path, path: str) -> bool:
    happened = sort_out([_inside(root, path)])
    return bool(happened.files or happened.sources)


def _inside(root: Path, path: str) -> str:
    return Path(path).relative_to(root).as_posix()


def is_owners_move(archive: Archive, root: Path, files: Iterable[str]) -> bool:
    """Whether something of tobs is not where it was, or lies where it was not: only then the vault is looked through.

    What tobs writes itself is where the archive says, so that it is never taken for the owner's doing.
    """
    files = list(files)
    known = archive.notes.lying_at(files)
    placed = archive.files.lying_at(files)
    for path in files:
        lies = (root / path).is_file()
        if path in known or path in placed:
            if not lies:
                return True
        elif not lies:
            if not PurePosixPath(path).suffix and not (root / path).exists():
                return True  # a folder that is gone
        elif path.endswith(".md") and marks_at(root, path).tobs_id:
            return True
    return False
