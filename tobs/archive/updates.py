"""How far the changes of each chat are known."""

from __future__ import annotations

from collections.abc import Iterable

from tobs.archive.database import Database
from tobs.archive.encoding import owner_of
from tobs.model import UpdateState

_MESSAGES, _ABOUT = 1, 2  # of the column `news`


class Updates:
    """The state of each box (a channel, or ``COMMON`` of an account), and the chats that are kept in step."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self, account: int, box: int) -> UpdateState | None:
        """Up to where the changes of a box are known; None where nothing was asked for yet."""
        row = self._database.row(
            "SELECT pts, date, qts, seq FROM update_states WHERE account = ? AND chat_id = ?",
            (owner_of(account, box), box),
        )
        return UpdateState(*row) if row else None

    def put(self, account: int, box: int, state: UpdateState) -> None:
        """The changes of a box are known up to ``state``."""
        self._database.run(
            "INSERT OR REPLACE INTO update_states VALUES (?, ?, ?, ?, ?, ?)",
            (owner_of(account, box), box, state.pts, state.date, state.qts, state.seq),
        )

    def begin(self, account: int, box: int, state: UpdateState) -> None:
        """Changes are asked for from ``state`` on, unless they are known from an earlier one."""
        self._database.run(
            "INSERT OR IGNORE INTO update_states VALUES (?, ?, ?, ?, ?, ?)",
            (owner_of(account, box), box, state.pts, state.date, state.qts, state.seq),
        )

    def track(self, account: int, chat_id: int, top: int, *, low: int = 1) -> None:
        """Keep a chat in step: what has an id above ``top`` comes as a change; older ones are wanted from ``low`` on.
        The ``top`` of one that is followed stays as it is."""
        self._database.run(
            "INSERT INTO followed (account, chat_id, low, top) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET low = min(low, excluded.low)",
            (owner_of(account, chat_id), chat_id, low, top),
        )

    def raise_top(self, account: int, chat_id: int, top: int) -> None:
        """Everything of a followed chat up to ``top`` came."""
        self._database.run(
            "UPDATE followed SET top = max(top, ?) WHERE account = ? AND chat_id = ?",
            (top, owner_of(account, chat_id), chat_id),
        )

    def add_pending(self, account: int, chat_ids: Iterable[int], *, about: bool = False) -> None:
        """Messages of followed chats came that notes may not show yet; with ``about`` the chat itself is another."""
        self._database.run_many(
            "UPDATE followed SET news = news | ? WHERE account = ? AND chat_id = ?",
            [(_ABOUT if about else _MESSAGES, owner_of(account, chat_id), chat_id) for chat_id in chat_ids],
        )

    def with_pending(self, account: int, *, about: bool = False) -> set[int]:
        """The chats of which messages, or (``about``) the chat itself, may be newer than the notes."""
        rows = self._database.rows(
            "SELECT chat_id FROM followed WHERE account IN (0, ?) AND news & ?",
            (account, _ABOUT if about else _MESSAGES),
        )
        return {chat_id for (chat_id,) in rows}

    def clear_pending(self, account: int) -> None:
        """The notes of ``account``'s chats show everything."""
        self._database.run("UPDATE followed SET news = 0 WHERE account IN (0, ?) AND news <> 0", (account,))

    def need_recheck(self, account: int, chat_id: int, high: int) -> None:
        """Messages of a followed chat up to ``high`` may have been edited without Telegram telling."""
        self._database.run(
            "UPDATE followed SET look_back = max(look_back, ?) WHERE account = ? AND chat_id = ?",
            (high, owner_of(account, chat_id), chat_id),
        )

    def rechecked(self, account: int, chat_id: int, reached: int) -> None:
        """Those with a higher id than ``reached`` were fetched again (0: all)."""
        self._database.run(
            "UPDATE followed SET look_back = ? WHERE account = ? AND chat_id = ?",
            (reached, owner_of(account, chat_id), chat_id),
        )

    def to_recheck(self, account: int) -> dict[int, int]:
        """The chats of which messages are to be fetched again, each with the highest id of them."""
        rows = self._database.rows(
            "SELECT chat_id, look_back FROM followed WHERE account IN (0, ?) AND look_back > 0 ORDER BY chat_id",
            (account,),
        )
        return dict(rows)

    def tracked(self, account: int) -> dict[int, int]:
        """The chats that are kept in step, each with its ``top``."""
        rows = self._database.rows(
            "SELECT chat_id, top FROM followed WHERE account IN (0, ?) ORDER BY chat_id", (account,)
        )
        return dict(rows)
