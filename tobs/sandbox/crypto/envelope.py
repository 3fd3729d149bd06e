"""The encrypted envelope of MTProto 2.0, the server's side of it.

Layout: auth_key_id (8) · msg_key (16) · AES-256-IGE of [salt (8) · session_id (8) · msg_id (8) · seq_no (4) ·
length (4) · body · 12-1024 bytes of padding]. Source: core.telegram.org/mtproto/description.
"""

from __future__ import annotations

import os
import struct
from hashlib import sha256

import msgspec
from telethon.crypto import AES

_HEADER = struct.Struct("<qqqii")  # salt, session_id, msg_id, seq_no, length
_CLIENT, _SERVER = 0, 8  # the `x` of the specification, by the sender of the message


class BadEnvelope(Exception):
    """A packet that was not encrypted with this key, or was changed on its way."""


class Inner(msgspec.Struct, frozen=True):
    """The content of an envelope; ``body`` is one serialised TL object."""

    salt: int
    session_id: int
    msg_id: int
    seq_no: int
    body: bytes


def _aes_key(key: bytes, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    a = sha256(msg_key + key[x : x + 36]).digest()
    b = sha256(key[x + 40 : x + 76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:32], b[:8] + a[8:24] + b[24:32]


def seal(key: bytes, key_id: int, inner: Inner) -> bytes:
    """Encrypt a message of the server."""
    plain = _HEADER.pack(inner.salt, inner.session_id, inner.msg_id, inner.seq_no, len(inner.body)) + inner.body
    plain += os.urandom(-(len(plain) + 12) % 16 + 12)
    msg_key = sha256(key[88 + _SERVER : 120 + _SERVER] + plain).digest()[8:24]
    return b"".join((struct.pack("<Q", key_id), msg_key, AES.encrypt_ige(plain, *_aes_key(key, msg_key, _SERVER))))


def unseal(key: bytes, packet: bytes) -> Inner:
    """Decrypt a message of the client; raise BadEnvelope."""
    msg_key = packet[8:24]
    if len(packet) < 24 + 48 or len(packet) % 16 != 8:
        raise BadEnvelope("wrong length")
    plain = bytes(AES.decrypt_ige(packet[24:], *_aes_key(key, msg_key, _CLIENT)))
    if sha256(key[88:120] + plain).digest()[8:24] != msg_key:
        raise BadEnvelope("msg_key differs")
    salt, session_id, msg_id, seq_no, length = _HEADER.unpack_from(plain)
    padding = len(plain) - _HEADER.size - length
    if length < 0 or length % 4 or not 12 <= padding <= 1024:
        raise BadEnvelope("wrong padding")
    return Inner(salt, session_id, msg_id, seq_no, plain[_HEADER.size : _HEADER.size + length])
