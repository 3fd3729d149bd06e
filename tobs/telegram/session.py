"""Session files: who is logged in where, with the keys. 0600 in a 0700 folder from the first byte on.

``<sessions>/<account>.session`` is one JSON object. A Telethon string session (TOBS_SESSION) is read too.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct
from telethon.sessions import StringSession

from tobs.errors import ConfigError, LoginError
from tobs.telegram.settings import ServerAddress, TelegramSettings

TELEGRAM = ServerAddress("149.154.167.51", 443, 2)
"""Where a first login starts: data centre 2 names the others."""


class Account(Struct, frozen=True, omit_defaults=True):
    """Who is logged in. ``id`` is the user id, ``title`` the name to show, ``phone`` may be empty."""

    id: int
    title: str
    username: str = ""
    phone: str = ""
    is_bot: bool = False
    name: str = "default"


class Session(Struct, omit_defaults=True):
    """The state of one login. ``key`` is the home data centre's key, ``keys`` those of others by their number.

    ``server`` is a digest of the server key the login was made with: another server does not know the session.
    """

    dc: int
    host: str
    port: int
    key: bytes = b""
    keys: dict[int, bytes] = {}
    server: str = ""
    account: Account | None = None

    def __repr__(self) -> str:
        return f"Session(dc={self.dc}, account={self.account!r})"


def server_digest(settings: TelegramSettings) -> str:
    """Which Telegram the settings mean: empty for Telegram's own, else a digest of the server's key."""
    if settings.server is None:
        return ""
    return sha256(settings.server.key_pem.encode()).hexdigest()[:16]


def fresh_session(settings: TelegramSettings) -> Session:
    """A session that nobody is logged in with."""
    server = settings.server or TELEGRAM
    return Session(server.dc, server.host, server.port, server=server_digest(settings))


class SessionFile:
    """The file of one account's session, or the string session that stands for it (never written back)."""

    def __init__(self, settings: TelegramSettings) -> None:
        if not settings.account or Path(settings.account).name != settings.account or settings.account.startswith("."):
            raise ConfigError(f"'{settings.account}' is no account name.", "Use letters and digits.")
        self._settings = settings
        self.path = settings.sessions / f"{settings.account}.session"

    def load(self) -> Session | None:
        """The session of this server, None when there is none. Raises LoginError for an unreadable one."""
        if self._settings.session:
            return self._from_string(self._settings.session)
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LoginError(f"The session file cannot be read: {error.strerror}.", f"See {self.path}.") from error
        try:
            session = msgspec.json.decode(data, type=Session)
        except msgspec.DecodeError as error:
            raise LoginError(f"The session file {self.path} is damaged.", "Run `tobs login` again.") from error
        if session.server != server_digest(self._settings):
            return None
        if self._settings.server is not None and session.dc == self._settings.server.dc:
            session.host, session.port = self._settings.server.host, self._settings.server.port
        return session

    def save(self, session: Session) -> None:
        """Write the session whole; the file is never readable by others. Raises ConfigError."""
        if self._settings.session:
            return
        temporary = self.path.with_name(f".{self.path.name}.new")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.parent.chmod(0o700)
            temporary.unlink(missing_ok=True)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(session))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except OSError as error:
            raise ConfigError(f"The session cannot be kept in {self.path.parent}: {error.strerror}.") from error

    def remove(self) -> bool:
        """Forget the session; False when there was none."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True

    def _from_string(self, text: str) -> Session:
        try:
            given = StringSession(text)
        except ValueError as error:
            raise LoginError("TOBS_SESSION is no session string.", "Run `tobs login` instead.") from error
        session = fresh_session(self._settings)
        session.key = given.auth_key.key if given.auth_key else b""
        session.dc = given.dc_id
        if self._settings.server is None:
            session.host, session.port = given.server_address, given.port
        return session
