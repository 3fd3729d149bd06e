"""Settings of the connection to Telegram: credentials, server, session files, worker pool, timeouts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from msgspec import Struct

SessionLock = Literal["none", "passphrase", "keyring"]


class ServerAddress(Struct, frozen=True):
    """Address of a server: a data centre, a test DC, a self-hosted server or the sandbox.

    ``key_pem`` is its RSA public key, PEM, PKCS#1 or PKCS#8; empty when the server has Telegram's own keys.
    """

    host: str
    port: int
    dc: int = 2
    key_pem: str = ""


class TelegramSettings(Struct, frozen=True, kw_only=True):
    """Settings for one account. Times are seconds.

    ``sessions`` is the folder of session files; ``session`` the path of another file, or a Telethon string session.
    ``session_lock`` is the encryption of a new session file, ``passphrase`` decrypts one; ``proxy`` is a URL, empty for
    none. ``bandwidth`` is the limit for files in bytes a second, 0 for none. ``workers`` connections fetch pages,
    ``file_connections`` of each data centre fetch files. A flood wait longer than ``flood_threshold`` pauses the run,
    one longer than ``flood_patience`` ends it. ``patience`` is the time to wait for a lost network; ``attempts`` the
    number of times that a failing request is sent. A takeout that Telegram delays by at most ``takeout_patience`` is
    awaited before anything is fetched.
    """

    api_id: int
    api_hash: str
    sessions: Path
    account: str = "default"
    session: str = ""
    session_lock: SessionLock = "none"
    passphrase: str = ""
    proxy: str = ""
    server: ServerAddress | None = None
    workers: int = 4
    file_connections: int = 2
    flood_threshold: float = 900.0
    flood_patience: float = 86_400.0
    connect_timeout: float = 10.0
    request_timeout: float = 60.0
    patience: float = 300.0
    attempts: int = 8
    takeout_patience: float = 60.0
    bandwidth: int = 0

    def __repr__(self) -> str:
        server = f"{self.server.host}:{self.server.port}" if self.server else "telegram"
        return f"TelegramSettings(account={self.account!r}, server={server!r}, workers={self.workers})"
