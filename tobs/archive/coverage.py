"""Settled message ids: of each chat, and of forum topics that were fetched separately."""

from __future__ import annotations

from collections.abc import Iterable

from tobs.archive.database import Database
from tobs.archive.encoding import owner_of
from tobs.archive.intervals import Interval, Intervals


class Coverage:
    """Intervals of settled ids (nothing is unknown in them), and the ids among them that could not be read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._chats = Intervals(database, "coverage", ("account", "chat_id"))
        self._topics = Intervals(database, "topic_coverage", ("account", "chat_id", "topic_id"))

    def covered(self, account: int, chat_id: int) -> list[Interval]:
        """Return the settled intervals in ascending order; no two overlap or touch."""
        return self._chats.touching((owner_of(account, chat_id), chat_id), None, None)

    def watermark(self, account: int, chat_id: int) -> int:
        """Return the id up to which everything from 1 is settled; 0 if id 1 is not."""
        high = self._database.value(
            "SELECT high FROM coverage WHERE account = ? AND chat_id = ? AND low <= 1 AND high >= 1",
            (owner_of(account, chat_id), chat_id),
        )
        return high or 0

    def gaps(self, account: int, chat_id: int, low: int, high: int, *, topic: int = 0) -> list[Interval]:
        """Return the intervals of ``[low, high]`` that are not settled, in ascending order; with a ``topic``, not
        settled for that topic."""
        owner = owner_of(account, chat_id)
        gaps = self._chats.gaps((owner, chat_id), low, high)
        if not topic:
            return gaps
        return [gap for chats in gaps for gap in self._topics.gaps((owner, chat_id, topic), *chats)]

    def topics(self, account: int, chat_id: int) -> dict[int, int]:
        """Return the topics that have settled ids of their own, each with the highest."""
        rows = self._database.rows(
            "SELECT topic_id, max(high) FROM topic_coverage WHERE account = ? AND chat_id = ? GROUP BY topic_id",
            (owner_of(account, chat_id), chat_id),
        )
        return dict(rows)

    def add(
        self,
        account: int,
        chat_id: int,
        low: int,
        high: int,
        unreadable: Iterable[tuple[int, str]] = (),
        *,
        topic: int = 0,
    ) -> None:
        """Settle ``[low, high]`` (nothing if ``high < low``) for the chat or one ``topic``; ``unreadable`` are the ids
        in it that could not be read."""
        owner = owner_of(account, chat_id)
        with self._database.transaction():
            if not topic:
                self._database.run(
                    "DELETE FROM unreadable WHERE account = ? AND chat_id = ? AND id BETWEEN ? AND ?",
                    (owner, chat_id, low, high),
                )
            self._database.run_many(
                "INSERT OR REPLACE INTO unreadable VALUES (?, ?, ?, ?)",
                [(owner, chat_id, message_id, reason) for message_id, reason in unreadable],
            )
            if high < low:
                return
            if topic:
                self._topics.add((owner, chat_id, topic), low, high)
            else:
                self._chats.add((owner, chat_id), low, high)

    def forget(self, account: int, chat_id: int, low: int, high: int) -> None:
        """Make ``[low, high]`` unknown again, so that it is fetched again."""
        if high < low:
            return
        owner = owner_of(account, chat_id)
        with self._database.transaction():
            self._chats.remove((owner, chat_id), low, high)
            for topic in self.topics(account, chat_id):
                self._topics.remove((owner, chat_id, topic), low, high)

    def unreadable(self, account: int, chat_id: int) -> list[tuple[int, str]]:
        """Return the ids that exist but could not be read, each with its reason, in ascending order."""
        return self._database.rows(
            "SELECT id, reason FROM unreadable WHERE account = ? AND chat_id = ? ORDER BY id",
            (owner_of(account, chat_id), chat_id),
        )
