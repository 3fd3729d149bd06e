"""Notes of the vault: their paths, the messages they show, and the text last written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from tobs.archive import stale
from tobs.archive.database import Database
from tobs.archive.encoding import KEYS, decode_message, id_list, key_list, owner_of, pack, unpack
from tobs.archive.enrichments import Enrichments
from tobs.archive.media import Media, MediaRow
from tobs.archive.paths import claim_path, take_path
from tobs.archive.planning import NoteDraft, plan_notes
from tobs.model import Message, MessageKey, NoteState, path_key

_BATCH = 500
# An album has up to ten messages; in a busy group others come between them.
_ALBUM_REACH = 100
_COLUMNS = (
    "id, tobs_id, kind, account, chat_id, message_id, path, state, revision, written_revision,"
    " text_hash, size, mtime_ns, period"
)
_QUALIFIED = ", ".join(f"n.{column.strip()}" for column in _COLUMNS.split(","))


class NoteRow(Struct, frozen=True):
    """A note. ``path`` is in the vault, with forward slashes; ``message_id`` is its first message's, or 0; ``period``
    is the day or month whose messages it has, empty for a note of one message or none.

    ``state``: see ``NoteState``. ``revision`` grows with each change of the note's content; ``text_hash``, ``size``
    (bytes) and ``mtime_ns`` are of the file last written.
    """

    id: int
    tobs_id: str
    kind: str
    account: int
    chat_id: int
    message_id: int
    path: str
    state: NoteState
    revision: int
    written_revision: int
    text_hash: str
    size: int
    mtime_ns: int
    period: str = ""

    @property
    def is_stale(self) -> bool:
        """True if the note has to be rendered again."""
        return self.revision != self.written_revision


class WrittenNote(Struct, frozen=True):
    """A note whose file was written. ``revision`` is the row's *before* its messages were read, so that a change in
    between leaves the note stale. ``base`` is the text as written (``pack_base``)."""

    id: int
    revision: int
    text_hash: str
    base: bytes
    size: int
    mtime_ns: int


class AdoptedNote(NamedTuple):
    """A note that an archive without notes found in the vault; 0 and empty where it has no chat, message or period."""

    tobs_id: str
    kind: str
    chat_id: int
    message_id: int
    path: str
    period: str = ""


def note_rows(database: Database, note_ids: Iterable[int]) -> dict[int, NoteRow]:
    """Return notes by id."""
    rows = database.rows(
        f"SELECT {_COLUMNS} FROM notes WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", (id_list(note_ids),)
    )
    return {row[0]: NoteRow(*row) for row in rows}


def pack_base(text: str) -> bytes:
    """Compress a note's text for the archive."""
    return pack(text.encode(), small=True)


class StoredMessage(Struct, frozen=True):
    """A message of a note with its files and the answers of plugins (``found``). ``deleted_at`` (Unix seconds) is set
    when Telegram deleted it; ``block`` is the message it is shown with: itself, or the first of its album."""

    message: Message
    media: tuple[MediaRow, ...] = ()
    deleted_at: float | None = None
    found: Sequence[Mapping[str, Any]] = ()
    block: int = 0


class MessageLocation(NamedTuple):
    """Place of a message in the vault: the note's path, and in a note of many messages the ``block`` (0: the note is
    the message's own). ``is_foreign``: the message is of another chat than the note (the group that became a
    supergroup)."""

    path: str
    block: int
    is_foreign: bool


