"""Files made to hurt: every plugin that works on files gets every one of them, in its worker process, and none of them
costs more than one sentence that names the fault."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from tests.plugin.weights import tiny_en
from tobs.plugin import FileKind
from tobs.plugin.testing import make_item, try_plugins

PLUGINS = Path(__file__).parents[2] / "plugins" / "tobs_plugins"
MUSIC = Path(__file__).parents[1] / "data" / "music"


def png_bomb() -> bytes:
    """A picture of 60,000 by 60,000 pixels in 60 bytes."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff_bomb() -> bytes:
    """A scan of 65,535 by 65,535 pixels without any."""
    tags = [(256, 4, 1, 65_535), (257, 4, 1, 65_535), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 10)]
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)


def pdf(stream: bytes, kids: str = "[3 0 R]") -> bytes:
    """A document of one page whose content is ``stream``, compressed."""
    body = zlib.compress(stream, 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids {kids} /Count 1 >>".encode(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(body), body),
    ]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"xref\n0 5\n0000000000 65535 f \n" + table) + (
        b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(out)
    )


def laughing_sticker() -> bytes:
    """A drawing whose parts each hold ten of the next: 10 to the power of 12 in the end."""
    assets = [
        {
            "id": str(n),
            "layers": [{"ty": 0, "refId": str(n + 1), "ip": 0, "op": 60, "st": 0, "ks": {}} for _ in range(10)],
        }
        for n in range(12)
    ]
    drawing = {"v": "5.5.2", "fr": 60, "ip": 0, "op": 60, "w": 512, "h": 512, "assets": assets}
    return gzip.compress(json.dumps(drawing | {"layers": assets[0]["layers"]}).encode())


def circling_sticker() -> bytes:
    """A drawing that holds itself."""
    layer = {"ty": 0, "refId": "a", "ip": 0, "op": 60, "st": 0, "ks": {}}
    drawing = {"v": "5.5.2", "fr": 60, "ip": 0, "op": 60, "w": 512, "h": 512, "layers": [layer]}
    return gzip.compress(json.dumps(drawing | {"assets": [{"id": "a", "layers": [layer, layer]}]}).encode())


def repeating_sticker() -> bytes:
    """A square that is drawn a thousand million times."""
    copies = {"ty": "rp", "c": {"a": 0, "k": 10**9}, "o": {"a": 0, "k": 0}, "tr": {}}
    square = {"ty": "rc", "p": {"a": 0, "k": [0, 0]}, "s": {"a": 0, "k": [9, 9]}, "r": {"a": 0, "k": 0}}
    layer = {"ty": 4, "ip": 0, "op": 60, "st": 0, "ks": {}, "shapes": [{"ty": "gr", "it": [square, copies]}]}
    drawing = {"v": "5.5.2", "fr": 60, "ip": 0, "op": 60, "w": 512, "h": 512, "layers": [layer]}
    return gzip.compress(json.dumps(drawing).encode())


def huge_tag() -> bytes:
    """A song with a title of 20 million letters."""
    body = b"\x03" + b"la " * 6_666_666
    size = len(body) + 10
    length = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    frame = b"TIT2" + bytes((len(body) >> shift) & 0x7F for shift in (21, 14, 7, 0)) + b"\0\0" + body
    return b"ID3\x04\0\0" + length + frame + (MUSIC / "chimes.mp3").read_bytes()


def atoms() -> bytes:
    """A thousand atoms of MP4, each in the one before, the last larger than any file."""
    inner = struct.pack(">I4sQ", 1, b"udta", 2**62)
    for _ in range(1000):
        inner = struct.pack(">I4s", len(inner) + 8, b"moov") + inner
    return struct.pack(">I4s4sI", 16, b"ftyp", b"M4A ", 0) + inner


