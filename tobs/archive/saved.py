"""Saved Messages: titles of their tags, and their sub-dialogs."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tobs.archive.database import Database
from tobs.archive.meta import Meta
from tobs.archive.stale import mark_notes_of_rows

_MODEL = "CAST(model AS TEXT)"


class Saved:
    """Saved Messages of each account: the chat with itself."""

    def __init__(self, database: Database, meta: Meta) -> None:
        self._database = database
        self._meta = meta

    def titles(self, account: int) -> dict[str, str]:
        """Return the titles that the owner gave to tags, by their emoji."""
        titles: dict[str, str] = json.loads(self._meta.get(f"saved_tags/{account}") or "{}")
        return titles

    def set_titles(self, account: int, titles: Mapping[str, str]) -> None:
        """Store the titles of tags; the notes of messages with a changed tag become stale."""
        if dict(titles) == self.titles(account):
            return
        with self._database.transaction():
            self._meta.set(f"saved_tags/{account}", json.dumps(titles, ensure_ascii=False, sort_keys=True))
            rows = self._database.rows(
                "SELECT row FROM message_rows WHERE account = ?1 AND chat_id = ?1"
                f" AND {_MODEL} LIKE '%\"saved_tags\":%'",
                (account,),
            )
            mark_notes_of_rows(self._database, [row for (row,) in rows])

    def dialogs(self, account: int) -> list[tuple[int, int]]:
        """Return (peer or name the messages were saved from, count), most first, without the owner's own messages."""
        return self._database.rows(
            f"SELECT json_extract({_MODEL}, '$.saved_from') AS source, count(*) FROM message_rows"
            " WHERE account = ?1 AND chat_id = ?1 AND deleted_at IS NULL AND source IS NOT NULL AND source <> ?1"
            " GROUP BY source ORDER BY 2 DESC, 1",
            (account,),
        )
