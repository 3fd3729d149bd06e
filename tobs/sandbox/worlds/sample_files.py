"""Small real files of an exact size, computed from a seed: JPEG, PNG, Ogg Opus and text.

A message contains the size of its file long before a client asks for the bytes; so each function takes the size and
pads the file with a comment. No two files have the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from tobs.sandbox.worlds.phrases import SENTENCES
from tobs.sandbox.worlds.seeds import noise, splitmix64

COLUMNS, ROWS = 16, 12
JPEG_WIDTH, JPEG_HEIGHT = COLUMNS * 8, ROWS * 8
PNG_WIDTH, PNG_HEIGHT = 64, 48
JPEG_LEAST, PNG_LEAST = 3_000, 12_000
"""The smallest size in bytes that can be asked for."""

_SECOND = 50  # packets of 20 ms
_PACKET = 40
_OGG_PAGE = 27 + _SECOND * (1 + _PACKET)


def _mosaic(seed: int) -> Iterator[tuple[int, int, int]]:
    """Yield the colours (three components) of a smooth grid, row by row."""
    hue = noise(seed, 12)
    for row in range(ROWS):
        for column in range(COLUMNS):
            yield (
                (hue[0] + row * (hue[1] % 19) + column * (hue[2] % 13)) % 256,
                (hue[3] + row * (hue[4] % 7) + column * (hue[5] % 11)) % 256,
                (hue[6] + (row * column * (hue[7] % 5)) // 2) % 256,
            )


def jpeg(seed: int, size: int) -> bytes:
    """Make a baseline JPEG of ``JPEG_WIDTH`` x ``JPEG_HEIGHT``; each 8 x 8 block has one colour: only DC values."""
    head = b"\xff\xd8\xff\xe0" + struct.pack(">H5sHBHHBB", 16, b"JFIF\0", 0x0101, 0, 1, 1, 0, 0)
    body = b"\xff\xdb" + struct.pack(">HB", 67, 0) + bytes([8] * 64)
    body += b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, JPEG_HEIGHT, JPEG_WIDTH, 3)
    body += bytes(byte for component in (1, 2, 3) for byte in (component, 0x11, 0))
    lengths = (0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0)  # table K.3 of the JPEG standard
    body += b"\xff\xc4" + struct.pack(">HB", 31, 0x00) + bytes(lengths) + bytes(range(12))
    body += b"\xff\xc4" + struct.pack(">HB", 20, 0x10) + bytes([1] + [0] * 15) + b"\0"  # one AC code: end of block
    body += b"\xff\xda" + struct.pack(">HB", 12, 3) + bytes((1, 0, 2, 0, 3, 0, 0, 63, 0))
    body += _scan(seed) + b"\xff\xd9"
    return head + b"".join(_comments(seed, size - len(head) - len(body))) + body


def _scan(seed: int) -> bytes:
    codes = ((0, 2), (2, 3), (3, 3), (4, 3), (5, 3), (6, 3), (14, 4), (30, 5), (62, 6))
    bits = length = 0
    before = [128, 128, 128]
    for colour in _mosaic(seed):
        for part, value in enumerate(colour):
            step, before[part] = value - before[part], value
            category = abs(step).bit_length()
            code, width = codes[category]
            coded = step if step >= 0 else step + (1 << category) - 1
            bits = (((bits << width) | code) << category | coded) << 1
            length += width + category + 1
    fill = -length % 8
    bits = (bits << fill) | ((1 << fill) - 1)
    return bits.to_bytes((length + fill) // 8, "big").replace(b"\xff", b"\xff\0")


def _comments(seed: int, room: int) -> Iterator[bytes]:
    """Yield comment segments of exactly ``room`` bytes in all."""
    while room > 0:
        take = min(room, 60_000)
        if 0 < room - take < 4:
            take -= 4
        yield b"\xff\xfe" + struct.pack(">H", take - 2) + noise(seed + room, take - 4)
        room -= take


def png(seed: int, size: int) -> bytes:
    """Make a PNG of ``PNG_WIDTH`` x ``PNG_HEIGHT``; stored, not deflated, so that every zlib writes the same bytes."""
    colours = list(_mosaic(seed))
    lines = bytearray()
    for y in range(PNG_HEIGHT):
        row = colours[y // 4 * COLUMNS : (y // 4 + 1) * COLUMNS]
        lines += b"\0" + b"".join(bytes(colour) * 4 for colour in row)
    head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", PNG_WIDTH, PNG_HEIGHT, 8, 2, 0, 0, 0))
    tail = _chunk(b"IDAT", zlib.compress(bytes(lines), 0)) + _chunk(b"IEND", b"")
    comment = noise(seed, (size - len(head) - len(tail) - 12 - 8 + 1) // 2).hex().encode()
    return head + _chunk(b"tEXt", b"Comment\0" + comment[: size - len(head) - len(tail) - 20]) + tail


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def text(seed: int, size: int) -> bytes:
    """Make a UTF-8 text of paragraphs."""
    parts: list[bytes] = []
    length = 0
    while length < size:
        sentence = SENTENCES[splitmix64(seed, length) % len(SENTENCES)].encode()
        parts.append(sentence + (b"\n\n" if len(parts) % 4 == 3 else b" "))
        length += len(parts[-1])
    whole = b"".join(parts)[:size].decode(errors="ignore").encode()
    return whole + b"\n" * (size - len(whole))


def ogg_size(seconds: int) -> int:
    """Return the size of ``ogg(seed, seconds)`` in bytes."""
    return 47 + 28 + len(_TAGS) + seconds * _OGG_PAGE


_TAGS = b"OpusTags" + struct.pack("<I", 4) + b"tobs" + struct.pack("<I", 0)


def ogg(seed: int, seconds: int) -> bytes:
    """Make a silent Ogg Opus recording: frames marked as silence, padded with noise that decoders skip."""
    serial = seed & 0xFFFFFFFF
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    pages = [_page(serial, 0, 2, 0, [head]), _page(serial, 1, 0, 0, [_TAGS])]
    for second in range(seconds):
        rest = noise(seed + second, _SECOND * (_PACKET - 3))
        packets = [
            b"\xf8\xff\xfe" + rest[index * (_PACKET - 3) : (index + 1) * (_PACKET - 3)] for index in range(_SECOND)
        ]
        last = 4 if second == seconds - 1 else 0
        pages.append(_page(serial, second + 2, last, (second + 1) * 48_000, packets))
    return b"".join(pages)


def _page(serial: int, number: int, flags: int, granule: int, packets: list[bytes]) -> bytes:
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, serial, number, 0, len(packets))
    page = bytearray(head + bytes(len(packet) for packet in packets) + b"".join(packets))
    page[22:26] = struct.pack("<I", _ogg_crc(page))
    return bytes(page)


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = ((value << 1) ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
        table.append(value)
    return table


_CRC = _crc_table()


def _ogg_crc(data: bytes | bytearray) -> int:
    crc = 0
    for byte in data:
        crc = ((crc << 8) & 0xFFFFFFFF) ^ _CRC[(crc >> 24) ^ byte]
    return crc