def wide_film() -> bytes:
    """An AVI of 30,000 by 30,000 pixels, with one frame of rubbish."""
    head = struct.pack("<IIIIIIIIII16x", 40_000, 0, 0, 0, 1, 0, 1, 0, 30_000, 30_000)
    stream = struct.pack("<4s4sIHHIIIIIIII8x", b"vids", b"MPNG", 0, 0, 0, 0, 1, 25, 0, 1, 0, 0, 0)
    form = struct.pack("<IiiHH4sIiiII", 40, 30_000, 30_000, 1, 24, b"MPNG", 0, 0, 0, 0, 0)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    tracks = chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", form))
    film = chunk(b"LIST", b"hdrl" + chunk(b"avih", head) + tracks)
    return chunk(b"RIFF", b"AVI " + film + chunk(b"LIST", b"movi" + chunk(b"00dc", png_bomb())))


def wave_of_4_gigabytes() -> bytes:
    """A recording that says it is as large as can be, and is not."""
    head = struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, 2, 48_000, 192_000, 4, 16, b"data", 2**32 - 40)
    return b"RIFF" + struct.pack("<I", 2**32 - 1) + b"WAVE" + head + b"\1\2" * 1000


HOSTILE: dict[str, Callable[[], bytes]] = {
    "bomb.png": png_bomb,
    "bomb.jpg": lambda: b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x11\0\x02\x11\1\x03\x11\1" + b"\0" * 500,
    "bomb.tiff": tiff_bomb,
    "bomb.heic": lambda: struct.pack(">I4s4sI", 24, b"ftyp", b"heic", 0) + b"mif1heic" + b"\xff" * 4000,
    "bomb.pdf": lambda: pdf(b"BT " + b"(la) Tj " * 12_000_000 + b"ET"),
    "circle.pdf": lambda: pdf(b"", kids="[2 0 R 2 0 R 3 0 R]"),
    "deep.pdf": lambda: pdf(b"[" * 200_000),
    "laughs.tgs": laughing_sticker,
    "circle.tgs": circling_sticker,
    "repeats.tgs": repeating_sticker,
    "bomb.tgs": lambda: gzip.compress(b"[" * 50_000_000),
    "tag.mp3": huge_tag,
    "atoms.m4a": atoms,
    "atoms.mp4": atoms,
    "wide.avi": wide_film,
    "long.wav": wave_of_4_gigabytes,
    "cut.flac": lambda: (MUSIC / "chimes.flac").read_bytes()[:9000],
    "cut.m4a": lambda: (MUSIC / "chimes.m4a").read_bytes()[:9000],
    "zeros.ogg": lambda: b"OggS" + bytes(200_000),
    "noise.webm": lambda: b"\x1aE\xdf\xa3" + bytes(range(256)) * 500,
    "empty.mp3": lambda: b"",
}

KINDS: dict[str, FileKind] = {".pdf": "document", ".tiff": "document", ".heic": "document", ".tgs": "sticker"}
KINDS |= {".png": "photo", ".jpg": "photo", ".mp4": "video", ".avi": "video", ".webm": "video"}


@pytest.mark.parametrize("plugin", ["tags", "cover", "transcode", "text", "waveform", "whisper"])
def test_no_file_hurts(plugin: str, tmp_path: Path) -> None:
    items = []
    for name, make in HOSTILE.items():
        path = tmp_path / name
        path.write_bytes(make())
        # Also under a kind that is not its own: a message may call a file what it likes.
        kinds: tuple[FileKind, ...] = (KINDS.get(path.suffix, "audio"), "voice", "document", "video")
        items += [make_item(path, tmp_path / "work" / f"{name}-{kind}", kind=kind) for kind in dict.fromkeys(kinds)]
    assert {item.kind for item in items} <= set(get_args(FileKind))
    settings = {"whisper": {"model": str(tiny_en())}}
    trials = asyncio.run(try_plugins(PLUGINS / plugin, items, env=os.environ, settings=settings))
    for trial in trials:
        if trial.outcome == "failed":
            assert trial.detail.startswith(("not readable", "cannot be converted", "nothing in it")), trial
        assert len(trial.detail) < 50_000, trial.item
