"""The key exchange: req_pq_multi, req_DH_params, set_client_DH_params, from the server's side.

The client's inner data may be encrypted in two ways: the older one (SHA-1, data, random padding; Telethon and
kurigram use it) and RSA_PAD, which Telegram requires now. Source: core.telegram.org/mtproto/auth_key.
"""

from __future__ import annotations

import os
import secrets
import struct
import time
from hashlib import sha1, sha256
from typing import Any, Final

from telethon.crypto import AES, AuthKey
from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.helpers import generate_key_data_from_nonce
from telethon.tl import functions, types

from tobs.sandbox.crypto.keys import ServerKey

# The safe prime Telegram itself uses; kurigram accepts no other.
DH_PRIME: Final = int(
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530F4DB"
    "FA336F6E0AC925139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F64"
    "2477FE96BB2A941D5BCD1D4AC8CC49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E162753B56B0F6B41"
    "0DBA74D8A84B2A14B3144E0EF1284754FD17ED950D5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4"
    "E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850CE929851F0D8115F635B105EE2E4E15D04B2454BF"
    "6F4FADF034B10403119CD8E3B92FCC5B",
    16,
)
GENERATOR: Final = 3
_P, _Q = 1229739323, 1402015859  # two primes the client has to find
_SAFE = 1 << (2048 - 64)  # g_a and g_b keep this distance from 0 and from the prime
_INNER_TYPES = (types.PQInnerData, types.PQInnerDataDc)


class HandshakeFailed(Exception):
    """The client broke the key exchange; ``code`` is the transport error it gets."""

    def __init__(self, reason: str, code: int = -404) -> None:
        super().__init__(reason)
        self.code = code


class NewKey:
    """The authorization key that an exchange has produced, with its first salt."""

    def __init__(self, key: bytes, salt: int) -> None:
        self.key = key
        self.key_id = int(AuthKey(key).key_id)
        self.salt = salt


class Handshake:
    """A key exchange over one connection; a client may start it again at any step."""

    def __init__(self, server_key: ServerKey, dc: int) -> None:
        self._server_key = server_key
        self._dc = dc
        self._nonce = 0
        self._server_nonce = 0
        self._new_nonce = 0
        self._secret = 0
        self._aes: tuple[bytes, bytes] = (b"", b"")

    def answer(self, packet: bytes) -> tuple[bytes, NewKey | None]:
        """Return the answer to one unencrypted message, and the new key when the exchange is complete."""
        try:
            request = BinaryReader(packet[20:]).tgread_object()
        except (TypeNotFoundError, BufferError, struct.error) as error:
            raise HandshakeFailed("unreadable") from error
        if isinstance(request, functions.ReqPqMultiRequest | functions.ReqPqRequest):
            return self._offer_pq(request), None
        if isinstance(request, functions.ReqDHParamsRequest):
            self._check_nonces(request)
            return self._offer_dh(request), None
        if isinstance(request, functions.SetClientDHParamsRequest):
            self._check_nonces(request)
            return self._agree(request)
        raise HandshakeFailed(f"{type(request).__name__} needs a key")

    def _check_nonces(self, request: Any) -> None:
        if (request.nonce, request.server_nonce) != (self._nonce, self._server_nonce):
            raise HandshakeFailed("nonces differ")

    def _offer_pq(self, request: Any) -> bytes:
        self._nonce = request.nonce
        self._server_nonce = int.from_bytes(os.urandom(16), "little", signed=True)
        pq = (_P * _Q).to_bytes(8, "big")
        return bytes(types.ResPQ(self._nonce, self._server_nonce, pq, [self._server_key.fingerprint]))

    def _offer_dh(self, request: Any) -> bytes:
        if request.public_key_fingerprint != self._server_key.fingerprint:
            raise HandshakeFailed("unknown RSA key")
        if {int.from_bytes(request.p, "big"), int.from_bytes(request.q, "big")} != {_P, _Q}:
            raise HandshakeFailed("pq was not factorised")
        inner = open_inner_data(self._server_key.decrypt(request.encrypted_data))
        # Test servers add 10000 to the number, media servers change its sign.
        if isinstance(inner, types.PQInnerDataDc) and abs(inner.dc) % 10000 != self._dc:
            raise HandshakeFailed("the client means another data centre", code=-444)
        self._new_nonce = inner.new_nonce
        self._aes = generate_key_data_from_nonce(self._server_nonce, self._new_nonce)
        self._secret = secrets.randbits(2048)
        g_a = pow(GENERATOR, self._secret, DH_PRIME).to_bytes(256, "big")
        # The clock of the exchange is the machine's: clients compare it with their own.
        now = int(time.time())
        inner_data = types.ServerDHInnerData(
            self._nonce, self._server_nonce, GENERATOR, DH_PRIME.to_bytes(256, "big"), g_a, now
        )
        data = bytes(inner_data)
        data = sha1(data).digest() + data
        data += os.urandom(-len(data) % 16)
        return bytes(types.ServerDHParamsOk(self._nonce, self._server_nonce, AES.encrypt_ige(data, *self._aes)))

    def _agree(self, request: Any) -> tuple[bytes, NewKey | None]:
        plain = bytes(AES.decrypt_ige(request.encrypted_data, *self._aes))
        inner = BinaryReader(plain[20:]).tgread_object()
        if not isinstance(inner, types.ClientDHInnerData) or sha1(bytes(inner)).digest() != plain[:20]:
            raise HandshakeFailed("client DH data do not match their hash")
        g_b = int.from_bytes(inner.g_b, "big")
        if not _SAFE <= g_b <= DH_PRIME - _SAFE:
            raise HandshakeFailed("g_b is out of the safe range")
        key = pow(g_b, self._secret, DH_PRIME).to_bytes(256, "big")
        nonce_hash = AuthKey(key).calc_new_nonce_hash(self._new_nonce, 1)
        new_nonce = self._new_nonce.to_bytes(32, "little", signed=True)
        server_nonce = self._server_nonce.to_bytes(16, "little", signed=True)
        salt = int.from_bytes(
            bytes(a ^ b for a, b in zip(new_nonce[:8], server_nonce[:8], strict=True)), "little", signed=True
        )
        return bytes(types.DhGenOk(self._nonce, self._server_nonce, nonce_hash)), NewKey(key, salt)


def open_inner_data(block: bytes) -> Any:
    """Read the p_q_inner_data in a decrypted RSA block of 256 bytes, in either packing; raise HandshakeFailed."""
    for unpack in (_unpack_sha1, _unpack_rsa_pad):
        inner = unpack(block)
        if inner is not None:
            return inner
    raise HandshakeFailed("unreadable inner data")


def _read_inner(data: bytes) -> Any:
    try:
        inner = BinaryReader(data).tgread_object()
    except (TypeNotFoundError, BufferError, struct.error):
        return None
    return inner if isinstance(inner, _INNER_TYPES) else None


def _unpack_sha1(block: bytes) -> Any:
    inner = _read_inner(block[21:]) if block[0] == 0 else None
    return inner if inner is not None and sha1(bytes(inner)).digest() == block[1:21] else None


def _unpack_rsa_pad(block: bytes) -> Any:
    masked, cipher = block[:32], block[32:]
    temp_key = bytes(a ^ b for a, b in zip(masked, sha256(cipher).digest(), strict=True))
    plain = bytes(AES.decrypt_ige(cipher, temp_key, bytes(32)))
    data = plain[:192][::-1]
    return _read_inner(data) if sha256(temp_key + data).digest() == plain[192:] else None
