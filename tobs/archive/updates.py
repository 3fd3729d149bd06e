"""Update states: how far the changes of each box and chat are recorded."""

from __future__ import annotations

from collections.abc import Iterable

from tobs.archive.database import Database
from tobs.archive.encoding import owner_of
from tobs.model import UpdateState

_MESSAGES, _ABOUT = 1, 2  # of the column `news`


class Updates:
    """State of each box (a channel, or ``COMMON`` of an account), and the chats that are tracked by syncs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self, account: int, box: int) -> UpdateState | None:
        """Return the state of a box; None if it was never requested."""
        row = self._database.row(
            "SELECT pts, date, qts, seq FROM update_states WHERE account = ? AND chat_id = ?",
            (owner_of(account, box), box),
        )
        return UpdateState(*row) if row else None

    def put(self, account: int, box: int, state: UpdateState) -> None:
        """Store that the changes of a box are recorded up to ``state``."""
        self._database.run(
            "INSERT OR REPLACE INTO update_states VALUES (?, ?, ?, ?, ?, ?)",
            (owner_of(account, box), box, state.pts, state.date, state.qts, state.seq),
        )

    def begin(self, account: int, box: int, state: UpdateState) -> None:
        """Store that changes are requested from ``state`` on, unless an earlier state is stored."""
        self._database.run(
            "INSERT OR IGNORE INTO update_states VALUES (?, ?, ?, ?, ?, ?)",
            (owner_of(account, box), box, state.pts, state.date, state.qts, state.seq),
        )

    def track(self, account: int, chat_id: int, top: int, *, low: int = 1) -> None:
        """Track a chat: ids above ``top`` come as changes; older ones are wanted from ``low`` on. The ``top`` of a
        tracked chat stays."""
        self._database.run(
            "INSERT INTO followed (account, chat_id, low, top) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET low = min(low, excluded.low)",
            (owner_of(account, chat_id), chat_id, low, top),
        )

    def raise_top(self, account: int, chat_id: int, top: int) -> None:
        """Store that everything of a tracked chat up to ``top`` is here."""
        self._database.run(
            "UPDATE followed SET top = max(top, ?) WHERE account = ? AND chat_id = ?",
            (top, owner_of(account, chat_id), chat_id),
        )

    def add_pending(self, account: int, chat_ids: Iterable[int], *, about: bool = False) -> None:
        """Store that tracked chats have messages which notes may not show yet; with ``about``, that the chat itself
        changed."""
        self._database.run_many(
            "UPDATE followed SET news = news | ? WHERE account = ? AND chat_id = ?",
            [(_ABOUT if about else _MESSAGES, owner_of(account, chat_id), chat_id) for chat_id in chat_ids],
        )

    def with_pending(self, account: int, *, about: bool = False) -> set[int]:
        """Return the chats whose messages, or (``about``) whose own data, may be newer than the notes."""
        rows = self._database.rows(
            "SELECT chat_id FROM followed WHERE account IN (0, ?) AND news & ?",
            (account, _ABOUT if about else _MESSAGES),
        )
        return {chat_id for (chat_id,) in rows}

    def clear_pending(self, account: int) -> None:
        """Store that the notes of ``account``'s chats show everything."""
        self._database.run("UPDATE followed SET news = 0 WHERE account IN (0, ?) AND news <> 0", (account,))

    def need_recheck(self, account: int, chat_id: int, high: int) -> None:
        """Store that messages of a tracked chat up to ``high`` may have been edited without a change from Telegram."""
        self._database.run(
            "UPDATE followed SET look_back = max(look_back, ?) WHERE account = ? AND chat_id = ?",
            (high, owner_of(account, chat_id), chat_id),
        )

    def rechecked(self, account: int, chat_id: int, reached: int) -> None:
        """Store that the messages above ``reached`` were fetched again (0: all)."""
        self._database.run(
            "UPDATE followed SET look_back = ? WHERE account = ? AND chat_id = ?",
            (reached, owner_of(account, chat_id), chat_id),
        )

    def to_recheck(self, account: int) -> dict[int, int]:
        """Return the chats with messages to fetch again, each with their highest id."""
        rows = self._database.rows(
            "SELECT chat_id, look_back FROM followed WHERE account IN (0, ?) AND look_back > 0 ORDER BY chat_id",
            (account,),
        )
        return dict(rows)

    def tracked(self, account: int) -> dict[int, int]:
        """Return the tracked chats, each with its ``top``."""
        rows = self._database.rows(
            "SELECT chat_id, top FROM followed WHERE account IN (0, ?) ORDER BY chat_id", (account,)
        )
        return dict(rows)
