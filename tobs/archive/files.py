"""Attachments by content: each file once in the vault, owned by the first message that has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from tobs.archive.database import Database, Row
from tobs.archive.encoding import encode, id_list
from tobs.archive.paths import claim_path, take_path
from tobs.archive.stale import mark_notes_named, mark_notes_with_file
from tobs.model import MessageKey, path_key

FoundType = Literal["text", "multitext", "number", "checkbox"]
_FOUND_TYPES: dict[str, FoundType] = {
    "text": "text",
    "array": "multitext",
    "integer": "number",
    "real": "number",
    "true": "checkbox",
    "false": "checkbox",
}
_COLUMNS = "sha256, size, mime, path, account, chat_id, message_id, found, lost, changed"
_BATCH = 5000

#: Entries of what was found that add up; of all others the last one counts.
_LISTS = ("sections", "tags", "related", "files", "failures")


class FileRow(Struct, frozen=True):
    """An attachment, known by the ``sha256`` of the downloaded file: ``size`` in bytes, ``path`` inside the vault,
    ``plugin_fields`` by the name of each processor and in their order; ``is_lost``: the owner deleted it; ``changed``:
    SHA-256 of the file as a plugin edited it, empty if no plugin did."""

    sha256: str
    size: int
    mime: str
    path: str
    owner: MessageKey
    plugin_fields: dict[str, dict[str, Any]]
    is_lost: bool = False
    changed: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the file in the vault."""
        return self.changed or self.sha256

    @property
    def fields(self) -> dict[str, Any]:
        """Fields of all processors together: later fields win, lists grow, nothing appears twice."""
        fields: dict[str, Any] = {}
        for plugin_fields in self.plugin_fields.values():
            for name, value in plugin_fields.items():
                if name in _LISTS and name in fields:
                    value = fields[name] + [one for one in value if one not in fields[name]]
                fields[name] = value
        return fields


