"""What happens in the vault, told by the operating system: what the owner did, and not what tobs wrote itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

import watchfiles
from msgspec import Struct

from tobs.archive import Archive
from tobs.config.vault_paths import TOBS
from tobs.vault.moved_notes import properties_at

#: Milliseconds in which changes are gathered: an editor that writes by rename makes several.
_GATHER = 300

PLUGINS = f"{TOBS}/plugins/"
_SOURCES = (f"{TOBS}/templates/", PLUGINS, f"{TOBS}/config.toml")

#: Files in TOBS_HOME: settings of every vault, and what was trusted.
TRUST = "trust"
_AT_HOME = frozenset({"config.toml", TRUST})


class VaultChanges(Struct, frozen=True):
    """What changed: vault paths of visible files, and what notes are made by (vault paths of templates, plugins and
    configuration, names of files in TOBS_HOME)."""

    files: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()


async def watch_vault(root: Path, home: Path, on_changes: Callable[[VaultChanges], None]) -> None:
    """Tell what happens below ``root``, and in the folder ``home`` to what every vault goes by, until cancelled."""

    def sort_changes(paths: Iterable[str]) -> VaultChanges:
        found = [Path(path) for path in paths]
        inside = sort_out(path.relative_to(root).as_posix() for path in found if path.is_relative_to(root))
        at_home = {path.name for path in found if path.parent == home and path.name in _AT_HOME}
        return VaultChanges(inside.files, inside.sources | at_home)

    def is_wanted(_: watchfiles.Change, path: str) -> bool:
        one = sort_changes([path])
        return bool(one.files or one.sources)

    async for events in watchfiles.awatch(
        root, home, watch_filter=is_wanted, debounce=_GATHER, step=50, rust_timeout=1000
    ):
        on_changes(sort_changes(path for _, path in events))


def sort_out(paths: Iterable[str]) -> VaultChanges:
    """Vault paths by what they are to a watch; hidden files are nothing to it."""
    files, sources = set(), set()
    for path in paths:
        if path.startswith(_SOURCES):
            sources.add(path)
        elif not any(part.startswith(".") for part in PurePosixPath(path).parts):
            files.add(path)
    return VaultChanges(frozenset(files), frozenset(sources))


def is_owners_move(archive: Archive, root: Path, files: Iterable[str]) -> bool:
    """Whether something of tobs is not where it was, or lies where it was not: only then the vault is looked through.

    What tobs writes itself is where the archive says, so that it is never taken for the owner's doing.
    """
    files = list(files)
    known = archive.notes.at_paths(files)
    attached = archive.files.at_paths(files)
    for path in files:
        lies = (root / path).is_file()
        if path in known or path in attached:
            if not lies:
                return True
        elif not lies:
            if not PurePosixPath(path).suffix and not (root / path).exists():
                return True  # a folder that is gone
        elif path.endswith(".md") and properties_at(root, path).tobs_id:
            return True
    return False
