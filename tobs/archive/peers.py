"""Access hashes by which an account reaches users, chats and channels."""

from __future__ import annotations

from collections.abc import Iterable

from tobs.archive.database import Database
from tobs.model import PeerRecord

_COLUMNS = "id, access_hash, username, title, min"

# A full hash is never given up for a `min` one, nor for none.
_PUT = (
    "INSERT INTO peers (account, id, access_hash, username, title, min) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET username = excluded.username, title = excluded.title,"
    " access_hash = iif(excluded.access_hash = 0 OR excluded.min > min, access_hash, excluded.access_hash),"
    " min = iif(excluded.access_hash = 0 OR excluded.min > min, min, excluded.min)"
)


class Peers:
    """Access hashes, separate for each account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, account: int, id: int) -> PeerRecord | None:
        """Return the record by which ``account`` reaches the peer with this marked id."""
        return self._one("id = ?", account, id)

    def find(self, account: int, username: str) -> PeerRecord | None:
        """Return the record by which ``account`` reaches the peer with this username (any case, without @)."""
        return self._one("username <> '' AND username = ?", account, username.lower())

    def put(self, account: int, peers: Iterable[PeerRecord]) -> None:
        """Store peers as they are now; a username belongs to the last peer that had it."""
        peers = list(peers)
        with self._database.transaction():
            self._database.run_many(
                "UPDATE peers SET username = '' WHERE account = ? AND username <> '' AND username = ? AND id <> ?",
                [(account, peer.username.lower(), peer.id) for peer in peers if peer.username],
            )
            self._database.run_many(
                _PUT,
                [(account, peer.id, peer.access_hash, peer.username.lower(), peer.title, peer.min) for peer in peers],
            )

    def _one(self, where: str, account: int, value: int | str) -> PeerRecord | None:
        row = self._database.row(f"SELECT {_COLUMNS} FROM peers WHERE account = ? AND {where}", (account, value))
        if row is None:
            return None
        peer_id, access_hash, username, title, is_min = row
        return PeerRecord(peer_id, access_hash, username, title, bool(is_min))
