"""The TCP transports of MTProto, detected by the first bytes of a connection.

``0xef``: abridged · ``0xeeeeeeee``: intermediate · ``0xdddddddd``: padded intermediate · a length followed by sequence
number 0: full · anything else: 64 bytes that set up obfuscation, with one of the first three inside.
Source: core.telegram.org/mtproto/mtproto-transports.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from typing import Protocol

from telethon.crypto import AESModeCTR

MAX_PACKET = 16 << 20  # bytes; a longer length is a broken client


class BadPacket(Exception):
    """The bytes are not a packet of the transport."""


class Source(Protocol):
    """A source of bytes: the socket, or the socket through a cipher."""

    async def readexactly(self, n: int) -> bytes: ...


class Transport(Protocol):
    """Splits the stream into packets and frames packets for the stream."""

    name: str

    async def read(self) -> bytes: ...

    def frame(self, packet: bytes) -> bytes: ...


def _checked(length: int) -> int:
    if not 4 <= length <= MAX_PACKET:
        raise BadPacket(f"length {length}")
    return length


class Abridged:
    """Framing by length in 4-byte words, in one byte, or in 0x7f and three bytes."""

    name = "abridged"

    def __init__(self, source: Source) -> None:
        self._source = source

    async def read(self) -> bytes:
        words = (await self._source.readexactly(1))[0] & 0x7F  # the high bit asks for a quick ack
        if words == 0x7F:
            words = int.from_bytes(await self._source.readexactly(3), "little")
        return await self._source.readexactly(_checked(words * 4))

    def frame(self, packet: bytes) -> bytes:
        words = len(packet) // 4
        head = bytes((words,)) if words < 0x7F else b"\x7f" + words.to_bytes(3, "little")
        return head + packet


class Intermediate:
    """Framing by length in four bytes."""

    name = "intermediate"

    def __init__(self, source: Source, *, padded: bool = False) -> None:
        self._source = source
        self._padded = padded
        if padded:
            self.name = "padded intermediate"

    async def read(self) -> bytes:
        (length,) = struct.unpack("<I", await self._source.readexactly(4))
        packet = await self._source.readexactly(_checked(length & 0x7FFFFFFF))
        return packet[: len(packet) & ~3] if self._padded else packet

    def frame(self, packet: bytes) -> bytes:
        return struct.pack("<I", len(packet)) + packet


class Full:
    """Framing by length, sequence number, packet and CRC-32."""

    name = "full"

    def __init__(self, source: Source, first: bytes) -> None:
        self._source = source
        self._first = first
        self._sent = 0

    async def read(self) -> bytes:
        head, self._first = self._first or await self._source.readexactly(8), b""
        length = _checked(struct.unpack_from("<I", head)[0] - 12)
        rest = await self._source.readexactly(length + 4)
        packet = rest[:-4]
        if zlib.crc32(packet, zlib.crc32(head)) != struct.unpack("<I", rest[-4:])[0]:
            raise BadPacket("checksum differs")
        return packet

    def frame(self, packet: bytes) -> bytes:
        body = struct.pack("<II", len(packet) + 12, self._sent) + packet
        self._sent += 1
        return body + struct.pack("<I", zlib.crc32(body))


class _Deciphered:
    def __init__(self, source: Source, cipher: AESModeCTR) -> None:
        self._source = source
        self._cipher = cipher

    async def readexactly(self, n: int) -> bytes:
        return bytes(self._cipher.decrypt(await self._source.readexactly(n)))


class Obfuscated:
    """Another transport inside AES-256-CTR with keys from the connection's first 64 bytes."""

    def __init__(self, source: Source, first: bytes) -> None:
        reverse = first[8:56][::-1]
        incoming = AESModeCTR(first[8:40], first[40:56])
        tag = bytes(incoming.decrypt(first))[56:60]
        self._outgoing = AESModeCTR(reverse[:32], reverse[32:48])
        inner = _tagged(tag, _Deciphered(source, incoming))
        if inner is None:
            raise BadPacket("unknown transport")
        self._inner = inner
        self.name = f"obfuscated {inner.name}"

    async def read(self) -> bytes:
        return await self._inner.read()

    def frame(self, packet: bytes) -> bytes:
        return bytes(self._outgoing.encrypt(self._inner.frame(packet)))


def _tagged(tag: bytes, source: Source) -> Transport | None:
    if tag == b"\xef" * 4:
        return Abridged(source)
    if tag == b"\xee" * 4:
        return Intermediate(source)
    if tag == b"\xdd" * 4:
        return Intermediate(source, padded=True)
    return None


async def detect(reader: asyncio.StreamReader) -> Transport:
    """Return the transport that a client has chosen; raise BadPacket or asyncio.IncompleteReadError."""
    first = await reader.readexactly(1)
    if first == b"\xef":
        return Abridged(reader)
    first += await reader.readexactly(3)
    plain = _tagged(first, reader)
    if plain is not None:
        return plain
    first += await reader.readexactly(4)
    if first[4:] == bytes(4):
        return Full(reader, first)
    return Obfuscated(reader, first + await reader.readexactly(56))
