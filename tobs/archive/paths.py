"""Paths inside the vault, given away once: notes and attachments share one namespace."""

from __future__ import annotations

from collections.abc import Iterable

from tobs.archive.database import Database
from tobs.archive.encoding import id_list
from tobs.errors import VaultError
from tobs.model import path_key


class Paths:
    """Which note or file a path of the vault belongs to, or belonged to before it was moved."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self, path: str) -> str | None:
        """Where that note or file is now; None for a path tobs never gave away."""
        found: str | None = self._database.value(
            "SELECT coalesce(n.path, f.path) FROM paths p LEFT JOIN notes n ON n.tobs_id = p.owner"
            " LEFT JOIN files f ON f.sha256 = p.owner WHERE p.key = ?",
            (path_key(path),),
        )
        return found

    def aliases(self, paths: Iterable[str]) -> set[str]:
        """The keys of every path that the notes and files at ``paths`` have or had."""
        rows = self._database.rows(
            "SELECT key FROM paths WHERE owner IN"
            " (SELECT owner FROM paths WHERE key IN (SELECT value FROM json_each(?)))",
            (id_list(path_key(path) for path in paths),),
        )
        return {key for (key,) in rows}


def claim_path(database: Database, owner: str, candidates: Iterable[str]) -> str:
    """The first of ``candidates`` nobody has; it is ``owner``'s from now on. Call inside a transaction."""
    for path in candidates:
        if database.run("INSERT INTO paths VALUES (?, ?) ON CONFLICT DO NOTHING", (path_key(path), owner)):
            return path
    raise no_free_path(owner)


def take_path(database: Database, owner: str, path: str) -> None:
    """``path`` is ``owner``'s from now on, whoever had it: that is where its owner put it."""
    database.run("INSERT OR REPLACE INTO paths VALUES (?, ?)", (path_key(path), owner))


def no_free_path(owner: str) -> VaultError:
    """The error for an ``owner`` none of whose names is free."""
    return VaultError(f"No free name is left in the vault for {owner}.", "Rename a note that stands in its way.")
