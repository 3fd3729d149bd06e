"""Answers of plugins about messages, by message, plugin and version; and notes that plugins made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from tobs.archive.database import Database
from tobs.archive.encoding import decode_message, encode, id_list, owner_of
from tobs.archive.stale import mark_notes_named, mark_notes_of_rows
from tobs.model import Message


class AskedPlugin(Struct, frozen=True):
    """A plugin that is asked about messages: its ``name``, a digest of its version and configuration, and its ``place``
    in the order (of two equal answers, the later counts)."""

    name: str
    digest: str
    place: int = 0


class StoredEnrichment(Struct, frozen=True):
    """Answer of a plugin about the message in ``row`` in the version ``state`` (a digest); may be empty. ``hides``: no
    note is made of the message. After a ``failed`` one the next run asks again."""

    row: int
    state: bytes
    found: dict[str, Any] = {}
    hides: bool = False
    failed: bool = False


class PendingMessage(Struct, frozen=True):
    """A message about which a plugin was not asked yet; ``state`` is the digest of its version."""

    row: int
    state: bytes
    message: Message


class PluginPage(Struct, frozen=True):
    """A note that a plugin made: Markdown, properties and tags."""

    title: str
    text: str
    fields: dict[str, Any] = {}
    tags: tuple[str, ...] = ()


class Enrichments:
    """Answers of plugins about messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pending(
        self, account: int, chat_id: int, plugin: AskedPlugin, *, after: int, upto: int, limit: int, every: bool = False
    ) -> list[PendingMessage]:
        """Return the next live messages with ids above ``after`` up to ``upto``, in id order, about whose present
        version ``plugin`` was not asked yet; with ``every`` all of them."""
        known = (
            " AND NOT EXISTS (SELECT 1 FROM enrichments e WHERE e.message_row = m.row AND e.plugin = ?"
            " AND e.digest = ? AND e.state = m.state)"
        )
        rows = self._database.rows(
            "SELECT row, state, model FROM message_rows m WHERE account = ? AND chat_id = ? AND id > ? AND id <= ?"
            f" AND deleted_at IS NULL{'' if every else known} ORDER BY id LIMIT ?",
            (
                *(owner_of(account, chat_id), chat_id, after, upto),
                *(() if every else (plugin.name, plugin.digest)),
                limit,
            ),
        )
        return [PendingMessage(row, state, decode_message(model)) for row, state, model in rows]

    def put(self, plugin: AskedPlugin, said: Sequence[StoredEnrichment]) -> None:
        """Store the answers of ``plugin`` over its earlier ones; notes that show something else now become stale."""
        with self._database.transaction():
            before = self._found(plugin.name, [one.row for one in said])
            self._database.run_many(
                "INSERT OR REPLACE INTO enrichments VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        one.row,
                        plugin.name,
                        "" if one.failed else plugin.digest,
                        one.state,
                        plugin.place,
                        one.hides,
                        encode(one.found),
                    )
                    for one in said
                ],
            )
            self._hide(one.row for one in said)
            changed = [one.row for one in said if encode(one.found) != before.get(one.row, b"{}")]
            if changed:
                mark_notes_of_rows(self._database, changed)

    def of_rows(self, message_rows: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
        """Return the answers about messages, by their rows, in the order of the plugins."""
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        rows = self._database.rows(
            "SELECT message_row, found FROM enrichments WHERE message_row IN (SELECT value FROM json_each(?))"
            " AND found <> CAST('{}' AS BLOB) ORDER BY message_row, place, plugin",
            (id_list(message_rows),),
        )
        for row, data in rows:
            found[row].append(msgspec.json.decode(data))
        return found

    def plugins(self) -> set[str]:
        """Return the plugins that were asked."""
        return {name for (name,) in self._database.rows("SELECT DISTINCT plugin FROM enrichments")}

    def forget_others(self, names: Iterable[str]) -> int:
        """Delete the answers of plugins that are not among ``names``; return the number of messages concerned."""
        others = "plugin NOT IN (SELECT value FROM json_each(?))"
        with self._database.transaction():
            rows = self._database.rows(
                f"SELECT message_row FROM enrichments WHERE {others} AND (hides OR found <> CAST('{{}}' AS BLOB))",
                (id_list(names),),
            )
            self._database.run(f"DELETE FROM enrichments WHERE {others}", (id_list(names),))
            self._hide(row for (row,) in rows)
            mark_notes_of_rows(self._database, [row for (row,) in rows])
        return len(rows)

    def _hide(self, message_rows: Iterable[int]) -> None:
        """Hide the messages of which some plugin wants no note, and show the others."""
        self._database.run(
            "UPDATE message_rows SET hidden = NOT hidden WHERE row IN (SELECT value FROM json_each(?))"
            " AND hidden <> EXISTS (SELECT 1 FROM enrichments e WHERE e.message_row = row AND e.hides)",
            (id_list(message_rows),),
        )

    # Notes of their own

    def put_page(self, tobs_id: str, page: PluginPage) -> None:
        """Store a note that a plugin made; it becomes stale if it differs from the stored one."""
        data = encode(page)
        with self._database.transaction():
            if self._database.value("SELECT page FROM pages WHERE tobs_id = ?", (tobs_id,)) != data:
                self._database.run("INSERT OR REPLACE INTO pages VALUES (?, ?)", (tobs_id, data))
                mark_notes_named(self._database, [tobs_id])

    def page(self, tobs_id: str) -> PluginPage | None:
        """Return a note that a plugin made."""
        data = self._database.value("SELECT page FROM pages WHERE tobs_id = ?", (tobs_id,))
        return None if data is None else msgspec.json.decode(data, type=PluginPage)

    def _found(self, plugin: str, rows: Sequence[int]) -> dict[int, bytes]:
        return dict(
            self._database.rows(
                "SELECT message_row, found FROM enrichments WHERE plugin = ?"
                " AND message_row IN (SELECT value FROM json_each(?))",
                (plugin, id_list(rows)),
            )
        )
