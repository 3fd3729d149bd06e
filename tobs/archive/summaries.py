"""Counts for notes about chats and people: counted when the notes are rendered, never stored."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, tzinfo

from msgspec import Struct

from tobs.archive.database import Database
from tobs.archive.encoding import decode_message, owner_of
from tobs.model import MessageKey

#: As the index says it.
_PINNED = "instr(model, x'2270696E6E6564223A74727565') > 0"

#: Service messages that tell a chat's title; a topic's is another one.
_TITLED = frozenset({"channel_create", "chat_create", "chat_edit_title", "channel_migrate_from"})


class ChatSummary(Struct, frozen=True):
    """Live messages and files of a chat. ``first`` and ``last`` are (message id, Unix seconds); ``years`` has the
    messages, the files and the id of the first message of each year, ascending."""

    messages: int
    media: int
    first: tuple[int, int] | None
    last: tuple[int, int] | None
    years: tuple[tuple[int, int, int, int], ...]


class ChatBrief(Struct, frozen=True):
    """Number of live messages of a chat, and dates (Unix seconds, 0 for none) of its first and last message by id."""

    messages: int
    first: int
    last: int


class PersonSummary(Struct, frozen=True):
    """Live messages of a sender. ``first`` and ``last`` are (chat id, message id, Unix seconds); ``chats`` has the
    messages in each chat."""

    messages: int
    first: tuple[int, int, int] | None
    last: tuple[int, int, int] | None
    chats: tuple[tuple[int, int], ...]


class Summaries:
    """Counts over messages and files."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_chat(self, account: int, chat_id: int, zone: tzinfo) -> ChatSummary:
        """Count over the whole chat; years are those of ``zone``."""
        chat = (owner_of(account, chat_id), chat_id)
        live = "FROM message_rows WHERE account = ? AND chat_id = ? AND deleted_at IS NULL"
        messages, begin = self._per_year(
            f"SELECT date / 900, count(*), min(id) {live} GROUP BY date / 900 ORDER BY date / 900", chat, zone
        )
        media, _ = self._per_year(
            "SELECT date / 900, count(*), 0 FROM media WHERE account = ? AND chat_id = ? AND state <> 'gone'"
            " GROUP BY date / 900",
            chat,
            zone,
        )
        first = self._database.row(f"SELECT id, date {live} ORDER BY id LIMIT 1", chat)
        last = self._database.row(f"SELECT id, date {live} ORDER BY id DESC LIMIT 1", chat)
        years = tuple((year, count, media.get(year, 0), begin[year]) for year, count in sorted(messages.items()))
        return ChatSummary(sum(messages.values()), sum(media.values()), first, last, years)

    def brief(self, account: int, chat_id: int) -> ChatBrief:
        """Count the messages of a chat without reading them all."""
        chat = (owner_of(account, chat_id), chat_id)
        live = "FROM message_rows WHERE account = ? AND chat_id = ? AND deleted_at IS NULL"
        every = self._database.value("SELECT count(*) FROM message_rows WHERE account = ? AND chat_id = ?", chat)
        gone = self._database.value(
            "SELECT count(*) FROM message_rows WHERE account = ? AND chat_id = ? AND deleted_at IS NOT NULL", chat
        )
        first = self._database.value(f"SELECT date {live} ORDER BY id LIMIT 1", chat)
        last = self._database.value(f"SELECT date {live} ORDER BY id DESC LIMIT 1", chat)
        return ChatBrief(every - gone, first or 0, last or 0)

    def pinned(self, account: int, chat_id: int) -> list[int]:
        """Return the live pinned messages of a chat, newest first."""
        rows = self._database.rows(
            "SELECT id FROM message_rows WHERE account = ? AND chat_id = ? AND deleted_at IS NULL"
            f" AND {_PINNED} ORDER BY id DESC",
            (owner_of(account, chat_id), chat_id),
        )
        return [message_id for (message_id,) in rows]

    def titles(self, account: int, chat_id: int) -> list[str]:
        """Return the titles of a chat that its service messages name, oldest first."""
        rows = self._database.rows(
            "SELECT model FROM message_rows WHERE account = ? AND chat_id = ? AND kind = 'service'"
            " AND deleted_at IS NULL AND instr(model, CAST('\"title\":' AS BLOB)) > 0 ORDER BY id",
            (owner_of(account, chat_id), chat_id),
        )
        actions = [decode_message(model).action for (model,) in rows]
        titles = [action.values.get("title") for action in actions if action is not None and action.kind in _TITLED]
        return [title for title in titles if isinstance(title, str)]

    def of_person(self, person_id: int) -> PersonSummary:
        """Count the messages of ``person_id`` in all chats."""
        rows = self._database.rows(
            "SELECT chat_id, count(*) FROM message_rows WHERE sender_id = ? AND sender_id <> chat_id"
            " AND sender_id <> 0 AND deleted_at IS NULL GROUP BY chat_id ORDER BY chat_id DESC",
            (person_id,),
        )
        ends = [
            self._database.row(
                "SELECT chat_id, id, date FROM message_rows"
                " WHERE sender_id = ? AND sender_id <> chat_id AND sender_id <> 0 AND deleted_at IS NULL"
                f" ORDER BY date {order}, chat_id {order}, id {order} LIMIT 1",
                (person_id,),
            )
            for order in ("ASC", "DESC")
        ]
        return PersonSummary(sum(count for _, count in rows), ends[0], ends[1], tuple(rows))

    def messages_with_file(self, sha256: str) -> list[MessageKey]:
        """Return the live messages that have a file, by date."""
        rows = self._database.rows(
            "SELECT DISTINCT m.account, m.chat_id, m.id, m.date"
            " FROM media d JOIN message_rows m ON m.row = d.message_row"
            " WHERE d.sha256 = ? AND d.state = 'placed' AND m.deleted_at IS NULL ORDER BY m.date, m.chat_id, m.id",
            (sha256,),
        )
        return [MessageKey(account, chat_id, message_id) for account, chat_id, message_id, _ in rows]

    def _per_year(self, query: str, chat: tuple[int, int], zone: tzinfo) -> tuple[Counter[int], dict[int, int]]:
        """Count per year, with the id of the first row of each year."""
        years: Counter[int] = Counter()
        begin: dict[int, int] = {}
        # A year begins on a quarter of an hour in every zone, so all of a quarter is in one year.
        for quarter, count, first in self._database.rows(query, chat):
            year = datetime.fromtimestamp(quarter * 900, zone).year
            years[year] += count
            begin.setdefault(year, first)
        return years, begin
