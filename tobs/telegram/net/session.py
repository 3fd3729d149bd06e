"""Session files: the logged-in account with its keys. Mode 0600 in a 0700 folder from the first byte on.

``<sessions>/<account>.session`` is one JSON object, encrypted on request (``session_encryption.py``). TOBS_SESSION
names another file, or is a Telethon string session itself.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct
from telethon.sessions import StringSession

from tobs.errors import ConfigError, LoginError
from tobs.telegram.net.session_encryption import (
    Envelope,
    new_entry,
    read_entry,
    read_envelope,
    remove_entry,
    seal,
    unseal,
)
from tobs.telegram.net.settings import ServerAddress, SessionLock, TelegramSettings

TELEGRAM = ServerAddress("149.154.167.51", 443, 2)
"""Address for a first login: data centre 2 returns the addresses of the others."""


class Account(Struct, frozen=True, omit_defaults=True):
    """The logged-in account. ``id`` is the user id, ``title`` the name to show, ``phone`` may be empty."""

    id: int
    title: str
    username: str = ""
    phone: str = ""
    is_bot: bool = False
    name: str = "default"


class Session(Struct, omit_defaults=True):
    """State of one login. ``key`` is the home data centre's auth key, ``keys`` those of others by their number.

    ``server`` is a digest of the server key of the login: another server does not know the session.
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
    """Return a digest of the server's key in the settings; empty for Telegram's own servers."""
    if settings.server is None:
        return ""
    return sha256(settings.server.key_pem.encode()).hexdigest()[:16]


def new_session(settings: TelegramSettings) -> Session:
    """Return a session without a login."""
    server = settings.server or TELEGRAM
    return Session(server.dc, server.host, server.port, server=server_digest(settings))


def with_account_option(error: LoginError, settings: TelegramSettings) -> LoginError:
    """Add the account's name to the remedy of ``error`` and return it."""
    if settings.account != "default" and "--account" not in error.remedy:
        error.remedy = error.remedy.replace("`tobs login", f"`tobs login --account {settings.account}")
    return error


def not_logged_in(settings: TelegramSettings) -> LoginError:
    """Return the error for an account without a login."""
    return with_account_option(
        LoginError(f"No one is logged in as '{settings.account}'.", "Run `tobs login`."), settings
    )


class SessionFile:
    """File of one account's session, or the string session that replaces it (never written back).

    An encrypted file stays encrypted in the same way. ``lock`` is the encryption of the next ``save``, ``lock_found``
    that of the file as it was read.
    """

    def __init__(self, settings: TelegramSettings) -> None:
        if not settings.account or Path(settings.account).name != settings.account or settings.account.startswith("."):
            raise ConfigError(f"'{settings.account}' is not an account name.", "Use letters and digits.")
        self._settings = settings
        self._string = settings.session if _is_string_session(settings.session) else ""
        self._own_folder = not settings.session
        self.path = settings.sessions / f"{settings.account}.session"
        if settings.session and not self._string:
            self.path = Path(settings.session).expanduser()
        self.lock: SessionLock = settings.session_lock
        self.lock_found: SessionLock = "none"
        self._entry = ""

    def wants_passphrase(self) -> bool:
        """Return whether the file needs a passphrase. Raises LoginError for an unreadable file."""
        data = None if self._string else self._read()
        return data is not None and self._envelope(data).lock == "passphrase"

    def check_lock(self) -> None:
        """Check that a new session can be encrypted as configured, before the login. Raises ConfigError."""
        self._sealed(b"")

    def load(self) -> Session | None:
        """Return the session of this server, None when there is none.

        Raises LoginError for an unreadable file or a wrong passphrase, ConfigError when a needed package or keyring is
        missing.
        """
        if self._string:
            return self._from_string(self._string)
        data = self._read()
        if data is None:
            return None
        envelope = self._envelope(data)
        if envelope.lock != "none":
            data = unseal(envelope, self._passphrase(envelope))
            self.lock, self._entry = envelope.lock, envelope.entry
            self.lock_found = envelope.lock
        try:
            session = msgspec.json.decode(data, type=Session)
        except msgspec.DecodeError as error:
            raise self._damaged() from error
        if session.server != server_digest(self._settings):
            return None
        if self._settings.server is not None and session.dc == self._settings.server.dc:
            session.host, session.port = self._settings.server.host, self._settings.server.port
        return session

    def save(self, session: Session) -> None:
        """Write the whole session; the file is never readable by others. Raises ConfigError."""
        if self._string:
            return
        data = self._sealed(msgspec.json.encode(session))
        temporary = self.path.with_name(f".{self.path.name}.new")
        try:
            if self._own_folder:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self.path.parent.chmod(0o700)
            temporary.unlink(missing_ok=True)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except OSError as error:
            raise ConfigError(f"The session cannot be saved in {self.path.parent}: {error.strerror}.") from error

    def remove(self) -> bool:
        """Remove the session file and its keyring entry; False when there was none."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        if self._entry:
            remove_entry(self._entry)
        return True

    def _read(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LoginError(f"The session file cannot be read: {error.strerror}.", f"See {self.path}.") from error

    def _envelope(self, data: bytes) -> Envelope:
        try:
            return read_envelope(data)
        except msgspec.DecodeError as error:
            raise self._damaged() from error

    def _damaged(self) -> LoginError:
        return LoginError(f"The session file {self.path} is damaged.", "Remove it and run `tobs login` again.")

    def _passphrase(self, envelope: Envelope) -> str:
        if envelope.lock == "keyring":
            return read_entry(envelope.entry)
        if not self._settings.passphrase:
            raise LoginError(
                f"The session of '{self._settings.account}' is locked with a passphrase.", "Set TOBS_PASSPHRASE."
            )
        return self._settings.passphrase

    def _sealed(self, plain: bytes) -> bytes:
        """Return ``plain`` encrypted as configured; the key is derived again each time, which happens seldom."""
        if self.lock == "none":
            return plain
        if self.lock == "keyring":
            if self._entry:
                passphrase = read_entry(self._entry)
            else:
                self._entry, passphrase = new_entry()
        else:
            passphrase = self._settings.passphrase
            if not passphrase:
                raise ConfigError("There is no passphrase to lock the session with.", "Set TOBS_PASSPHRASE.")
        return msgspec.json.encode(seal(plain, self.lock, passphrase, self._entry))

    def _from_string(self, text: str) -> Session:
        try:
            given = StringSession(text)
        except ValueError as error:
            raise LoginError("TOBS_SESSION is not a session string.", "Run `tobs login` instead.") from error
        session = new_session(self._settings)
        session.key = given.auth_key.key if given.auth_key else b""
        session.dc = given.dc_id
        if self._settings.server is None:
            session.host, session.port = given.server_address, given.port
        return session


def _is_string_session(text: str) -> bool:
    """Return whether a text is a Telethon string session (1 and 353 or 369 base64 characters), and no path."""
    return len(text) > 300 and text.startswith("1") and not set(text) & set("/\\.")
