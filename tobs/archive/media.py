"""Files of messages: wanted, fetched, attached, or left out, and why.

wanted --> staged --> placed        the normal way: in the staging folder, then in the vault
   |                                (with a reason: put off by this run, and in nobody's way)
   |------> failed                  did not work; back to wanted by ``retry_failed`` where that may help
   |------> unavailable             the source does not have it (any more)
skipped                             the owner does not want it (kind, size, --no-media)
gone                                an edit took it out of its message
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from msgspec import Struct

from tobs.archive.database import Database, Row
from tobs.archive.encoding import decode_message, id_list, owner_of
from tobs.archive.stale import mark_notes_of_rows
from tobs.model import FileItem, Message, MessageKey, message_files

MediaState = Literal["wanted", "staged", "placed", "failed", "unavailable", "skipped"]

_BATCH = 500
#: Keys of files that are nowhere on Telegram begin so.
_OWN = "message/"
_COLUMNS = (
    "d.id, d.account, d.chat_id, d.message_id, d.ordinal, d.key, d.rank, d.date, d.state, d.reason, d.retryable,"
    " d.attempts, d.part_offset, d.sha256, d.size"
)
_WITH_MESSAGE = f"SELECT {_COLUMNS}, m.model FROM media d JOIN message_rows m ON m.row = d.message_row"
_IN_ORDER = "d.date, d.message_id, d.ordinal"


class MediaDecision(Struct, frozen=True):
    """Decision whether to fetch a file; ``reason`` (a sentence for the report) if not. Files of a lower ``rank`` are
    fetched first."""

    state: Literal["wanted", "skipped", "unavailable"]
    reason: str = ""
    rank: int = 0


Decide = Callable[[Message, FileItem], MediaDecision]


class MediaRow(Struct, frozen=True):
    """The ``ordinal``-th file (from 0) of a message.

    Rows with the same ``key`` have the same bytes. ``offset`` is the number of verified bytes in the part file;
    ``size`` in bytes and ``sha256`` (hex) are those of the fetched file. ``date`` is the message's.
    """

    id: int
    account: int
    chat_id: int
    message_id: int
    ordinal: int
    key: str
    rank: int
    date: int
    state: MediaState
    reason: str
    retryable: bool
    attempts: int
    offset: int
    sha256: str | None
    size: int
    item: FileItem

    @property
    def message_key(self) -> MessageKey:
        """Key of the message that has the file."""
        return MessageKey(self.account, self.chat_id, self.message_id)


class Media:
    """Media rows. Methods about bytes take the file's key, and so change every message that has the same file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # What is to be done

    def wanted(self, account: int, chat_id: int, limit: int, *, after: MediaRow | None = None) -> list[MediaRow]:
        """Return the next files to fetch, one row a key: the first by (rank, date, id, ordinal), of these the ones
        ``after``. Files that this run postponed are left out."""
        rows = self._database.rows(
            f"{_WITH_MESSAGE} WHERE d.account = ? AND d.chat_id = ? AND d.state = 'wanted' AND d.reason = ''"
            f" AND (d.rank, {_IN_ORDER}) > (?, ?, ?, ?)"
            # The index by order would read all rows before this one.
            " AND NOT EXISTS (SELECT 1 FROM media e INDEXED BY media_key WHERE e.key = d.key AND e.account = d.account"
            "  AND e.chat_id = d.chat_id AND e.state = 'wanted'"
            "  AND (e.date, e.message_id, e.ordinal) < (d.date, d.message_id, d.ordinal))"
            f" ORDER BY d.rank, {_IN_ORDER} LIMIT ?",
            (owner_of(account, chat_id), chat_id, after.rank if after else -1, *_place(after), limit),
        )
        return _with_items(rows)

    def attachable(self, account: int, chat_id: int, limit: int, *, upto: int | None = None) -> list[MediaRow]:
        """Return staged files in (date, id, ordinal) order, up to the first one that is still wanted and not postponed.

        ``upto`` is the watermark: messages above it are left out, since earlier ones may still come.
        """
        owner = owner_of(account, chat_id)
        barrier = self._database.row(
            f"SELECT {_IN_ORDER} FROM media d WHERE account = ?1 AND chat_id = ?2 AND state = 'wanted'"
            f" AND reason = '' AND (?3 IS NULL OR message_id <= ?3) ORDER BY {_IN_ORDER} LIMIT 1",
            (owner, chat_id, upto),
        )
        rows = self._database.rows(
            f"{_WITH_MESSAGE} WHERE d.account = ?1 AND d.chat_id = ?2 AND d.state = 'staged'"
            " AND (?3 IS NULL OR d.message_id <= ?3)"
            f" AND (?4 IS NULL OR ({_IN_ORDER}) < (?4, ?5, ?6)) ORDER BY {_IN_ORDER} LIMIT ?7",
            (owner, chat_id, upto, *(barrier or (None, None, None)), limit),
        )
        return _with_items(rows)

    def attached_files(
        self, account: int, chat_id: int, limit: int, *, after: MediaRow | None = None
    ) -> list[MediaRow]:
        """Return attached files in (date, id, ordinal) order, ``after`` a row."""
        rows = self._database.rows(
            f"{_WITH_MESSAGE} WHERE d.account = ? AND d.chat_id = ? AND d.state = 'placed'"
            f" AND ({_IN_ORDER}) > (?, ?, ?) ORDER BY {_IN_ORDER} LIMIT ?",
            (owner_of(account, chat_id), chat_id, *_place(after), limit),
        )
        return _with_items(rows)

    def attached_hash(self, key: str) -> str | None:
        """Return the content (SHA-256) of the file with this key if it is in the vault."""
        sha256: str | None = self._database.value(
            "SELECT sha256 FROM media WHERE key = ? AND state = 'placed' LIMIT 1", (key,)
        )
        return sha256

    def counts(self, account: int, chat_id: int) -> dict[MediaState, int]:
        """Count the files of a chat in each state."""
        return dict(
            self._database.rows(
                "SELECT state, count(*) FROM media WHERE account = ? AND chat_id = ? AND state <> 'gone'"
                " GROUP BY state",
                (owner_of(account, chat_id), chat_id),
            )
        )

    def with_hash(self, sha256: str) -> list[MediaRow]:
        """Return every message file with this content, first by (date, chat, id, ordinal)."""
        rows = self._database.rows(
            f"{_WITH_MESSAGE} WHERE d.sha256 = ? AND d.state <> 'gone'"
            " ORDER BY d.date, d.chat_id, d.message_id, d.ordinal",
            (sha256,),
        )
        return _with_items(rows)

    def of_messages(self, messages: dict[int, Message]) -> dict[int, tuple[MediaRow, ...]]:
        """Return the files of messages, both by row of the message."""
        found: dict[int, list[MediaRow]] = defaultdict(list)
        rows = self._database.rows(
            f"SELECT d.message_row, {_COLUMNS} FROM media d WHERE d.message_row IN (SELECT value FROM json_each(?))"
            " AND d.state <> 'gone' ORDER BY d.message_row, d.ordinal",
            (id_list(messages),),
        )
        for message_row, *row in rows:
            found[message_row].append(_row(row, messages[message_row]))
        return {message_row: tuple(files) for message_row, files in found.items()}

    def dated(self, account: int, chat_id: int, dates: Iterable[int]) -> list[MediaRow]:
        """Return the files of live messages of a chat that have one of ``dates`` (Unix seconds)."""
        rows = self._database.rows(
            f"{_WITH_MESSAGE} WHERE d.account = ? AND d.chat_id = ? AND m.deleted_at IS NULL"
            # With every state named, the index by order finds the dates.
            " AND d.state IN ('wanted', 'staged', 'placed', 'failed', 'unavailable', 'skipped')"
            " AND d.date IN (SELECT value FROM json_each(?))",
            (owner_of(account, chat_id), chat_id, id_list(dates)),
        )
        return _with_items(rows)

    def left_out(self, account: int, chat_id: int, *, after: int, limit: int) -> list[int]:
        """Return the next messages (ids beyond ``after``) with a file that an export left out."""
        rows = self._database.rows(
            "SELECT DISTINCT d.message_id FROM media d JOIN message_rows m ON m.row = d.message_row"
            f" WHERE d.account = ? AND d.chat_id = ? AND d.state = 'skipped' AND d.key LIKE '{_OWN}%'"
            " AND d.message_id > ? AND m.deleted_at IS NULL AND instr(m.model, CAST(? AS BLOB))"
            " ORDER BY d.message_id LIMIT ?",
            (owner_of(account, chat_id), chat_id, after, '"elsewhere":true', limit),
        )
        return [message_id for (message_id,) in rows]

    def lost(self, account: int, chat_id: int, message_ids: Iterable[int], reason: str) -> None:
        """Mark files that an export left out as unavailable on Telegram too."""
        rows = self._database.rows(
            "SELECT id, message_row FROM media WHERE account = ? AND chat_id = ? AND state = 'skipped'"
            f" AND key LIKE '{_OWN}%' AND message_id IN (SELECT value FROM json_each(?))",
            (owner_of(account, chat_id), chat_id, id_list(message_ids)),
        )
        self._database.run_many(
            "UPDATE media SET state = 'unavailable', reason = ? WHERE id = ?", [(reason, row) for row, _ in rows]
        )
        mark_notes_of_rows(self._database, [message_row for _, message_row in rows])

    # What happened

    def staged(self, key: str, sha256: str, size: int) -> None:
        """Store that the file of ``key`` was fetched whole and is in staging."""
        self._database.run(
            "UPDATE media SET state = 'staged', reason = '', sha256 = ?, size = ? WHERE key = ?"
            " AND state IN ('wanted', 'failed')",
            (sha256, size, key),
        )

    def attached(self, ids: Iterable[int]) -> None:
        """Store that files are in the vault; the notes of their messages become stale."""
        chosen = id_list(ids)
        with self._database.transaction():
            self._database.run(
                "UPDATE media SET state = 'placed' WHERE id IN (SELECT value FROM json_each(?))", (chosen,)
            )
            self._mark_notes("id IN (SELECT value FROM json_each(?))", chosen)

    def failed(self, key: str, reason: str, *, retryable: bool) -> None:
        """Store that the file of ``key`` could not be fetched; ``retryable``: a later run may succeed."""
        with self._database.transaction():
            self._database.run(
                "UPDATE media SET state = 'failed', reason = ?, retryable = ?, attempts = attempts + 1"
                " WHERE key = ? AND state = 'wanted'",
                (reason, retryable, key),
            )
            self._mark_notes("key = ? AND state = 'failed'", key)

    def unavailable(self, key: str, reason: str) -> None:
        """Store that the source does not have the file of ``key``."""
        with self._database.transaction():
            self._database.run(
                "UPDATE media SET state = 'unavailable', reason = ? WHERE key = ? AND state = 'wanted'", (reason, key)
            )
            self._mark_notes("key = ? AND state = 'unavailable'", key)

    def postpone(self, account: int, chat_id: int, reason: str) -> int:
        """Postpone the wanted files of a chat: this run fetches no more of them. Returns their number."""
        return self._database.run(
            "UPDATE media SET reason = ? WHERE account = ? AND chat_id = ? AND state = 'wanted' AND reason = ''",
            (reason, owner_of(account, chat_id), chat_id),
        )

    def set_offset(self, key: str, offset: int) -> None:
        """Store that the first ``offset`` bytes of the part file of ``key`` are verified."""
        self._database.run("UPDATE media SET part_offset = ? WHERE key = ?", (offset, key))

    def unstage(self, key: str) -> None:
        """Store that the staged file of ``key`` was lost: it is wanted again."""
        self._database.run(
            "UPDATE media SET state = 'wanted', sha256 = NULL, size = 0, part_offset = 0"
            " WHERE key = ? AND state = 'staged'",
            (key,),
        )

    def want_again(self, sha256: str) -> None:
        """Want the files with this hash again, which is no longer in the vault; their notes become stale."""
        with self._database.transaction():
            self._mark_notes("sha256 = ? AND state = 'placed'", sha256)
            self._database.run(
                "UPDATE media SET state = 'wanted', reason = '', sha256 = NULL, size = 0, part_offset = 0"
                " WHERE sha256 = ? AND state = 'placed'",
                (sha256,),
            )

    def retry_failed(self, account: int, chat_id: int) -> int:
        """Want again the files that failed and may succeed now, and those an earlier run postponed; return the number
        of rows."""
        return self._database.run(
            "UPDATE media SET state = 'wanted', reason = '' WHERE account = ? AND chat_id = ?"
            " AND ((state = 'failed' AND retryable) OR (state = 'wanted' AND reason <> ''))",
            (owner_of(account, chat_id), chat_id),
        )

    def retryable(self, account: int, chat_id: int) -> int:
        """Count the failed files of a chat that may succeed now."""
        count: int = self._database.value(
            "SELECT count(*) FROM media WHERE account = ? AND chat_id = ? AND state = 'failed' AND retryable",
            (owner_of(account, chat_id), chat_id),
        )
        return count

    def reconsider(self, account: int, chat_id: int, decide: Decide) -> int:
        """Decide again about wanted and skipped files, because this run may have other filters. Returns the number of
        changed rows."""
        owner, changed, last = owner_of(account, chat_id), 0, 0
        # In row order without the index, which would sort everything for each batch.
        with self._database.transaction():
            while True:
                rows = self._database.rows(
                    f"SELECT {_COLUMNS}, m.model, d.message_row"
                    " FROM media d NOT INDEXED JOIN message_rows m ON m.row = d.message_row"
                    " WHERE d.account = ? AND d.chat_id = ? AND d.state IN ('wanted', 'skipped') AND d.id > ?"
                    " ORDER BY d.id LIMIT ?",
                    (owner, chat_id, last, _BATCH),
                )
                for *fields, model, message_row in rows:
                    message = decode_message(model)
                    row = _row(fields, message)
                    changed += self._decide_again(row, message_row, decide(message, row.item))
                if len(rows) < _BATCH:
                    return changed
                last = rows[-1][0]

    def _decide_again(self, row: MediaRow, message_row: int, decision: MediaDecision) -> bool:
        if (row.state, row.reason) == (decision.state, decision.reason):
            return False
        state, sha256, size = _settled(decision, self.fetched([row.key]).get(row.key))
        self._database.run(
            "UPDATE media SET state = ?, reason = ?, rank = ?, sha256 = ?, size = ? WHERE id = ?",
            (state, decision.reason, decision.rank, sha256, size, row.id),
        )
        if state != "wanted":
            mark_notes_of_rows(self._database, [message_row])
        return True

    # What pages bring (used by tobs.archive.record)

    def fetched(self, keys: Iterable[str]) -> dict[str, tuple[MediaState, str, int]]:
        """Return state, SHA-256 and size of the ``keys`` whose bytes are here."""
        found: dict[str, tuple[MediaState, str, int]] = {}
        # One row a key: a favourite sticker has thousands.
        for key in set(keys):
            row = self._database.row(
                "SELECT state, sha256, size FROM media WHERE key = ? AND state IN ('staged', 'placed')"
                " AND sha256 IS NOT NULL LIMIT 1",
                (key,),
            )
            if row is not None:
                found[key] = row
        return found

    def add(self, owner: int, messages: Sequence[tuple[int, Message]], decide: Decide) -> dict[MediaState, int]:
        """Add rows for every file of new messages, given with their rows; return the count in each state.

        A file whose bytes are here already has its hash at once.
        """
        files = [
            (message_row, message, ordinal, item, _key(owner, message, ordinal, item))
            for message_row, message in messages
            for ordinal, item in enumerate(message_files(message))
        ]
        return self._add_files(owner, files, decide)

    def follow_edits(
        self, owner: int, messages: Sequence[tuple[int, Message]], decide: Decide
    ) -> dict[MediaState, int]:
        """Update the rows of edited messages: files that an edit added become rows, removed files are gone, others
        stay."""
        chosen = id_list(message_row for message_row, _ in messages)
        self._update_exported(messages, chosen)
        rows = self._database.rows(
            "SELECT id, message_row, ordinal, key FROM media"
            " WHERE message_row IN (SELECT value FROM json_each(?)) AND state <> 'gone'",
            (chosen,),
        )
        before = {(message_row, ordinal, key): media_id for media_id, message_row, ordinal, key in rows}
        added = []
        for message_row, message in messages:
            for ordinal, item in enumerate(message_files(message)):
                key = _key(owner, message, ordinal, item)
                if before.pop((message_row, ordinal, key), None) is None:
                    added.append((message_row, message, ordinal, item, key))
        if before:
            self._database.run_many("UPDATE media SET state = 'gone' WHERE id = ?", [(one,) for one in before.values()])
        return self._add_files(owner, added, decide)

    def _update_exported(self, messages: Sequence[tuple[int, Message]], chosen: str) -> None:
        """Keep a file of an export that Telegram now describes, if its size is the same."""
        rows = self._database.rows(
            "SELECT message_row, ordinal, id, size FROM media WHERE message_row IN (SELECT value FROM json_each(?))"
            f" AND state IN ('staged', 'placed') AND key LIKE '{_OWN}%'",
            (chosen,),
        )
        here = {(message_row, ordinal): (media_id, size) for message_row, ordinal, media_id, size in rows}
        if not here:
            return
        same = []
        for message_row, message in messages:
            for ordinal, item in enumerate(message_files(message)):
                media_id, size = here.get((message_row, ordinal), (0, 0))
                if media_id and item.remote is not None and item.size in (0, size):
                    same.append((item.remote.key, media_id))
        self._database.run_many("UPDATE media SET key = ? WHERE id = ?", same)

    def _add_files(
        self, owner: int, files: Sequence[tuple[int, Message, int, FileItem, str]], decide: Decide
    ) -> dict[MediaState, int]:
        counts: dict[MediaState, int] = defaultdict(int)
        if not files:
            return counts
        fetched = self.fetched(key for *_, key in files)
        rows = []
        for message_row, message, ordinal, item, key in files:
            decision = decide(message, item)
            state, sha256, size = _settled(decision, fetched.get(key))
            counts[state] += 1
            rows.append(
                (
                    message_row,
                    owner,
                    message.chat_id,
                    message.id,
                    ordinal,
                    message.date,
                    key,
                    decision.rank,
                    state,
                    decision.reason,
                    sha256,
                    size,
                )
            )
        self._database.run_many(
            "INSERT INTO media"
            " (message_row, account, chat_id, message_id, ordinal, date, key, rank, state, reason, sha256, size)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        return counts

    def _mark_notes(self, where: str, value: str) -> None:
        rows = self._database.rows(f"SELECT message_row FROM media WHERE {where}", (value,))
        mark_notes_of_rows(self._database, [row for (row,) in rows])


def _settled(
    decision: MediaDecision, fetched: tuple[MediaState, str, int] | None
) -> tuple[MediaState, str | None, int]:
    """Return state, hash and size of a row: a file that was fetched once is not wanted again."""
    if decision.state == "wanted" and fetched is not None:
        return fetched
    return decision.state, None, 0


def _key(owner: int, message: Message, ordinal: int, item: FileItem) -> str:
    """Return the natural key of a file; a file that is nowhere on Telegram has a key of its message."""
    return item.remote.key if item.remote else f"{_OWN}{owner}/{message.chat_id}/{message.id}/{ordinal}"


def _place(row: MediaRow | None) -> tuple[int, int, int]:
    return (row.date, row.message_id, row.ordinal) if row else (-1, 0, 0)


def _with_items(rows: Iterable[Row]) -> list[MediaRow]:
    return [_row(fields, decode_message(model)) for *fields, model in rows]


def _row(fields: Sequence[Any], message: Message) -> MediaRow:
    """Build a row with its item, which is stored in the message only."""
    media_id, account, chat_id, message_id, ordinal, key, rank, date, state, reason, retryable, attempts, *of_file = (
        fields
    )
    offset, sha256, size = of_file
    return MediaRow(
        id=media_id,
        account=account,
        chat_id=chat_id,
        message_id=message_id,
        ordinal=ordinal,
        key=key,
        rank=rank,
        date=date,
        state=state,
        reason=reason,
        retryable=bool(retryable),
        attempts=attempts,
        offset=offset,
        sha256=sha256,
        size=size,
        item=message_files(message)[ordinal],
    )
