"""Count of every id of a chat by its state: it proves completeness and finds gaps."""

from __future__ import annotations

from msgspec import Struct

from tobs.archive.coverage import Coverage
from tobs.archive.database import Database
from tobs.archive.encoding import owner_of
from tobs.archive.intervals import Interval
from tobs.archive.messages import in_topic


class Ledger(Struct, frozen=True):
    """The ids ``low`` to ``top`` of a chat, each counted once: ``saved`` messages, ``service`` messages, ``deleted`` on
    Telegram, ``inaccessible`` (they exist and cannot be read), ``absent`` (Telegram has none), ``never_fetched``.

    ``gaps`` are the intervals never fetched. For a ``topic`` that was fetched separately (0: the whole chat), ids
    outside it are ``absent``. Private chats and basic groups share their ids: ids of other chats are ``absent`` here.
    """

    chat_id: int
    low: int
    top: int
    saved: int
    service: int
    deleted: int
    inaccessible: int
    absent: int
    never_fetched: int
    gaps: tuple[Interval, ...] = ()
    topic: int = 0

    @property
    def is_complete(self) -> bool:
        """True if nothing is left to fetch."""
        return not self.never_fetched and not self.inaccessible


class Ledgers:
    """Ledgers of the chats, counted when they are read."""

    def __init__(self, database: Database, coverage: Coverage) -> None:
        self._database = database
        self._coverage = coverage

    def of(self, account: int, chat_id: int) -> Ledger:
        """Count the ids of a chat, from the first that is wanted to the highest that is known."""
        owner = owner_of(account, chat_id)
        followed = self._database.row(
            "SELECT low, top FROM followed WHERE account = ? AND chat_id = ?", (owner, chat_id)
        )
        low, top = followed or (1, 0)
        return self._count_ids(owner, chat_id, low, top, topic=0)

    def of_topic(self, account: int, chat_id: int, topic: int) -> Ledger:
        """Count the ids of a topic that was fetched separately, up to its highest known id."""
        top = self._coverage.topics(account, chat_id).get(topic, 0)
        return self._count_ids(owner_of(account, chat_id), chat_id, 1, top, topic=topic)

    def _count_ids(self, owner: int, chat_id: int, low: int, top: int, *, topic: int) -> Ledger:
        rows = f"message_rows WHERE account = ? AND chat_id = ?{in_topic(topic)}"
        newest = self._database.value(f"SELECT max(id) FROM {rows}", (owner, chat_id))
        top = max(top, newest or 0)
        where = f"{rows} AND id BETWEEN ? AND ?"
        counted: dict[str, int] = dict(
            self._database.rows(
                "SELECT CASE WHEN deleted_at IS NOT NULL THEN 'deleted' WHEN kind = 'service' THEN 'service'"
                f" ELSE 'saved' END AS fate, count(*) FROM {where} GROUP BY fate",
                (owner, chat_id, low, top),
            )
        )
        inaccessible = self._database.value(
            "SELECT count(*) FROM unreadable WHERE account = ? AND chat_id = ? AND id BETWEEN ? AND ?",
            (owner, chat_id, low, top),
        )
        gaps = self._coverage.gaps(owner, chat_id, low, top, topic=topic)
        unknown = sum(high - first + 1 for first, high in gaps)
        here = sum(counted.values())
        # A selection brings messages of ids that it does not settle.
        inside = sum(self._database.value(f"SELECT count(*) FROM {where}", (owner, chat_id, *gap)) for gap in gaps)
        never = unknown - inside
        return Ledger(
            chat_id=chat_id,
            low=low,
            top=top,
            saved=counted.get("saved", 0),
            service=counted.get("service", 0),
            deleted=counted.get("deleted", 0),
            inaccessible=inaccessible,
            absent=max(0, top - low + 1 - here - inaccessible - never),
            never_fetched=never,
            gaps=tuple(gaps),
            topic=topic,
        )

    def missing_ranges(self, account: int, chat_id: int) -> list[Interval]:
        """Return the intervals to fetch to complete a chat: never fetched, or not readable then."""
        ledger = self.of(account, chat_id)
        unreadable = [(one, one) for one, _ in self._coverage.unreadable(account, chat_id) if one >= ledger.low]
        return sorted({*ledger.gaps, *unreadable})
