"""The server's memory between requests: authorization keys, logins in progress, takeouts, files on the CDN."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from tobs.sandbox.worlds.files import Blob


class KeyState(msgspec.Struct):
    """An authorization key on one data centre; ``user_id`` is 0 until somebody is logged in.

    ``pending``: the user who still has to give the password. ``ended``: the error that every request gets since the
    login was ended from another device.
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
    """A login code that was sent. ``delivery``: 0 app, 1 SMS, 2 call. ``until``: Unix time. ``wrong``: failed tries."""

    phone: str
    delivery: int
    until: float
    wrong: int = 0


class Verifier(msgspec.Struct, frozen=True):
    """An SRP verifier of a password: the salts, and ``v = g^x`` with x derived from password and salts."""

    algo: Any
    v: int


class Challenge(msgspec.Struct, frozen=True):
    """An SRP challenge for one authorization key, valid once. ``b``: the server's secret. ``public``: B."""

    key_id: int
    b: int
    public: bytes


class LoginToken(msgspec.Struct):
    """A QR login token, shown by the holder of an authorization key. ``user_id`` is 0 until somebody accepts it.

    ``wants_update``: False when the token was asked for with invokeWithoutUpdates.
    """

    key_id: int
    expires: float
    user_id: int = 0
    wants_update: bool = True
    used: bool = False


class Takeout(msgspec.Struct):
    """A takeout session, with the request that asked for it (its scopes)."""

    id: int
    user_id: int
    scopes: Any
    finished: bool = False
    success: bool | None = None


class CdnFile(msgspec.Struct):
    """A file that may be fetched from the CDN. ``uploaded``: the numbers of the MiB that are on the CDN already."""

    blob: Blob
    key: bytes
    iv: bytes
    uploaded: set[int]


class State:
    """Everything the server remembers that does not belong to the world."""

    def __init__(self) -> None:
        self.keys: dict[int, KeyState] = {}
        self.codes: dict[str, SentCode] = {}  # by phone_code_hash
        self.verifier: Verifier | None = None  # of the account's password
        self.challenges: dict[int, Challenge] = {}  # by srp_id
        self.login_tokens: dict[bytes, LoginToken] = {}
        self.exported: dict[bytes, int] = {}  # auth bytes -> user id
        self.takeouts: dict[int, Takeout] = {}
        self.takeout_asked: dict[int, float] = {}  # user id -> time of the first refusal
        self.takeout_allowed = False
        self.cdn: dict[bytes, CdnFile] = {}  # by file token

    def export_authorization(self, user_id: int) -> bytes:
        """Make a ticket that logs ``user_id`` in on another data centre, once."""
        ticket = os.urandom(64)
        self.exported[ticket] = user_id
        return ticket

    def end_logins(self, error: str) -> int:
        """End every login as from another device: each key gets ``error`` from now on. Return the number of logins."""
        keys = [key for key in self.keys.values() if key.user_id]
        for key in keys:
            key.ended = error
        return len(keys)
