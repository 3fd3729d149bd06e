"""AES-256 in counter mode, as files on a CDN are encrypted. Source: https://core.telegram.org/cdn"""

from __future__ import annotations

import struct

import cryptg


def encrypt_at(key: bytes, iv: bytes, offset: int, data: bytes) -> bytes:
    """``data``, which is at ``offset`` of its file, encrypted. The counter's last 32 bits are the block's number."""
    fixed, zero = iv[:12], bytes(32)
    numbers = range(offset // 16, offset // 16 + (len(data) + 15) // 16)
    stream = b"".join(cryptg.encrypt_ige(fixed + struct.pack(">I", number), key, zero) for number in numbers)
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(stream[: len(data)], "big")
    return mixed.to_bytes(len(data), "big")