class Notes:
    """Notes of the vault."""

    def __init__(self, database: Database, media: Media, enrichments: Enrichments) -> None:
        self._database = database
        self._media = media
        self._enrichments = enrichments

    # Planning

    def claim(
        self, tobs_id: str, kind: str, *, account: int, chat_id: int, message_id: int, candidates: Iterable[str]
    ) -> NoteRow:
        """Return the note of ``tobs_id``; a new one is planned at the first free path of ``candidates``.

        Call in (chat, id) order, so that the same messages give the same names.
        """
        with self._database.transaction():
            known = self.by_tobs_id(tobs_id)
            if known is not None:
                return known
            owner = owner_of(account, chat_id)
            path = claim_path(self._database, tobs_id, candidates)
            note_id = self._database.insert(
                "INSERT INTO notes (tobs_id, kind, account, chat_id, message_id, path) VALUES (?, ?, ?, ?, ?, ?)",
                (tobs_id, kind, owner, chat_id, message_id, path),
            )
        return NoteRow(note_id, tobs_id, kind, owner, chat_id, message_id, path, "planned", 1, 0, "", 0, 0)

    def take_over(self, old: str, new: str, account: int, chat_id: int) -> None:
        """Rename the note ``old`` to ``new``, of another chat: it keeps its path and is stale. Does nothing if ``old``
        is missing or ``new`` exists."""
        with self._database.transaction():
            known = self.by_tobs_id(old)
            if known is None or self.by_tobs_id(new) is not None:
                return
            self._database.run(
                "UPDATE notes SET tobs_id = ?, account = ?, chat_id = ? WHERE id = ?",
                (new, owner_of(account, chat_id), chat_id, known.id),
            )
            self._database.run("UPDATE paths SET owner = ? WHERE owner = ?", (new, old))
            stale.mark_notes(self._database, [known.id])

    def plan(self, kind: str, account: int, chat_id: int, drafts: Sequence[NoteDraft]) -> None:
        """Plan notes of one chat for its messages, in id order: ``claim`` and ``assign`` for all of them."""
        plan_notes(self._database, kind, account, chat_id, drafts)

    def adopt(self, account: int, notes: Sequence[AdoptedNote]) -> None:
        """Record notes found in the vault under their ids; they are rendered when their messages are here."""
        with self._database.transaction():
            for note in notes:
                take_path(self._database, note.tobs_id, note.path)
                self._database.run(
                    "INSERT INTO notes (tobs_id, kind, account, chat_id, message_id, path, period, written_revision)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
                    (note.tobs_id, note.kind, owner_of(account, note.chat_id), *note[2:]),
                )

    def count(self) -> int:
        """Count all notes, in every state."""
        count: int = self._database.value("SELECT count(*) FROM notes")
        return count

    def assign(self, note_id: int, keys: Iterable[MessageKey], *, block_id: int | None = None) -> None:
        """Show messages in a note, which becomes stale; in the block of another message if they are part of it."""
        with self._database.transaction():
            self._database.run_many(
                "UPDATE message_rows SET note_id = ?, block_id = ? WHERE account = ? AND chat_id = ? AND id = ?",
                [(note_id, block_id, *key) for key in keys],
            )
            stale.mark_notes(self._database, [note_id])

    # Rendering

    def stale(
        self,
        account: int,
        chat_id: int | None,
        *,
        kinds: Sequence[str] = (),
        after: NoteRow | None = None,
        limit: int = _BATCH,
        ready_only: bool = False,
    ) -> list[NoteRow]:
        """Return notes to render, in (chat, message id) order; of one chat, or all.

        ``kinds`` names the kinds asked for (none: every kind), ``after`` is the last row of the batch before, and
        ``ready_only`` leaves out notes that have a file still on its way.
        """
        where = ["revision <> written_revision", "state <> 'deleted'", "state <> 'retired'"]
        values: list[int | str] = []
        if chat_id is not None:
            where.append("chat_id = ? AND account = ?")
            values += [chat_id, owner_of(account, chat_id)]
        if after is not None:
            where.append("(chat_id, account, message_id, id) > (?, ?, ?, ?)")
            values += [after.chat_id, after.account, after.message_id, after.id]
        if kinds:
            where.append(f"kind IN ({', '.join('?' * len(kinds))})")
            values += kinds
        if ready_only:
            where.append(
                "NOT EXISTS (SELECT 1 FROM message_rows JOIN media ON message_row = row"
                # '<> gone' says that the partial index will do.
                " WHERE note_id = notes.id AND media.state <> 'gone' AND media.state IN ('wanted', 'staged'))"
            )
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM notes WHERE {' AND '.join(where)}"
            " ORDER BY chat_id, account, message_id, id LIMIT ?",
            (*values, limit),
        )
        return [NoteRow(*row) for row in rows]

    def stored(self, note_ids: Iterable[int]) -> dict[int, list[StoredMessage]]:
        """Return the messages of notes with their files, in id order, deleted ones included. Three queries for all
        notes."""
        note_ids = list(note_ids)
        rows = self._database.rows(
            "SELECT note_id, row, deleted_at, block_id, model FROM message_rows"
            " WHERE note_id IN (SELECT value FROM json_each(?)) ORDER BY note_id, account, chat_id, id",
            (id_list(note_ids),),
        )
        messages = [(*head, decode_message(model)) for *head, model in rows]
        with_media = {row: message for _, row, _, _, message in messages if message.media or message.attached}
        media = self._media.of_messages(with_media) if with_media else {}
        said = self._enrichments.of_rows([row for _, row, *_ in messages])
        found: dict[int, list[StoredMessage]] = {note_id: [] for note_id in note_ids}
        for note_id, row, deleted_at, block, message in messages:
            found[note_id].append(
                StoredMessage(message, media.get(row, ()), deleted_at, said.get(row, ()), block or message.id)
            )
        return found

    def sizes(self, note_ids: Iterable[int]) -> dict[int, int]:
        """Count the messages, deleted ones included, of each note that has any."""
        return dict(
            self._database.rows(
                "SELECT note_id, count(*) FROM message_rows WHERE note_id IN (SELECT value FROM json_each(?))"
                " GROUP BY note_id",
                (id_list(note_ids),),
            )
        )

    def bases(self, note_ids: Iterable[int]) -> dict[int, str]:
        """Return the text last written of each note that was written."""
        rows = self._database.rows(
            "SELECT id, base FROM notes WHERE id IN (SELECT value FROM json_each(?)) AND base IS NOT NULL",
            (id_list(note_ids),),
        )
        return {note_id: unpack(base).decode() for note_id, base in rows}

    # Writing

    def written(self, notes: Sequence[WrittenNote]) -> None:
        """Store that notes are written with these texts."""
        self._database.run_many(
            "UPDATE notes SET state = 'written', written_revision = ?, text_hash = ?, base = ?, size = ?, mtime_ns = ?"
            " WHERE id = ?",
            [(note.revision, note.text_hash, note.base, note.size, note.mtime_ns, note.id) for note in notes],
        )

    def settle(self, revisions: Iterable[tuple[int, int]]) -> None:
        """Mark notes (id, revision) as up to date without writing."""
        self._database.run_many(
            "UPDATE notes SET written_revision = ? WHERE id = ?",
            [(revision, note_id) for note_id, revision in revisions],
        )

    def mark_deleted(self, note_ids: Iterable[int]) -> None:
        """Store that the owner deleted notes: they stay deleted."""
        self._database.run_many("UPDATE notes SET state = 'deleted' WHERE id = ?", [(one,) for one in note_ids])

    def moved(self, note_id: int, path: str) -> None:
        """Store that the owner moved a note to ``path``; it counts as present."""
        with self._database.transaction():
            tobs_id = self._database.value("SELECT tobs_id FROM notes WHERE id = ?", (note_id,))
            self._database.run(
                "UPDATE notes SET path = ?, state = 'written', size = 0, mtime_ns = 0 WHERE id = ?", (path, note_id)
            )
            take_path(self._database, tobs_id, path)

    def undelete(self, note_ids: Iterable[int]) -> None:
        """Store that notes which the owner had deleted are there again."""
        chosen = id_list(note_ids)
        self._database.run(
            "UPDATE notes SET state = 'written', revision = revision + 1"
            " WHERE id IN (SELECT value FROM json_each(?)) AND state = 'deleted'",
            (chosen,),
        )

    def restore_deleted(self, account: int, chat_ids: Iterable[int] | None = None) -> int:
        """Schedule notes that their owner deleted to be written again, of some chats or all; return their number. A
        note whose messages are all deleted on Telegram stays deleted."""
        chats = "" if chat_ids is None else " AND account IN (0, ?) AND chat_id IN (SELECT value FROM json_each(?))"
        return self._database.run(
            "UPDATE notes SET state = 'planned', revision = revision + 1, text_hash = '' WHERE state = 'deleted'"
            " AND (NOT EXISTS (SELECT 1 FROM message_rows WHERE note_id = notes.id)"
            f" OR EXISTS (SELECT 1 FROM message_rows WHERE note_id = notes.id AND deleted_at IS NULL)){chats}",
            () if chat_ids is None else (account, id_list(chat_ids)),
        )

    def restore_at(self, paths: Iterable[str]) -> None:
        """Schedule notes at ``paths`` that count as deleted to be written again."""
        self._database.run(
            "UPDATE notes SET state = 'planned', revision = revision + 1, text_hash = ''"
            " WHERE state = 'deleted' AND path IN (SELECT value FROM json_each(?))",
            (id_list(paths),),
        )

    # What became stale

    def mark_stale_at(self, paths: Iterable[str]) -> None:
        """Mark notes stale by their paths."""
        stale.mark_notes(self._database, [row.id for row in self.at_paths(paths).values()])

    def mark_stale(self, note_ids: Iterable[int]) -> None:
        """Mark notes stale by id."""
        stale.mark_notes(self._database, note_ids)

    def mark_counters_outdated(self, message_rows: Sequence[int]) -> None:
        """Store that the counters of messages are newer than their notes show; the notes do not become stale."""
        if message_rows:
            stale.mark_outdated(self._database, message_rows)

    def mark_outdated_stale(self, account: int, chat_id: int) -> bool:
        """Mark the notes stale whose message counters are outdated; return False if there are none."""
        return stale.mark_outdated_stale(self._database, owner_of(account, chat_id), chat_id)

    def mark_index_stale(self, note_ids: Iterable[int]) -> None:
        """Mark the list of the vault's chats stale if one of these notes is a chat's."""
        stale.mark_index(self._database, note_ids)

    def mark_stale_in(self, account: int, chat_id: int) -> None:
        """Mark every note of a chat stale."""
        stale.mark_notes_in(self._database, owner_of(account, chat_id), chat_id)

    def mark_stale_between(self, account: int, chat_id: int, since: float, until: float) -> None:
        """Mark the notes stale that show messages of a chat from ``since`` to before ``until`` (Unix seconds)."""
        rows = self._database.rows(
            "SELECT DISTINCT note_id FROM message_rows WHERE account = ? AND chat_id = ? AND note_id IS NOT NULL"
            " AND date >= ? AND date < ?",
            (owner_of(account, chat_id), chat_id, since, until),
        )
        stale.mark_notes(self._database, [note_id for (note_id,) in rows])

    def mark_all_stale(self, kinds: Sequence[str] = ()) -> None:
        """Mark every note stale, or every note of some kinds."""
        if kinds:
            stale.mark_notes_of_kind(self._database, kinds)
        else:
            stale.mark_all_notes(self._database)

    def emptied(self) -> list[NoteRow]:
        """Return stale written notes whose messages were all deleted on Telegram."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM notes WHERE revision <> written_revision AND state = 'written'"
            " AND EXISTS (SELECT 1 FROM message_rows WHERE note_id = notes.id)"
            " AND NOT EXISTS (SELECT 1 FROM message_rows WHERE note_id = notes.id AND deleted_at IS NULL)"
            " ORDER BY id"
        )
        return [NoteRow(*row) for row in rows]

    # Finding

    def by_tobs_id(self, tobs_id: str) -> NoteRow | None:
        """Return the note of ``tobs_id``, also a deleted one."""
        row = self._database.row(f"SELECT {_COLUMNS} FROM notes WHERE tobs_id = ?", (tobs_id,))
        return NoteRow(*row) if row else None

    def of_album(self, account: int, chat_id: int, album_id: int, message_id: int) -> tuple[int, int] | None:
        """Return the note that shows another message of an album, close to ``message_id``, and its block.

        As a rule that message has a lower id; after a run with filters it may have a higher one.
        """
        found: tuple[int, int] | None = self._database.row(
            "SELECT note_id, coalesce(block_id, id) FROM message_rows"
            " WHERE account = ? AND chat_id = ? AND id BETWEEN ? AND ?"
            " AND album_id = ? AND note_id IS NOT NULL ORDER BY id DESC LIMIT 1",
            (owner_of(account, chat_id), chat_id, message_id - _ALBUM_REACH, message_id + _ALBUM_REACH, album_id),
        )
        return found

    def location(self, account: int, chat_id: int, message_id: int) -> MessageLocation | None:
        """Return where a message is shown; None if it is in no note, or in a deleted one."""
        key = MessageKey.of(account, chat_id, message_id)
        return self.locations([key]).get(key)

    def locations(self, keys: Iterable[MessageKey]) -> dict[MessageKey, MessageLocation]:
        """Return where messages are shown, without messages in no note or in a deleted one."""
        rows = self._database.rows(
            f"{KEYS} SELECT m.account, m.chat_id, m.id, n.path,"
            " CASE n.period WHEN '' THEN 0 ELSE coalesce(m.block_id, m.id) END, n.chat_id <> m.chat_id"
            " FROM keys JOIN message_rows m USING (account, chat_id, id) JOIN notes n ON n.id = m.note_id"
            " WHERE n.state <> 'deleted'",
            (key_list(keys),),
        )
        return {
            MessageKey(*key): MessageLocation(path, block, bool(is_foreign)) for *key, path, block, is_foreign in rows
        }

    def id_of(self, account: int, chat_id: int, message_id: int) -> int | None:
        """Return the note a message is shown in, also a deleted one."""
        note_id: int | None = self._database.value(
            "SELECT note_id FROM message_rows WHERE account = ? AND chat_id = ? AND id = ?",
            MessageKey.of(account, chat_id, message_id),
        )
        return note_id

    def rows(self, note_ids: Iterable[int]) -> list[NoteRow]:
        """Return notes by their ids, in this order."""
        return list(note_rows(self._database, note_ids).values())

    def many(self, tobs_ids: Iterable[str]) -> dict[str, NoteRow]:
        """Return the notes of some ``tobs_id``, deleted ones included."""
        rows = self._database.rows(
            f"SELECT {_COLUMNS} FROM notes WHERE tobs_id IN (SELECT value FROM json_each(?))", (id_list(tobs_ids),)
        )
        return {row[1]: NoteRow(*row) for row in rows}

    def at_paths(self, paths: Iterable[str]) -> dict[str, NoteRow]:
        """Return the written notes at ``paths``."""
        rows = self._database.rows(
            f"SELECT {_QUALIFIED} FROM paths p JOIN notes n ON n.tobs_id = p.owner"
            " WHERE p.key IN (SELECT value FROM json_each(?)) AND n.state = 'written'",
            (id_list(path_key(path) for path in paths),),
        )
        return {row[6]: NoteRow(*row) for row in rows}

    def texts(self) -> Iterator[tuple[int, str]]:
        """Yield every text last written with its note's id, read as needed."""
        last = 0
        while rows := self._database.rows(
            "SELECT id, base FROM notes WHERE base IS NOT NULL AND state = 'written' AND id > ? ORDER BY id LIMIT ?",
            (last, _BATCH),
        ):
            for note_id, base in rows:
                yield note_id, unpack(base).decode()
            last = rows[-1][0]

    def written_notes(self) -> Iterator[NoteRow]:
        """Yield every note that should be on disk, by id, read as needed."""
        return self._in_state("written")

    def planned_notes(self) -> Iterator[NoteRow]:
        """Yield every note that has a path and was never written, by id, read as needed."""
        return self._in_state("planned")

    def deleted_notes(self) -> Iterator[NoteRow]:
        """Yield every note that the owner deleted, by id, read as needed."""
        return self._in_state("deleted")

    def _in_state(self, state: NoteState) -> Iterator[NoteRow]:
        last = 0
        while True:
            rows = self._database.rows(
                f"SELECT {_COLUMNS} FROM notes WHERE state = ? AND id > ? ORDER BY id LIMIT ?", (state, last, _BATCH)
            )
            for row in rows:
                yield NoteRow(*row)
            if len(rows) < _BATCH:
                return
            last = rows[-1][0]
