"""Encryption of session files with a passphrase, or with a random one in the system's keyring.

scrypt derives the key (RFC 7914), AES-256-GCM encrypts. The packages are extras: ``tobs[lock]``, ``tobs[keyring]``.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import Any

import msgspec
from msgspec import Struct

from tobs.errors import ConfigError, LoginError
from tobs.telegram.net.settings import SessionLock

_N, _R, _P = 1 << 15, 8, 1  # scrypt's parameters: 32 MB and a tenth of a second
_MOST_MEMORY = 128 << 20
_SERVICE = "tobs"


class Envelope(Struct, omit_defaults=True):
    """Outer form of a session file. ``lock`` is "none" for a plain one, whose other fields are a session's.

    ``entry`` names the keyring's entry; ``n`` is scrypt's cost, ``sealed`` the encrypted session with its tag.
    """

    lock: SessionLock = "none"
    entry: str = ""
    n: int = _N
    salt: bytes = b""
    nonce: bytes = b""
    sealed: bytes = b""


def seal(plain: bytes, lock: SessionLock, passphrase: str, entry: str = "") -> Envelope:
    """Encrypt ``plain`` with fresh salt and nonce. Raises ConfigError (package missing)."""
    salt, nonce = os.urandom(16), os.urandom(12)
    sealed = _cipher(_key(passphrase, salt, _N)).encrypt(nonce, plain, lock.encode())
    return Envelope(lock, entry, _N, salt, nonce, sealed)


def unseal(envelope: Envelope, passphrase: str) -> bytes:
    """Decrypt the session. Raises LoginError (wrong passphrase), ConfigError (package missing)."""
    cipher = _cipher(_key(passphrase, envelope.salt, envelope.n))
    from cryptography.exceptions import InvalidTag

    try:
        return bytes(cipher.decrypt(envelope.nonce, envelope.sealed, envelope.lock.encode()))
    except (InvalidTag, ValueError) as error:
        raise LoginError("The passphrase does not open the session.", "Check TOBS_PASSPHRASE.") from error


def _key(passphrase: str, salt: bytes, n: int) -> bytes:
    try:
        return hashlib.scrypt(passphrase.encode(), salt=salt, n=n, r=_R, p=_P, maxmem=_MOST_MEMORY, dklen=32)
    except (ValueError, MemoryError) as error:
        raise LoginError("The session file is damaged.", "Remove it and run `tobs login`.") from error


def _cipher(key: bytes) -> Any:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as error:
        raise ConfigError(
            "Locked sessions need the package cryptography.", "Install it: pip install cryptography."
        ) from error
    return AESGCM(key)


# the system's keyring


def new_entry() -> tuple[str, str]:
    """Store a new random passphrase in the keyring; return the entry's name and the passphrase. Raises ConfigError."""
    entry, passphrase = f"session {secrets.token_hex(8)}", secrets.token_urlsafe(32)
    _keyring("set_password", _SERVICE, entry, passphrase)
    return entry, passphrase


def read_entry(entry: str) -> str:
    """Return the passphrase of an entry. Raises ConfigError, LoginError (no such entry)."""
    found = _keyring("get_password", _SERVICE, entry)
    if not found:
        raise LoginError(
            "The system's keyring has no key for this session.", "Unlock the right keyring, or run `tobs login` again."
        )
    return str(found)


def remove_entry(entry: str) -> None:
    """Remove an entry; does nothing when it is missing or the keyring cannot be reached."""
    try:
        _keyring("delete_password", _SERVICE, entry)
    except ConfigError:
        return


def _keyring(action: str, *arguments: str) -> Any:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise ConfigError("The package keyring is missing.", "Install it: pip install keyring.") from error
    try:
        return getattr(keyring, action)(*arguments)
    except (KeyringError, RuntimeError) as error:
        raise ConfigError(
            f"The system's keyring cannot be used ({type(error).__name__}).",
            'Start it, or lock the session with a passphrase: session_lock = "passphrase".',
        ) from error


def read_envelope(data: bytes) -> Envelope:
    """Decode the outer form of a session file. Raises msgspec.DecodeError."""
    return msgspec.json.decode(data, type=Envelope)
