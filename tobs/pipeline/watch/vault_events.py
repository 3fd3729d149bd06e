"""Changes of files in the vault, as the operating system reports them, and the owner's changes among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

import watchfiles
from msgspec import Struct

from tobs.archive import Archive
from tobs.config.vault_paths import TOBS
from tobs.vault.moved_notes import properties_at

#: Milliseconds in which changes are collected: an editor that writes by rename makes several.
_GATHER = 300

PLUGINS = f"{TOBS}/plugins/"
_SOURCES = (f"{TOBS}/templates/", PLUGINS, f"{TOBS}/config.toml")

#: Files in TOBS_HOME: the settings of all vaults, and the trusted plugins.
TRUST = "trust"
_AT_HOME = frozenset({"config.toml", TRUST})


class VaultChanges(Struct, frozen=True):
    """Changed files: vault paths of visible files, and ``sources`` of notes (vault paths of templates, plugins and
    configuration, names of files in TOBS_HOME)."""

    files: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()


async def watch_vault(root: Path, home: Path, on_changes: Callable[[VaultChanges], None]) -> None:
    """Report changes below ``root``, and of settings and trusted plugins in the folder ``home``, until cancelled."""

    def sort_changes(paths: Iterable[str]) -> VaultChanges:
        found = [Path(path) for path in paths]
        inside = classify(path.relative_to(root).as_posix() for path in found if path.is_relative_to(root))
        at_home = {path.name for path in found if path.parent == home and path.name in _AT_HOME}
        return VaultChanges(inside.files, inside.sources | at_home)

    def is_wanted(_: watchfiles.Change, path: str) -> bool:
        changes = sort_changes([path])
        return bool(changes.files or changes.sources)

    async for events in watchfiles.awatch(
        root, home, watch_filter=is_wanted, debounce=_GATHER, step=50, rust_timeout=1000
    ):
        on_changes(sort_changes(path for _, path in events))


def classify(paths: Iterable[str]) -> VaultChanges:
    """Separate vault paths of visible files from those of sources; other hidden files are ignored."""
    files, sources = set(), set()
    for path in paths:
        if path.startswith(_SOURCES):
            sources.add(path)
        elif not any(part.startswith(".") for part in PurePosixPath(path).parts):
            files.add(path)
    return VaultChanges(frozenset(files), frozenset(sources))


def is_owners_move(archive: Archive, root: Path, files: Iterable[str]) -> bool:
    """Return whether a note or attachment of tobs is not at its path or is at another one: then the vault is scanned.

    Files that tobs itself writes are at the paths in the archive.
    """
    files = list(files)
    known = archive.notes.at_paths(files)
    attached = archive.files.at_paths(files)
    for path in files:
        exists = (root / path).is_file()
        if path in known or path in attached:
            if not exists:
                return True
        elif not exists:
            if not PurePosixPath(path).suffix and not (root / path).exists():
                return True  # a removed folder
        elif path.endswith(".md") and properties_at(root, path).tobs_id:
            return True
    return False