class Files:
    """The attachments of the vault."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, sha256: str) -> FileRow | None:
        """Return the attachment with this content."""
        return self.many([sha256]).get(sha256)

    def many(self, hashes: Iterable[str]) -> dict[str, FileRow]:
        """Return the attachments among ``hashes`` (SHA-256, hex)."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM files WHERE sha256 IN (SELECT value FROM json_each(?))", (id_list(hashes),)
        )
        return {row[0]: _file(row) for row in rows}

    def with_content(self, hashes: Iterable[str]) -> dict[str, FileRow]:
        """Return the attachments that have these contents (SHA-256, hex) in the vault now, after edits by plugins."""
        chosen = id_list(hashes)
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM files WHERE changed = '' AND sha256 IN (SELECT value FROM json_each(?1))"
            f" UNION ALL SELECT {_COLUMNS} FROM files WHERE changed <> ''"
            " AND changed IN (SELECT value FROM json_each(?1))",
            (chosen,),
        )
        return {file.digest: file for file in map(_file, rows)}

    def all(self) -> Iterator[list[FileRow]]:
        """Yield every attachment in batches, by hash."""
        last = ""
        while rows := self._database.rows(
            f"SELECT {_COLUMNS} FROM files WHERE sha256 > ? ORDER BY sha256 LIMIT ?", (last, _BATCH)
        ):
            yield [_file(row) for row in rows]
            last = rows[-1][0]

    def at_paths(self, paths: Iterable[str]) -> set[str]:
        """Return the ``paths`` at which an attachment is recorded."""
        rows = self._database.rows(
            "SELECT f.path FROM paths p JOIN files f ON f.sha256 = p.owner"
            " WHERE p.key IN (SELECT value FROM json_each(?)) AND f.lost = 0",
            (id_list(path_key(path) for path in paths),),
        )
        return {path for (path,) in rows}

    def claim(
        self, sha256: str, owner: MessageKey, candidates: Iterable[str], *, size: int = 0, mime: str = ""
    ) -> FileRow:
        """Return the attachment with this content; a new one gets the first free path of ``candidates``."""
        with self._database.transaction():
            known = self.get(sha256)
            if known is not None:
                return known
            path = claim_path(self._database, sha256, candidates)
            self._database.run(
                f"INSERT INTO files ({_COLUMNS}, number)"
                " SELECT ?, ?, ?, ?, ?, ?, ?, ?, 0, '', coalesce(max(number), 0) + 1 FROM files",
                (sha256, size, mime, path, *owner, b"{}"),
            )
        return FileRow(sha256, size, mime, path, owner, {})

    def plugin_fields_of(self) -> set[str]:
        """Return the processors that stored fields."""
        rows = self._database.rows("SELECT DISTINCT key FROM files, json_each(CAST(found AS TEXT))")
        return {name for (name,) in rows}

    def forget_others(self, names: Iterable[str]) -> int:
        """Delete the fields of processors that are not among ``names``; return the number of files concerned."""
        kept, changed = set(names), 0
        others = "EXISTS (SELECT 1 FROM json_each(CAST(found AS TEXT)) WHERE key NOT IN"
        others += " (SELECT value FROM json_each(?)))"
        with self._database.transaction():
            for sha256, data in self._database.rows(
                f"SELECT sha256, found FROM files WHERE {others}", (id_list(kept),)
            ):
                plugin_fields = msgspec.json.decode(data)
                self.set_plugin_fields(sha256, {name: one for name, one in plugin_fields.items() if name in kept})
                changed += 1
        return changed

    def set_plugin_fields(self, sha256: str, plugin_fields: dict[str, dict[str, Any]]) -> None:
        """Store the fields of each processor; notes that show the file become stale if the fields changed."""
        data = encode(plugin_fields)
        with self._database.transaction():
            if self._database.run("UPDATE files SET found = ?1 WHERE sha256 = ?2 AND found <> ?1", (data, sha256)):
                mark_notes_with_file(self._database, sha256)

    def set_changed(self, sha256: str, changed: str, size: int) -> None:
        """Store that the attachment's file is now ``changed`` (SHA-256; empty: as downloaded) with ``size`` bytes; its
        notes become stale."""
        with self._database.transaction():
            self._database.run("UPDATE files SET changed = ?, size = ? WHERE sha256 = ?", (changed, size, sha256))
            mark_notes_with_file(self._database, sha256)

    def picture(self, peer_id: int) -> tuple[str, str] | None:
        """Return the picture of a chat in the vault: Telegram's key of it, and its content (SHA-256)."""
        row = self._database.row("SELECT key, sha256 FROM pictures WHERE peer_id = ?", (peer_id,))
        return (row[0], row[1]) if row else None

    def set_picture(self, peer_id: int, key: str, sha256: str) -> None:
        """Store the picture of a chat; the chat's note becomes stale."""
        with self._database.transaction():
            self._database.run("INSERT OR REPLACE INTO pictures VALUES (?, ?, ?)", (peer_id, key, sha256))
            mark_notes_named(self._database, [str(peer_id)])

    def plugin_field_types(self) -> dict[str, FoundType]:
        """Return the types of all plugin fields by name; a name with values of two types is left out."""
        rows = self._database.rows(
            "SELECT DISTINCT each.key, each.type FROM ("
            " SELECT one.value AS said FROM files, json_each(CAST(found AS TEXT)) AS one WHERE one.type = 'object'"
            " UNION ALL SELECT CAST(found AS TEXT) FROM enrichments) AS told, json_each(told.said) AS each"
        )
        types: dict[str, set[FoundType]] = {}
        for name, kind in rows:
            if kind in _FOUND_TYPES:
                types.setdefault(name, set()).add(_FOUND_TYPES[kind])
        return {name: kinds.pop() for name, kinds in sorted(types.items()) if len(kinds) == 1}

    def moved(self, sha256: str, path: str) -> None:
        """Store that the owner moved the attachment to ``path``; it counts as present."""
        with self._database.transaction():
            before = self._database.value("SELECT path FROM files WHERE sha256 = ?", (sha256,))
            self._database.run("UPDATE files SET path = ?, lost = 0 WHERE sha256 = ?", (path, sha256))
            take_path(self._database, sha256, path)
            self._rename_in_fields(before, path)
            mark_notes_with_file(self._database, sha256)

    def set_lost(self, sha256: str, *, lost: bool) -> None:
        """Store that the owner deleted the attachment, or that it is there again."""
        with self._database.transaction():
            path = self._database.value("SELECT path FROM files WHERE sha256 = ?", (sha256,))
            self._database.run("UPDATE files SET lost = ? WHERE sha256 = ?", (lost, sha256))
            if lost:
                self._rename_in_fields(path, None)
            mark_notes_with_file(self._database, sha256)

    def forget(self, sha256: str) -> None:
        """Delete the attachment's row and release its path."""
        with self._database.transaction():
            path = self._database.value("SELECT path FROM files WHERE sha256 = ?", (sha256,))
            mark_notes_with_file(self._database, sha256)
            self._rename_in_fields(path, None)
            self._database.run("DELETE FROM files WHERE sha256 = ?", (sha256,))
            self._database.run("DELETE FROM paths WHERE owner = ?", (sha256,))

    def _rename_in_fields(self, before: str, path: str | None) -> None:
        """Rename a file in the fields of the file it was made from; None removes it."""
        rows = self._database.rows(
            "SELECT sha256, found FROM files WHERE instr(CAST(found AS TEXT), ?)",
            (msgspec.json.encode(before).decode(),),
        )
        for sha256, data in rows:
            plugin_fields = msgspec.json.decode(data)
            self.set_plugin_fields(
                sha256, {name: _with_path(fields, before, path) for name, fields in plugin_fields.items()}
            )


def _file(row: Row) -> FileRow:
    sha256, size, mime, path, account, chat_id, message_id, plugin_fields, lost, changed = row
    key = MessageKey(account, chat_id, message_id)
    return FileRow(sha256, size, mime, path, key, msgspec.json.decode(plugin_fields), bool(lost), changed)


def _with_path(fields: dict[str, Any], before: str, path: str | None) -> dict[str, Any]:
    """Return ``fields`` with a file's new path, or without the file."""
    fields = dict(fields)
    if fields.get("embed") == before:
        fields |= {"embed": path}
    if "files" in fields:
        made = [each | {"path": path} if each["path"] == before else each for each in fields["files"]]
        fields["files"] = [each for each in made if each["path"]]
    return {name: value for name, value in fields.items() if value is not None}
