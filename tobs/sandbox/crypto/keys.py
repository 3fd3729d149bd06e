"""The sandbox's RSA key pair: clients know its public half, the key exchange uses the private one.

The key protects only a loopback connection, yet each process makes its own: the repository holds no private key.
"""

from __future__ import annotations

import functools
import math
import secrets

import rsa
import rsa.prime
from telethon.crypto.rsa import _compute_fingerprint

KEY_BITS = 2048  # MTProto knows no other size
EXPONENT = 65537


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
        """Decrypt an RSA block of 256 bytes."""
        key = self._private
        cipher = int.from_bytes(block, "big")
        # Chinese remainder theorem: four times faster than one power modulo n.
        low = pow(cipher, key.exp2, key.q)
        high = (pow(cipher, key.exp1, key.p) - low) * key.coef % key.p
        return int(low + high * key.q).to_bytes(256, "big")


@functools.cache
def process_key(name: str = "telegram") -> ServerKey:
    """Return the key pair ``name``, shared by all sandboxes of this process and made at the first call."""
    return ServerKey(_make())


def _make() -> rsa.PrivateKey:
    """Make a key pair in a fifth of a second; rsa.newkeys, which tests every odd number in full, needs two seconds."""
    while True:
        p, q = _prime(KEY_BITS // 2), _prime(KEY_BITS // 2)
        totient = (p - 1) * (q - 1)
        if p != q and math.gcd(EXPONENT, totient) == 1:
            return rsa.PrivateKey(p * q, EXPONENT, pow(EXPONENT, -1, totient), p, q)


def _prime(bits: int) -> int:
    """Return a random prime with its two highest bits set, so that the product of two has twice the bits."""
    while True:
        number = secrets.randbits(bits) | 3 << (bits - 2) | 1
        if math.gcd(number, _small_primes()) == 1 and rsa.prime.is_prime(number):
            return number


@functools.cache
def _small_primes() -> int:
    """Return the product of the primes below 2000: a number that shares a factor with it needs no further test."""
    return math.prod(
        number for number in range(2, 2000) if all(number % factor for factor in range(2, 45) if factor < number)
    )
