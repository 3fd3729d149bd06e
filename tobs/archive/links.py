"""Links of notes. A link to something that is not in the vault yet is resolved when that comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tobs.archive.database import Database
from tobs.archive.encoding import id_list, owner_of

# The three kinds of target: a message, what has a note of its own, and a username that was nobody's.
_HEALABLE = """
    SELECT l.note_id FROM note_links l INDEXED BY note_links_unresolved
        JOIN message_rows m ON m.account = l.account AND m.chat_id = l.chat_id AND m.id = l.message_id
        JOIN notes target ON target.id = m.note_id
        WHERE l.resolved = 0 AND target.state <> 'deleted'
    UNION SELECT l.note_id FROM note_mentions l JOIN notes target ON target.tobs_id = l.target
        WHERE target.state <> 'deleted'
    UNION SELECT l.note_id FROM people p JOIN note_mentions l ON l.target = '@' || lower(p.username)
        WHERE p.username <> ''
    UNION SELECT l.note_id FROM chats c JOIN note_mentions l ON l.target = '@' || lower(c.username)
        WHERE c.username <> ''
    ORDER BY 1
"""


class NoteLink(NamedTuple):
    """A message that a note links to. ``resolved``: it was a link into the vault when the note was last written."""

    account: int
    chat_id: int
    message_id: int
    resolved: bool


class Links:
    """Links of all notes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, links: Mapping[int, Sequence[NoteLink]], missing: Mapping[int, Sequence[str]]) -> None:
        """Replace the links of notes: messages, and for everything else the ``missing`` targets: ``person/<id>``, a
        chat's id, ``@username`` in lower case. Both have every note that was rendered."""
        with self._database.transaction():
            for table, notes in (("note_links", links), ("note_mentions", missing)):
                self._database.run(
                    f"DELETE FROM {table} WHERE note_id IN (SELECT value FROM json_each(?))", (id_list(notes),)
                )
            self._database.run_many(
                "INSERT INTO note_links VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET resolved = min(resolved, excluded.resolved)",
                [
                    (note_id, owner_of(link.account, link.chat_id), link.chat_id, link.message_id, link.resolved)
                    for note_id, targets in links.items()
                    for link in targets
                ],
            )
            self._database.run_many(
                "INSERT OR IGNORE INTO note_mentions VALUES (?, ?)",
                [(note_id, target) for note_id, targets in missing.items() for target in targets],
            )

    def linking_to(self, note_ids: Iterable[int]) -> list[int]:
        """Return the notes that link to a message shown in one of ``note_ids``."""
        rows = self._database.rows(
            "SELECT DISTINCT l.note_id FROM message_rows m JOIN note_links l"
            " ON l.account = m.account AND l.chat_id = m.chat_id AND l.message_id = m.id"
            " WHERE m.note_id IN (SELECT value FROM json_each(?)) ORDER BY 1",
            (id_list(note_ids),),
        )
        return [note_id for (note_id,) in rows]

    def resolvable(self) -> list[int]:
        """Return the notes that link to something that was not in the vault and is now."""
        return [note_id for (note_id,) in self._database.rows(_HEALABLE)]
