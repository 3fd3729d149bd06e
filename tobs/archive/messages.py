"""Messages by their natural key (account, chat, id), each with the versions that edits replaced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from tobs.archive.database import Database
from tobs.archive.encoding import KEYS, decode_message, encode, id_list, key_list, owner_of
from tobs.archive.stale import mark_notes_named, mark_notes_of_rows
from tobs.model import GENERAL_TOPIC, Message, MessageKey
from tobs.model.clock import Clock

_BATCH = 500

_INSERT = (
    "INSERT INTO message_rows (row, account, chat_id, id, date, kind, sender_id, album_id, topic_id, edited,"
    " raw_page, raw_index, state, model) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
_REPLACE = (
    "UPDATE message_rows SET date = ?, kind = ?, sender_id = ?, album_id = ?, topic_id = ?, edited = ?,"
    " raw_page = ?, raw_index = ?, state = ?, model = ?, deleted_at = NULL WHERE row = ?"
)
_KEEP_VERSION = (
    "INSERT INTO message_versions (message_row, replaced_at, raw_page, raw_index, model)"
    " SELECT row, ?, raw_page, raw_index, model FROM message_rows WHERE row = ?"
)
# What a plugin hides gets no note. What is deleted on Telegram gets none either, but what had one gets one when its
# chat is laid out anew.
_UNPLANNED = (
    "note_id IS NULL AND account = ? AND chat_id = ? AND id <= ? AND hidden = 0"
    " AND (deleted_at IS NULL OR EXISTS (SELECT 1 FROM moved_messages WHERE message_row = row))"
)


class ArchivedMessage(NamedTuple):
    """A message that is in the archive already, as far as merging needs it."""

    row: int
    state: bytes
    model: bytes
    deleted_at: float | None
    edited: int
    source: str


class IncomingMessage(NamedTuple):
    """A message that is to be recorded: its digest (``message_state``), JSON, and place in the raw page."""

    message: Message
    state: bytes
    model: bytes
    raw_index: int


class Version(Struct, frozen=True):
    """An earlier version of a message, valid until ``replaced_at`` (Unix seconds)."""

    replaced_at: float
    message: Message


class Messages:
    """Messages of the archive. A message that was deleted on Telegram stays, but is not live."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # What is there

    def get(self, key: MessageKey) -> Message | None:
        """Return the live message of ``key``."""
        model = self._database.value(
            "SELECT model FROM message_rows WHERE account = ? AND chat_id = ? AND id = ? AND deleted_at IS NULL", key
        )
        return decode_message(model) if model is not None else None

    def versions(self, key: MessageKey) -> list[Version]:
        """Return the versions that edits replaced, oldest first."""
        rows = self._database.rows(
            "SELECT v.replaced_at, v.model FROM message_versions v JOIN message_rows m ON m.row = v.message_row"
            " WHERE m.account = ? AND m.chat_id = ? AND m.id = ? ORDER BY v.id",
            key,
        )
        return [Version(replaced_at, decode_message(model)) for replaced_at, model in rows]

    def versions_of(self, keys: Iterable[MessageKey]) -> dict[MessageKey, tuple[Message, ...]]:
        """Return the replaced versions of several messages, each oldest first; messages never edited are left out."""
        rows = self._database.rows(
            f"{KEYS} SELECT m.account, m.chat_id, m.id, v.model FROM keys"
            " JOIN message_rows m USING (account, chat_id, id) JOIN message_versions v ON v.message_row = m.row"
            " ORDER BY v.id",
            (key_list(keys),),
        )
        found: dict[MessageKey, tuple[Message, ...]] = {}
        for account, chat_id, message_id, model in rows:
            key = MessageKey(account, chat_id, message_id)
            found[key] = (*found.get(key, ()), decode_message(model))
        return found

    def range(self, account: int, chat_id: int, low: int, high: int) -> Iterator[Message]:
        """Yield the live messages with ``low <= id <= high`` in id order, read as needed."""
        owner = owner_of(account, chat_id)
        while low <= high:
            rows = self._database.rows(
                "SELECT id, model FROM message_rows WHERE account = ? AND chat_id = ? AND id BETWEEN ? AND ?"
                " AND deleted_at IS NULL ORDER BY id LIMIT ?",
                (owner, chat_id, low, high, _BATCH),
            )
            for _, model in rows:
                yield decode_message(model)
            if len(rows) < _BATCH:
                return
            low = rows[-1][0] + 1

    def unplanned(self, account: int, chat_id: int, upto: int, limit: int) -> list[Message]:
        """Return the first messages up to id ``upto`` that should get a note and have none, in id order."""
        rows = self._database.rows(
            f"SELECT model FROM message_rows WHERE {_UNPLANNED} ORDER BY id LIMIT ?",
            (owner_of(account, chat_id), chat_id, upto, limit),
        )
        return [decode_message(model) for (model,) in rows]

    def unplanned_dates(self, account: int, chat_id: int, upto: int) -> tuple[int, int] | None:
        """Return the dates (Unix seconds) of the first and last live message up to id ``upto`` that belong to no note
        yet; None if there are none."""
        found = [
            self._database.value(
                f"SELECT date FROM message_rows WHERE {_UNPLANNED} ORDER BY id {order} LIMIT 1",
                (owner_of(account, chat_id), chat_id, upto),
            )
            for order in ("ASC", "DESC")
        ]
        return None if found[0] is None else (found[0], found[1])

    def count(self, account: int, chat_id: int) -> int:
        """Count the live messages of a chat."""
        chat = (owner_of(account, chat_id), chat_id)
        # Two index scans: testing deleted_at would visit every row.
        every = self._database.value("SELECT count(*) FROM message_rows WHERE account = ? AND chat_id = ?", chat)
        deleted = self._database.value(
            "SELECT count(*) FROM message_rows WHERE account = ? AND chat_id = ? AND deleted_at IS NOT NULL", chat
        )
        return int(every - deleted)

    def count_between(self, account: int, chat_id: int, low: int, high: int, *, topic: int = 0) -> int:
        """Count the live messages of a chat, or of a ``topic`` in it, with ids from ``low`` to ``high``."""
        found = self._database.value(
            "SELECT count(*) FROM message_rows WHERE account = ? AND chat_id = ? AND id BETWEEN ? AND ?"
            f" AND deleted_at IS NULL{in_topic(topic)}",
            (owner_of(account, chat_id), chat_id, low, high),
        )
        return int(found)

    def has_upto(self, account: int, chat_id: int, upto: int) -> bool:
        """Tell if a chat has any message with an id up to ``upto``."""
        row = self._database.row(
            "SELECT 1 FROM message_rows WHERE account = ? AND chat_id = ? AND id <= ? LIMIT 1",
            (owner_of(account, chat_id), chat_id, upto),
        )
        return row is not None

    def newest_id(self, account: int, chat_id: int) -> int:
        """Return the highest id ever seen in a chat, 0 for none."""
        chat = (owner_of(account, chat_id), chat_id)
        return self._database.value("SELECT max(id) FROM message_rows WHERE account = ? AND chat_id = ?", chat) or 0

    def newest_ids(self, account: int, chat_id: int, limit: int, *, topic: int = 0) -> list[int]:
        """Return the highest ids ever seen in a chat, or in a ``topic`` of it, highest first."""
        rows = self._database.rows(
            f"SELECT id FROM message_rows WHERE account = ? AND chat_id = ?{in_topic(topic)} ORDER BY id DESC LIMIT ?",
            (owner_of(account, chat_id), chat_id, limit),
        )
        return [message_id for (message_id,) in rows]

    def located(self, account: int, ids: Iterable[int]) -> list[MessageKey]:
        """Return the keys of ``account``'s messages with these ids outside channels: there, ids belong to accounts."""
        rows = self._database.rows(
            "SELECT account, chat_id, id FROM message_rows WHERE account = ? AND account <> 0"
            " AND id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (account, id_list(ids)),
        )
        return [MessageKey(*row) for row in rows]

    def states(self, account: int, chat_id: int, ids: Iterable[int]) -> dict[int, bytes]:
        """Return the digest (``message_state``) of each of ``ids`` that is in the archive."""
        owner = owner_of(account, chat_id)
        return {message_id: known.state for message_id, known in self._known(owner, chat_id, ids).items()}

    def _known(self, owner: int, chat_id: int, ids: Iterable[int]) -> dict[int, ArchivedMessage]:
        return self.known(owner, chat_id, ids, self.last_row())

    def live(self, keys: Iterable[MessageKey]) -> list[MessageKey]:
        """Return the ``keys`` that are in the archive and not deleted."""
        rows = self._database.rows(
            f"{KEYS} SELECT account, chat_id, id FROM keys JOIN message_rows USING (account, chat_id, id)"
            " WHERE deleted_at IS NULL",
            (key_list(keys),),
        )
        return [MessageKey(*row) for row in rows]

    def live_ids(self, account: int, chat_id: int, low: int, high: int) -> list[int]:
        """Return the ids of the live messages with ``low <= id <= high``, ascending."""
        rows = self._database.rows(
            "SELECT id FROM message_rows WHERE account = ? AND chat_id = ? AND id BETWEEN ? AND ?"
            " AND deleted_at IS NULL ORDER BY id",
            (owner_of(account, chat_id), chat_id, low, high),
        )
        return [message_id for (message_id,) in rows]

    def live_ids_upto(self, account: int, chat_id: int, high: int, limit: int) -> list[int]:
        """Return the ids of the newest ``limit`` live messages with ``id <= high``, newest first."""
        rows = self._database.rows(
            "SELECT id FROM message_rows WHERE account = ? AND chat_id = ? AND id <= ? AND deleted_at IS NULL"
            " ORDER BY id DESC LIMIT ?",
            (owner_of(account, chat_id), chat_id, high, limit),
        )
        return [message_id for (message_id,) in rows]

    def live_ids_since(self, account: int, chat_id: int, moment: float) -> list[int]:
        """Return the ids of the live messages not older than ``moment`` (Unix seconds), ascending."""
        rows = self._database.rows(
            "SELECT id FROM message_rows WHERE account = ? AND chat_id = ? AND date >= ? AND kind <> 'story'"
            " AND deleted_at IS NULL ORDER BY id",
            (owner_of(account, chat_id), chat_id, moment),
        )
        return [message_id for (message_id,) in rows]

    def newer(self, account: int, chat_id: int, message_id: int) -> int:
        """Count the messages newer than ``message_id`` that Telegram has too, unreadable ones included."""
        chat = (owner_of(account, chat_id), chat_id, message_id)
        live = self._database.value(
            "SELECT count(*) FROM message_rows WHERE account = ? AND chat_id = ? AND id > ? AND deleted_at IS NULL",
            chat,
        )
        unreadable = self._database.value(
            "SELECT count(*) FROM unreadable WHERE account = ? AND chat_id = ? AND id > ?", chat
        )
        return int(live + unreadable)

    def unfinished(self, account: int) -> list[int]:
        """Return the chats with a message without a note, a stale note, or a file not yet attached."""
        rows = self._database.rows(
            "SELECT chat_id FROM message_rows WHERE note_id IS NULL AND deleted_at IS NULL AND hidden = 0"
            " AND account IN (0, ?1)"
            " UNION SELECT chat_id FROM notes"
            " WHERE revision <> written_revision AND state <> 'deleted' AND state <> 'retired'"
            " AND account IN (0, ?1) AND message_id <> 0"
            " UNION SELECT chat_id FROM media WHERE state IN ('wanted', 'staged') AND account IN (0, ?1)"
            " ORDER BY chat_id",
            (account,),
        )
        return [chat_id for (chat_id,) in rows]

    # What changes

    def set_pinned(self, keys: Iterable[MessageKey], *, pinned: bool) -> None:
        """Store that messages were pinned or unpinned: no new version, but the notes of their chats list them."""
        keys = list(keys)
        rows = self._database.rows(
            f"{KEYS} SELECT row, model FROM keys JOIN message_rows USING (account, chat_id, id)", (key_list(keys),)
        )
        changed = [(encode(replace(decode_message(model), pinned=pinned)), row) for row, model in rows]
        self._database.run_many("UPDATE message_rows SET model = ? WHERE row = ?", changed)
        mark_notes_of_rows(self._database, [row for _, row in changed])
        mark_notes_named(self._database, {str(key.chat_id) for key in keys})

    def mark_deleted(self, keys: Iterable[MessageKey]) -> int:
        """Store that Telegram deleted messages: they are not live and their notes become stale. Returns the number that
        were live."""
        with self._database.transaction():
            found = self._database.rows(
                f"{KEYS} SELECT row FROM keys JOIN message_rows USING (account, chat_id, id) WHERE deleted_at IS NULL",
                (key_list(keys),),
            )
            rows = [row for (row,) in found]
            now = self._clock()
            self._database.run_many(
                "UPDATE message_rows SET deleted_at = ? WHERE row = ?", [(now, row) for row in rows]
            )
            mark_notes_of_rows(self._database, rows)
        return len(rows)

    def last_row(self) -> int:
        """Return the highest row number ever used; row numbers are not used twice."""
        return self._database.value("SELECT max(row) FROM message_rows") or 0

    def known(self, owner: int, chat_id: int, ids: Iterable[int], upto_row: int) -> dict[int, ArchivedMessage]:
        """Return the ``ids`` that are in the archive, in rows up to ``upto_row``, deleted messages included."""
        rows = self._database.rows(
            "SELECT m.id, row, state, model, deleted_at, edited, coalesce(source, '')"
            " FROM message_rows m LEFT JOIN raw_pages r ON r.id = m.raw_page"
            " WHERE account = ? AND chat_id = ? AND m.id IN (SELECT value FROM json_each(?)) AND row <= ?",
            (owner, chat_id, id_list(ids), upto_row),
        )
        return {row[0]: ArchivedMessage(*row[1:]) for row in rows}

    def known_ids(self, account: int, chat_id: int, ids: Iterable[int]) -> set[int]:
        """Return the ``ids`` that are in the archive, deleted messages included."""
        return set(self.known(owner_of(account, chat_id), chat_id, ids, self.last_row()))

    def insert(self, owner: int, first_row: int, raw_page: int | None, incoming: Sequence[IncomingMessage]) -> int:
        """Add messages as rows from ``first_row``; a message whose key exists is left out. Returns the number added."""
        return self._database.run_many(
            _INSERT,
            [
                (row, owner, one.message.chat_id, one.message.id, *_content(raw_page, one))
                for row, one in enumerate(incoming, first_row)
            ],
        )

    def replace(
        self,
        raw_page: int | None,
        edits: Sequence[tuple[ArchivedMessage, IncomingMessage]],
        *,
        keep_versions: bool = True,
    ) -> None:
        """Store newer versions; the older ones are kept, the notes become stale, deleted messages become live."""
        if keep_versions:
            now = self._clock()
            self._database.run_many(
                _KEEP_VERSION, [(now, known.row) for known, incoming in edits if known.state != incoming.state]
            )
        self._database.run_many(_REPLACE, [(*_content(raw_page, one), known.row) for known, one in edits])
        mark_notes_of_rows(self._database, [known.row for known, _ in edits])

    def refresh(self, changes: Sequence[tuple[ArchivedMessage, IncomingMessage]]) -> None:
        """Store new counters and file references: no new version, no stale note."""
        self._database.run_many(
            "UPDATE message_rows SET model = ? WHERE row = ?",
            [(incoming.model, known.row) for known, incoming in changes],
        )


def _content(raw_page: int | None, incoming: IncomingMessage) -> tuple[object, ...]:
    """Return the columns that a new version replaces, in the order both statements have them."""
    message, state, model, raw_index = incoming
    return (
        message.date,
        message.kind,
        message.sender_id,
        message.album_id,
        message.topic_id,
        message.edited,
        raw_page,
        None if raw_page is None else raw_index,
        state,
        model,
    )


def in_topic(topic: int) -> str:
    """Return the condition for messages of ``topic`` (0: any); messages without a topic belong to the general one."""
    if not topic:
        return ""
    return " AND topic_id IN (0, 1)" if topic == GENERAL_TOPIC else f" AND topic_id = {topic:d}"
