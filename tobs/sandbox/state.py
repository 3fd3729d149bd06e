"""What the server remembers between requests: authorization keys, login codes, takeouts."""

from __future__ import annotations

import os
from typing import Any

import msgspec


class KeyState(msgspec.Struct):
    """One authorization key on one data centre; ``user_id`` is 0 until someone is logged in."""

    key: bytes
    key_id: int
    dc: int
    salt: int
    user_id: int = 0
    layer: int = 0
    api_id: int = 0


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
        self.codes: dict[str, str] = {}  # phone_code_hash -> phone
        self.exported: dict[bytes, int] = {}  # auth bytes -> user id
        self.takeouts: dict[int, Takeout] = {}
        self.takeout_asked: dict[int, float] = {}  # user id -> when a takeout was first refused

    def export_authorization(self, user_id: int) -> bytes:
        """A ticket that logs ``user_id`` in on another data centre, once."""
        ticket = os.urandom(64)
        self.exported[ticket] = user_id
        return ticket
