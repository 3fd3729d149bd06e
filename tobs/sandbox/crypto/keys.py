"""The sandbox's RSA key pair: clients know its public half, the key exchange uses the private one.

The key guards nothing but a loopback, yet it is made anew on each machine: no private key lies in the repository.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import rsa
from telethon.crypto.rsa import _compute_fingerprint

KEY_BITS = 2048  # MTProto knows no other size


class ServerKey:
    """A key pair with its fingerprint (signed 64 bit, as Telegram sends it)."""

    def __init__(self, private: rsa.PrivateKey) -> None:
        self._private = private
        self.public = rsa.PublicKey(private.n, private.e)
        self.fingerprint = int(_compute_fingerprint(self.public))

    @property
    def pem(self) -> str:
        """The public key, PEM, PKCS#1."""
        return bytes(self.public.save_pkcs1()).decode()

    def decrypt(self, block: bytes) -> bytes:
        """The 256 bytes that the client raised to the public exponent."""
        key = self._private
        cipher = int.from_bytes(block, "big")
        # Chinese remainder theorem: four times faster than one power modulo n.
        low = pow(cipher, key.exp2, key.q)
        high = (pow(cipher, key.exp1, key.p) - low) * key.coef % key.p
        return int(low + high * key.q).to_bytes(256, "big")


@functools.cache
def process_key() -> ServerKey:
    """One key pair for all sandboxes of this process: making one takes a second or two."""
    return ServerKey(rsa.newkeys(KEY_BITS)[1])


def load_or_make(path: Path) -> ServerKey:
    """The key pair kept in ``path`` (PEM, PKCS#1, 0600); made and kept there when there is none."""
    if path.exists():
        return ServerKey(rsa.PrivateKey.load_pkcs1(path.read_bytes()))
    private = rsa.newkeys(KEY_BITS)[1]
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(private.save_pkcs1())
    return ServerKey(private)
