"""Attachments by content: each file once in the vault, owned by the first message that has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from tobs.archive.database import Database
from tobs.archive.encoding import encode, id_list
from tobs.archive.paths import claim_path
from tobs.archive.stale import mark_notes_named, mark_notes_with_file
from tobs.model import MessageKey

_COLUMNS = "sha256, size, mime, path, account, chat_id, message_id, found"

#: Entries of what was found that add up; of all others the last one counts.
_LISTS = ("sections", "tags", "related", "files", "failures")


class FileRow(Struct, frozen=True):
    """An attachment: ``size`` in bytes, ``path`` inside the vault, ``found`` what processors found out, by the name of
    each and in their order."""

    sha256: str
    size: int
    mime: str
    path: str
    owner: MessageKey
    found: dict[str, dict[str, Any]]

    @property
    def fields(self) -> dict[str, Any]:
        """What all processors found out together: later fields win, lists grow, nothing appears twice."""
        fields: dict[str, Any] = {}
        for found in self.found.values():
            for name, value in found.items():
                if name in _LISTS and name in fields:
                    value = fields[name] + [one for one in value if one not in fields[name]]
                fields[name] = value
        return fields


class Files:
    """The attachments of the vault."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, sha256: str) -> FileRow | None:
        """The attachment with this content."""
        return self.many([sha256]).get(sha256)

    def many(self, hashes: Iterable[str]) -> dict[str, FileRow]:
        """Those of ``hashes`` (SHA-256, hex) that have a place in the vault."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM files WHERE sha256 IN (SELECT value FROM json_each(?))", (id_list(hashes),)
        )
        return {
            sha256: FileRow(sha256, size, mime, path, MessageKey(*owner), msgspec.json.decode(found))
            for sha256, size, mime, path, *owner, found in rows
        }

    def claim(
        self, sha256: str, owner: MessageKey, candidates: Iterable[str], *, size: int = 0, mime: str = ""
    ) -> FileRow:
        """The attachment with this content; a new one gets the first free path of ``candidates``."""
        with self._database.transaction():
            known = self.get(sha256)
            if known is not None:
                return known
            path = claim_path(self._database, sha256, candidates)
            self._database.run(
                f"INSERT INTO files ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (sha256, size, mime, path, *owner, b"{}"),
            )
        return FileRow(sha256, size, mime, path, owner, {})

    def forget_others(self, names: Iterable[str]) -> int:
        """Drop what processors found out that are not among ``names``; how many files that concerns."""
        kept, changed = set(names), 0
        others = "EXISTS (SELECT 1 FROM json_each(CAST(found AS TEXT)) WHERE key NOT IN"
        others += " (SELECT value FROM json_each(?)))"
        with self._database.transaction():
            for sha256, data in self._database.rows(
                f"SELECT sha256, found FROM files WHERE {others}", (id_list(kept),)
            ):
                found = msgspec.json.decode(data)
                self.set_found(sha256, {name: one for name, one in found.items() if name in kept})
                changed += 1
        return changed

    def set_found(self, sha256: str, found: dict[str, dict[str, Any]]) -> None:
        """Keep what each processor found out; notes that show the file become stale when it is something else."""
        data = encode(found)
        with self._database.transaction():
            if self._database.run("UPDATE files SET found = ?1 WHERE sha256 = ?2 AND found <> ?1", (data, sha256)):
                mark_notes_with_file(self._database, sha256)

    def picture(self, peer_id: int) -> tuple[str, str] | None:
        """The picture of a chat that is in the vault: Telegram's key of it, and its content (SHA-256)."""
        row = self._database.row("SELECT key, sha256 FROM pictures WHERE peer_id = ?", (peer_id,))
        return (row[0], row[1]) if row else None

    def set_picture(self, peer_id: int, key: str, sha256: str) -> None:
        """The picture of a chat is in the vault; the chat's note becomes stale."""
        with self._database.transaction():
            self._database.run("INSERT OR REPLACE INTO pictures VALUES (?, ?, ?)", (peer_id, key, sha256))
            mark_notes_named(self._database, [str(peer_id)])
