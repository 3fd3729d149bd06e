"""Paths inside the vault, each claimed once: notes and attachments share one namespace."""

from __future__ import annotations

from collections.abc import Iterable

from tobs.archive.database import Database
from tobs.archive.encoding import id_list
from tobs.errors import VaultError
from tobs.model import path_key


class Paths:
    """Owners (notes and files) of vault paths, also of paths from which they were moved."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self, path: str) -> str | None:
        """Return the present path of the note or file that has or had ``path``; None for a path never claimed."""
        found: str | None = self._database.value(
            "SELECT coalesce(n.path, f.path) FROM paths p LEFT JOIN notes n ON n.tobs_id = p.owner"
            " LEFT JOIN files f ON f.sha256 = p.owner WHERE p.key = ?",
            (path_key(path),),
        )
        return found

    def aliases(self, paths: Iterable[str]) -> set[str]:
        """Return the keys of all paths that the notes and files at ``paths`` have or had."""
        rows = self._database.rows(
            "SELECT key FROM paths WHERE owner IN"
            " (SELECT owner FROM paths WHERE key IN (SELECT value FROM json_each(?)))",
            (id_list(path_key(path) for path in paths),),
        )
        return {key for (key,) in rows}


def claim_path(database: Database, owner: str, candidates: Iterable[str]) -> str:
    """Claim the first free path of ``candidates`` for ``owner``. Call inside a transaction."""
    for path in candidates:
        if database.run("INSERT INTO paths VALUES (?, ?) ON CONFLICT DO NOTHING", (path_key(path), owner)):
            return path
    raise no_free_path(owner)


def take_path(database: Database, owner: str, path: str) -> None:
    """Give ``path`` to ``owner``, also if another one had it: the vault's owner put it there."""
    database.run("INSERT OR REPLACE INTO paths VALUES (?, ?)", (path_key(path), owner))


def no_free_path(owner: str) -> VaultError:
    """Return the error for an ``owner`` without a free name."""
    return VaultError(f"No free name is left in the vault for {owner}.", "Rename a note that stands in its way.")
