"""Marks notes stale: their revision grows when anything they show changes."""

from __future__ import annotations

from collections.abc import Iterable

from tobs.archive.database import Database
from tobs.archive.encoding import id_list

_GROW = "UPDATE notes SET revision = revision + 1"


def mark_notes(database: Database, note_ids: Iterable[int]) -> None:
    """Mark notes by id."""
    database.run(f"{_GROW} WHERE id IN (SELECT value FROM json_each(?))", (id_list(note_ids),))


def mark_index(database: Database, note_ids: Iterable[int]) -> None:
    """Mark the list of the vault's chats if one of these notes is a chat's."""
    database.run(
        f"{_GROW} WHERE tobs_id = 'index' AND EXISTS ("
        " SELECT 1 FROM notes AS chat WHERE chat.kind = 'chat' AND chat.id IN (SELECT value FROM json_each(?)))",
        (id_list(note_ids),),
    )


def mark_notes_named(database: Database, tobs_ids: Iterable[str]) -> None:
    """Mark notes by ``tobs_id``."""
    database.run(f"{_GROW} WHERE tobs_id IN (SELECT value FROM json_each(?))", (id_list(tobs_ids),))


def mark_notes_of_rows(database: Database, message_rows: Iterable[int]) -> None:
    """Mark the notes that show messages."""
    database.run(
        f"{_GROW} WHERE id IN (SELECT note_id FROM message_rows WHERE row IN (SELECT value FROM json_each(?)))",
        (id_list(message_rows),),
    )


def mark_outdated(database: Database, message_rows: Iterable[int]) -> None:
    """Store that the notes which show messages have outdated counters; they do not become stale."""
    database.run(
        "UPDATE notes SET behind = 1 WHERE id IN"
        " (SELECT note_id FROM message_rows WHERE row IN (SELECT value FROM json_each(?)))",
        (id_list(message_rows),),
    )


def mark_outdated_stale(database: Database, account: int, chat_id: int) -> bool:
    """Mark the notes with outdated counters of a chat's messages, written since or not; ``account`` is 0 for channels.
    Returns False if there are none."""
    rows = database.rows(
        f"{_GROW}, behind = 0 WHERE behind = 1 AND EXISTS ("
        " SELECT 1 FROM message_rows WHERE note_id = notes.id AND account = ? AND chat_id = ?) RETURNING id",
        (account, chat_id),
    )
    return bool(rows)


def mark_notes_naming(database: Database, people: Iterable[int]) -> None:
    """Mark the notes of people's messages, and notes that name the people: of chats, and of the people themselves."""
    database.run(
        f"{_GROW} WHERE kind IN ('chat', 'person') OR id IN ("
        " SELECT note_id FROM message_rows WHERE sender_id IN (SELECT value FROM json_each(?))"
        " AND sender_id <> chat_id AND sender_id <> 0 AND deleted_at IS NULL)",
        (id_list(people),),
    )


def mark_notes_with_file(database: Database, sha256: str) -> None:
    """Mark the notes that embed a file, and the file's own note."""
    database.run(
        f"{_GROW} WHERE tobs_id = 'audio/' || ?1 OR id IN ("
        " SELECT note_id FROM media JOIN message_rows ON row = message_row"
        " WHERE sha256 = ?1 AND media.state <> 'gone')",
        (sha256,),
    )


def mark_notes_in(database: Database, account: int, chat_id: int) -> None:
    """Mark every note of a chat; ``account`` is 0 for channels."""
    database.run(f"{_GROW} WHERE account = ? AND chat_id = ?", (account, chat_id))


def mark_notes_of_kind(database: Database, kinds: Iterable[str]) -> None:
    """Mark every note of some kinds."""
    database.run(f"{_GROW} WHERE kind IN (SELECT value FROM json_each(?))", (id_list(kinds),))


def mark_all_notes(database: Database) -> None:
    """Mark every note."""
    database.run(_GROW)
