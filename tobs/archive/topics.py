"""Topics of forums, each as last seen, and counts of their messages."""

from __future__ import annotations

import json
from collections.abc import Iterable

from msgspec import Struct

from tobs.archive.database import Database
from tobs.archive.encoding import decode_topic, encode, owner_of
from tobs.archive.stale import mark_notes_named
from tobs.model import GENERAL_TOPIC, Topic


class KnownTopic(Struct, frozen=True):
    """A topic and its earlier titles, oldest first."""

    topic: Topic
    former: tuple[str, ...] = ()


class TopicSummary(Struct, frozen=True):
    """Live messages of a topic. ``first`` and ``last`` are (message id, Unix seconds)."""

    messages: int
    first: tuple[int, int] | None
    last: tuple[int, int] | None


class Topics:
    """Topics of all forums. Messages that name no topic belong to the general one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, account: int, chat_id: int, topic_id: int) -> KnownTopic | None:
        """Return a topic of a forum."""
        row = self._database.row(
            "SELECT model, former FROM topics WHERE account = ? AND chat_id = ? AND id = ?",
            (owner_of(account, chat_id), chat_id, topic_id),
        )
        return KnownTopic(decode_topic(row[0]), tuple(json.loads(row[1]))) if row else None

    def all(self, account: int, chat_id: int) -> list[Topic]:
        """Return every topic a forum ever had, by id."""
        rows = self._database.rows(
            "SELECT model FROM topics WHERE account = ? AND chat_id = ? ORDER BY id",
            (owner_of(account, chat_id), chat_id),
        )
        return [decode_topic(model) for (model,) in rows]

    def put(self, account: int, chat_id: int, topics: Iterable[Topic]) -> int:
        """Store topics as they are now; the notes of changed ones become stale. Returns the number changed or new."""
        changed = 0
        with self._database.transaction():
            for topic in topics:
                known = self.get(account, chat_id, topic.id)
                if known is not None and known.topic == topic:
                    continue
                changed += 1
                former = known.former if known else ()
                if known is not None and known.topic.title != topic.title:
                    former = (*(title for title in former if title != topic.title), known.topic.title)
                self._database.run(
                    "INSERT OR REPLACE INTO topics VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        owner_of(account, chat_id),
                        chat_id,
                        topic.id,
                        topic.title,
                        json.dumps(former, ensure_ascii=False),
                        encode(topic),
                    ),
                )
                mark_notes_named(self._database, [f"{chat_id}/topic/{topic.id}"])
        return changed

    def counts(self, account: int, chat_id: int) -> dict[int, int]:
        """Count the live messages of each topic that has some."""
        counts: dict[int, int] = dict(
            self._database.rows(f"SELECT topic_id, count(*) {_NAMED} GROUP BY topic_id", (chat_id,))
        )
        every = self._database.value(f"SELECT count(*) {_LIVE}", (owner_of(account, chat_id), chat_id))
        if general := every - sum(count for topic_id, count in counts.items() if topic_id != GENERAL_TOPIC):
            counts[GENERAL_TOPIC] = general
        return counts

    def summary(self, account: int, chat_id: int, topic_id: int) -> TopicSummary:
        """Count the messages of a topic."""
        if topic_id == GENERAL_TOPIC:
            where, values = f"{_LIVE} AND topic_id IN (0, 1)", (owner_of(account, chat_id), chat_id)
        else:
            where, values = f"{_NAMED} AND topic_id = ?", (chat_id, topic_id)
        count = self._database.value(f"SELECT count(*) {where}", values)
        first, last = (
            self._database.row(f"SELECT id, date {where} ORDER BY id {order} LIMIT 1", values)
            for order in ("ASC", "DESC")
        )
        return TopicSummary(count, first, last)


# A forum's ids are its own, so its rows need no account; '<> 0' says that the partial index will do.
_NAMED = "FROM message_rows WHERE chat_id = ? AND topic_id <> 0 AND deleted_at IS NULL"
_LIVE = "FROM message_rows WHERE account = ? AND chat_id = ? AND deleted_at IS NULL"
