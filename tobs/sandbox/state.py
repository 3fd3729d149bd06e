"""What the server remembers between requests: authorization keys, logins under way, takeouts."""

from __future__ import annotations

import os
from typing import Any

import msgspec


class KeyState(msgspec.Struct):
    """One authorization key on one data centre; ``user_id`` is 0 until someone is logged in.

    ``pending``: the user who has still to give the password. ``ended``: the error that every request gets since the
    login was ended from elsewhere.
    """

    key: bytes
    key_id: int
    dc: int
    salt: int
    user_id: int = 0
    layer: int = 0
    api_id: int = 0
    pending: int = 0
    is_bot: bool = False
    ended: str = ""


class SentCode(msgspec.Struct):
    """A login code that was sent. ``way``: 0 app, 1 SMS, 2 call; ``until``: when it expires; ``wrong``: bad tries."""

    phone: str
    way: int
    until: float
    wrong: int = 0


class Takeout(msgspec.Struct):
    """One takeout session, with the request that asked for it (its scopes)."""

    id: int
    user_id: int
    scopes: Any
    finished: bool = False
    success: bool | None = None


class State:
    """Everything of the server that is not the world's."""

    def __init__(self) -> None:
        self.keys: dict[int, KeyState] = {}
        self.codes: dict[str, SentCode] = {}  # by phone_code_hash
        self.verifier: Any = None  # of the password; see services/password.py
        self.challenges: dict[int, Any] = {}  # by srp_id
        self.login_tokens: dict[bytes, Any] = {}  # of QR logins; see services/qr.py
        self.exported: dict[bytes, int] = {}  # auth bytes -> user id
        self.takeouts: dict[int, Takeout] = {}
        self.takeout_asked: dict[int, float] = {}  # user id -> when a takeout was first refused
        self.takeout_allowed = False
        self.cdn: dict[bytes, Any] = {}  # files on the CDN by token; see services/cdn.py

    def export_authorization(self, user_id: int) -> bytes:
        """A ticket that logs ``user_id`` in on another data centre, once."""
        ticket = os.urandom(64)
        self.exported[ticket] = user_id
        return ticket

    def end_logins(self, error: str) -> int:
        """End every login as from another device: each key gets ``error`` from now on. Returns how many."""
        keys = [key for key in self.keys.values() if key.user_id]
        for key in keys:
            key.ended = error
        return len(keys)
