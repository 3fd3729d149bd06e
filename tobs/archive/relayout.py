"""Relayout of a chat: its notes are retired, its messages planned again, and the notes dropped when their files are
gone.

retire --> (messages belong to no note; they are planned as new ones are) --> adopt, drop

Between ``retire`` and ``drop`` ``moved_messages`` says where each message was shown, so that a run that was stopped in
between is finished by the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from tobs.archive.database import Database
from tobs.archive.encoding import encode, id_list, owner_of
from tobs.archive.notes import MessageLocation
from tobs.archive.paths import claim_path
from tobs.model import path_key

_BATCH = 500
# The layout of the channel whose comments a note shows. A note of a day shows those of one post and is called after it.
_LAYOUT_OF_COMMENTS = """(
    SELECT json_extract(?, '$."' || channel_id || '"') FROM (
        SELECT c.channel_id FROM message_rows m JOIN comments c ON c.chat_id = m.chat_id AND c.id = m.id
            WHERE notes.kind = 'message' AND m.note_id = notes.id
                AND c.channel_id IN (SELECT value FROM json_each(?))
        UNION SELECT value FROM json_each(?) WHERE notes.tobs_id LIKE value || '/comments/%'
    ) LIMIT 1
)"""
_CHOSEN = "SELECT value FROM json_each(?)"
_COLUMNS = "n.id, n.tobs_id, n.chat_id, n.path, n.text_hash"


class RetiredNote(Struct, frozen=True):
    """A note of the old layout. ``text_hash`` is that of the text last written, or empty."""

    id: int
    tobs_id: str
    chat_id: int
    path: str
    text_hash: str


class SuccessorNote(Struct, frozen=True):
    """The note that now shows the first message of a retired note, and its place there. ``is_same``: it shows exactly
    the same messages."""

    note_id: int
    tobs_id: str
    shown: MessageLocation
    is_same: bool


class Relayouts:
    """Notes on their way from one layout to another."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def retire(
        self, account: int, chat_id: int, kinds: Sequence[str], layout: str, commented: Mapping[int, str]
    ) -> int:
        """Retire the notes of these kinds of a chat that are not in its ``layout``; their messages belong to no note
        then. Returns the number of notes. Comments have the layout of their channel (``commented``: channel -> layout).
        Notes the owner deleted stay deleted with their messages. Notes that link to the messages become stale."""
        owner = owner_of(account, chat_id)
        channels = id_list(commented)
        with self._database.transaction():
            count = self._database.run(
                "UPDATE notes SET state = 'retired' WHERE account = ? AND chat_id = ?"
                f" AND state NOT IN ('deleted', 'retired') AND kind IN ({', '.join('?' * len(kinds))})"
                f" AND kind <> coalesce({_LAYOUT_OF_COMMENTS}, ?)",
                (owner, chat_id, *kinds, encode(commented).decode(), channels, channels, layout),
            )
            self._database.run(
                "INSERT OR REPLACE INTO moved_messages SELECT m.row, m.note_id FROM message_rows m"
                " JOIN notes n ON n.id = m.note_id WHERE n.state = 'retired' AND n.account = ? AND n.chat_id = ?",
                (owner, chat_id),
            )
            self._database.run(
                # Those that an earlier change moved have their new notes already.
                "UPDATE message_rows SET note_id = NULL, block_id = NULL WHERE note_id IN (SELECT id FROM notes"
                " WHERE state = 'retired' AND account = ? AND chat_id = ?)",
                (owner, chat_id),
            )
            self._database.run(
                "UPDATE notes SET revision = revision + 1 WHERE id IN (SELECT l.note_id FROM note_links l"
                " JOIN message_rows m ON m.account = l.account AND m.chat_id = l.chat_id AND m.id = l.message_id"
                " JOIN moved_messages v ON v.message_row = m.row)",
            )
        return count

    def chats(self) -> list[tuple[int, int]]:
        """Return (account, chat id) of the chats that have retired notes."""
        rows = self._database.rows("SELECT DISTINCT account, chat_id FROM notes WHERE state = 'retired' ORDER BY 1, 2")
        return [(account, chat_id) for account, chat_id in rows]

    def retired(self, *, after: int = 0, limit: int = _BATCH) -> list[RetiredNote]:
        """Return the next retired notes by id."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM notes n WHERE state = 'retired' AND id > ? ORDER BY id LIMIT ?",
            (after, limit),
        )
        return [RetiredNote(*row) for row in rows]

    def successors(self, note_ids: Iterable[int]) -> dict[int, SuccessorNote]:
        """Return the successors of retired notes; notes whose first message is in no note (the owner deleted it) are
        left out."""
        rows = self._database.rows(
            # With min() SQLite takes the other columns from the row that has it.
            "WITH old (note_id, first, number, id) AS (SELECT v.note_id, v.message_row, count(*), min(m.id)"
            "  FROM moved_messages v JOIN message_rows m ON m.row = v.message_row"
            "  WHERE v.note_id IN (SELECT value FROM json_each(?)) GROUP BY v.note_id)"
            " SELECT old.note_id, n.id, n.tobs_id,"
            "  n.path, CASE n.period WHEN '' THEN 0 ELSE coalesce(m.block_id, m.id) END, n.chat_id <> m.chat_id,"
            "  old.number = (SELECT count(*) FROM message_rows WHERE note_id = n.id)"
            "  AND old.number = (SELECT count(*) FROM moved_messages w JOIN message_rows x ON x.row = w.message_row"
            "   WHERE w.note_id = old.note_id AND x.note_id = n.id)"
            " FROM old JOIN message_rows m ON m.row = old.first JOIN notes n ON n.id = m.note_id",
            (id_list(note_ids),),
        )
        return {
            old: SuccessorNote(note_id, tobs_id, MessageLocation(path, block, bool(is_foreign)), bool(is_same))
            for old, note_id, tobs_id, path, block, is_foreign, is_same in rows
        }

    def adopt(self, retired: int, successor: int, *, text_hash: str, base: bytes) -> None:
        """Store that the owner's text of a retired note is in the file of its successor, which has the same messages;
        ``text_hash`` and ``base`` (``pack_base``) are of the text that tobs last wrote."""
        with self._database.transaction():
            self._database.run(
                "UPDATE notes SET state = 'written', text_hash = ?, base = ? WHERE id = ?", (text_hash, base, successor)
            )
            self._database.run("UPDATE notes SET text_hash = '', base = NULL WHERE id = ?", (retired,))

    def keep(self, tobs_id: str, candidates: Iterable[str]) -> str:
        """Claim a path for the owner's text in a retired note. It stays the same until the note is dropped, and nobody
        else gets it later."""
        owner = f"kept/{tobs_id}"
        known = self._database.value("SELECT value FROM meta WHERE key = ?", (owner,))
        if known is not None:
            return str(known)
        with self._database.transaction():
            path = claim_path(self._database, owner, candidates)
            self._database.run("INSERT INTO meta VALUES (?, ?)", (owner, path))
        return path

    def at(self, path: str) -> RetiredNote | None:
        """Return the retired note at ``path``."""
        row = self._database.row(
            f"SELECT {_COLUMNS} FROM paths p JOIN notes n ON n.tobs_id = p.owner"
            " WHERE p.key = ? AND n.state = 'retired'",
            (path_key(path),),
        )
        return RetiredNote(*row) if row else None

    def called(self, name: str) -> RetiredNote | None:
        """Return the retired note with the file name ``name``, if no other note of tobs has it."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS}, n.state FROM notes n WHERE state IN ('retired', 'written')"
            " AND substr(path, -length(?1) - 1) = '/' || ?1 LIMIT 2",
            (name,),
        )
        return RetiredNote(*rows[0][:-1]) if len(rows) == 1 and rows[0][-1] == "retired" else None

    def drop(self, note_ids: Iterable[int]) -> None:
        """Delete retired notes from the archive."""
        chosen = id_list(note_ids)
        with self._database.transaction():
            for table in ("moved_messages", "note_links", "note_mentions", "replaced"):
                self._database.run(f"DELETE FROM {table} WHERE note_id IN ({_CHOSEN})", (chosen,))
            owners = f"SELECT tobs_id FROM notes WHERE id IN ({_CHOSEN})"
            kept = f"SELECT 'kept/' || tobs_id FROM notes WHERE id IN ({_CHOSEN})"
            self._database.run(f"DELETE FROM meta WHERE key IN ({kept})", (chosen,))
            self._database.run(f"DELETE FROM paths WHERE owner IN ({owners})", (chosen,))
            self._database.run(f"DELETE FROM notes WHERE id IN ({_CHOSEN})", (chosen,))
