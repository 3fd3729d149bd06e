"""What notes about chats and people tell: counted when they are rendered, never kept."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, tzinfo

from msgspec import Struct

from tobs.archive.database import Database
from tobs.archive.encoding import owner_of
from tobs.model import MessageKey


class ChatSummary(Struct, frozen=True):
    """Live messages and files of a chat. ``first`` and ``last`` are (message id, Unix seconds); ``years`` has the
    messages and the files of each year, ascending."""

    messages: int
    media: int
    first: tuple[int, int] | None
    last: tuple[int, int] | None
    years: tuple[tuple[int, int, int], ...]


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
        """Reads the whole chat; years are those of ``zone``."""
        chat = (owner_of(account, chat_id), chat_id)
        live = "FROM message_rows WHERE account = ? AND chat_id = ? AND deleted_at IS NULL"
        messages = self._per_year(f"SELECT date / 900, count(*) {live} GROUP BY date / 900", chat, zone)
        media = self._per_year(
            "SELECT date / 900, count(*) FROM media WHERE account = ? AND chat_id = ? AND state <> 'gone'"
            " GROUP BY date / 900",
            chat,
            zone,
        )
        first = self._database.row(f"SELECT id, date {live} ORDER BY id LIMIT 1", chat)
        last = self._database.row(f"SELECT id, date {live} ORDER BY id DESC LIMIT 1", chat)
        years = tuple((year, count, media.get(year, 0)) for year, count in sorted(messages.items()))
        return ChatSummary(sum(messages.values()), sum(media.values()), first, last, years)

    def of_person(self, person_id: int) -> PersonSummary:
        """What ``person_id`` sent, in all chats."""
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

    def carriers(self, sha256: str) -> list[MessageKey]:
        """The live messages that carry a file, by date."""
        rows = self._database.rows(
            "SELECT DISTINCT m.account, m.chat_id, m.id, m.date"
            " FROM media d JOIN message_rows m ON m.row = d.message_row"
            " WHERE d.sha256 = ? AND d.state = 'placed' AND m.deleted_at IS NULL ORDER BY m.date, m.chat_id, m.id",
            (sha256,),
        )
        return [MessageKey(account, chat_id, message_id) for account, chat_id, message_id, _ in rows]

    def _per_year(self, query: str, chat: tuple[int, int], zone: tzinfo) -> Counter[int]:
        years: Counter[int] = Counter()
        # A year begins on a quarter of an hour in every zone, so all of a quarter is in one year.
        for quarter, count in self._database.rows(query, chat):
            years[datetime.fromtimestamp(quarter * 900, zone).year] += count
        return years
