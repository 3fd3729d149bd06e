"""The plugin ``cover`` on real songs and films, and on what only pretends to be one."""

from __future__ import annotations

import base64
import hashlib
import os
import struct
import zlib
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import av
import pytest
from mutagen.apev2 import APEv2, APEv2File, APEValue
from mutagen.asf import ASFByteArrayAttribute
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3
from mutagen.oggopus import OggOpus
from PIL import Image

from tobs.plugin import Result, Unreadable
from tobs.plugin.testing import make_item, try_plugins
from tobs.sandbox.worlds.demo.assets import DATA
from tobs_plugins.cover import Cover, CoverConfig
from tobs_plugins.cover.embedded import _pictures, embedded_pictures

MUSIC = Path(__file__).parents[1] / "data" / "music"
FILMS = DATA / "video"
PLUGIN = Path(__file__).parents[2] / "plugins" / "tobs_plugins" / "cover"


def cover(path: Path, tmp_path: Path, *, kind: str | None = None, **options: object) -> Result | None:
    item = make_item(path, tmp_path / "work", kind=kind)  # type: ignore[arg-type]
    return Cover(CoverConfig(**options)).process(item)  # type: ignore[arg-type]


def opened(result: Result | None) -> Image.Image:
    """The picture that was made."""
    assert result is not None
    return Image.open(BytesIO(result.files[0].path.read_bytes()))


def picture(colour: str, size: tuple[int, int] = (30, 20), form: str = "PNG") -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, form)
    return out.getvalue()


def copy(tmp_path: Path, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes((MUSIC / name).read_bytes())
    return path


def test_every_format_has_the_same_cover(tmp_path: Path) -> None:
    covers = set()
    for name in ("chimes.mp3", "chimes.flac", "chimes.opus", "chimes.m4a"):
        result = cover(MUSIC / name, tmp_path)
        assert result is not None and result.files[0].role == "cover", name
        covers.add(hashlib.sha256(result.files[0].path.read_bytes()).hexdigest())
        assert opened(result).size == (256, 256)
    assert len(covers) == 1, "the bytes are taken out as they are"


def test_a_voice_recording_has_no_cover(tmp_path: Path) -> None:
    voice = next((MUSIC.parent / "voice").glob("*.oga"))
    assert cover(voice, tmp_path, kind="audio") is None


def test_the_front_cover_comes_before_other_pictures(tmp_path: Path) -> None:
    path = copy(tmp_path, "chimes.mp3")
    tags = ID3(path)
    tags.delall("APIC")
    tags.add(APIC(mime="image/png", type=4, desc="back", data=picture("red")))
    tags.add(APIC(mime="image/png", type=3, desc="front", data=picture("blue")))
    tags.save(path)
    assert embedded_pictures(path) == [picture("blue"), picture("red")]


def test_pictures_of_ape_and_windows_media_are_found(tmp_path: Path) -> None:
    path = copy(tmp_path, "chimes.mp3")
    ID3(path).delete(path)
    tags = APEv2()
    tags["Cover Art (Front)"] = APEValue(b"front.png\0" + picture("red"), 1)
    tags.save(path)
    assert list(_pictures(APEv2File(path))) == [(3, picture("red"))]
    body = bytes([3]) + struct.pack("<I", 9) + "image/png\0".encode("utf-16-le") + b"\0\0" + picture("blue")
    windows = SimpleNamespace(tags={"WM/Picture": [ASFByteArrayAttribute(body)]})
    assert list(_pictures(windows)) == [(3, picture("blue"))]


def test_a_broken_picture_gives_way_to_the_next(tmp_path: Path) -> None:
    path = copy(tmp_path, "chimes.opus")
    good = Picture()
    good.type, good.mime, good.data = 0, "image/png", picture("green")
    bad = Picture()
    bad.type, bad.mime, bad.data = 3, "image/png", picture("green")[:40]
    file = OggOpus(path)
    file["metadata_block_picture"] = [
        "%%%",
        base64.b64encode(b"\0" * 9).decode(),
        *(base64.b64encode(each.write()).decode() for each in (bad, good)),
    ]
    file.save()
    result = cover(path, tmp_path)
    assert result is not None and result.files[0].path.read_bytes() == picture("green")


@pytest.mark.parametrize("form", ["BMP", "TIFF"])
def test_what_obsidian_cannot_show_becomes_a_jpeg(tmp_path: Path, form: str) -> None:
    path = copy(tmp_path, "chimes.flac")
    file, image = FLAC(path), Picture()
    file.clear_pictures()
    image.type, image.mime, image.data = 3, "image/x", picture("green", form=form)
    file.add_picture(image)
    file.save()
    result = cover(path, tmp_path)
    assert opened(result).format == "JPEG"
    assert result is not None and result.files[0].path.suffix == ".jpg"


def test_a_large_picture_is_made_smaller(tmp_path: Path) -> None:
    result = cover(MUSIC / "chimes.mp3", tmp_path, max_side=100)
    assert opened(result).size == (100, 100)


def bomb() -> bytes:
    """A PNG that says it has 3.6 thousand million pixels, in 200 bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


def test_a_picture_that_would_fill_the_memory_is_left_out(tmp_path: Path) -> None:
    path = copy(tmp_path, "chimes.mp3")
    tags = ID3(path)
    tags.delall("APIC")
    tags.add(APIC(mime="image/png", type=3, desc="", data=bomb()))
    tags.save(path)
    assert cover(path, tmp_path) is None


@pytest.mark.parametrize("name", ["dial.mp4", "lamps.mp4", "wires.mp4"])
def test_a_film_has_a_thumbnail_that_shows_something(tmp_path: Path, name: str) -> None:
    result = cover(FILMS / name, tmp_path)
    assert result is not None and result.files[0].role == "thumbnail"
    image = opened(result)
    with av.open(str(FILMS / name)) as film:
        assert image.size == (film.streams.video[0].width, film.streams.video[0].height)
    low, high = image.convert("L").getextrema()
    assert high - low > 60


def film(path: Path, colours: list[str], rate: int = 5) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for colour in colours:
            image = Image.new("RGB", (64, 48), colour)
            if colour != "black":
                image.paste("white", (0, 0, 32, 48))
            for packet in stream.encode(av.VideoFrame.from_image(image)):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)
    return path


def test_a_film_that_begins_in_the_dark_is_shown_where_it_is_light(tmp_path: Path) -> None:
    result = cover(film(tmp_path / "a.mp4", ["black"] * 20 + ["red"] * 20), tmp_path)
    assert opened(result).convert("L").getextrema()[1] > 200
    dark = cover(film(tmp_path / "b.mp4", ["black"] * 4), tmp_path)
    assert dark is not None, "a dark thumbnail is better than none"


def test_videos_can_be_left_out_and_a_film_without_pictures_has_none(tmp_path: Path) -> None:
    without = cover(FILMS / "dial.mp4", tmp_path, videos=False)
    assert without is not None and without.files == () and without.plays == 3.0
    assert cover(MUSIC / "chimes.flac", tmp_path, kind="video") is None, "a cover is a film only to a decoder"
    assert cover(next((MUSIC.parent / "voice").glob("*.oga")), tmp_path, kind="video") is None


@pytest.mark.parametrize("kind", ["video", "round", "gif"])
def test_how_long_a_film_plays_is_measured_by_what_is_in_it(tmp_path: Path, kind: str) -> None:
    whole = cover(FILMS / "wires.mp4", tmp_path, kind=kind)
    assert whole is not None and whole.plays == 4.0 and bool(whole.files) == (kind == "video")
    data = (FILMS / "wires.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) * 3 // 4])
    with av.open(str(cut)) as film:
        assert film.duration == 4_000_000, "its head says that nothing is missing"
    result = cover(cut, tmp_path, kind=kind)
    assert result is not None and 0 < result.plays < 3.0


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_a_broken_file_is_unreadable(tmp_path: Path, kind: str) -> None:
    for name, content in (
        ("a.mp4", b"no film" * 99),
        ("b.mp3", b""),
        ("c.mp4", (FILMS / "dial.mp4").read_bytes()[:400]),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        if (name, kind) == ("a.mp4", "audio"):  # a format without pictures, for all that mutagen knows
            assert cover(path, tmp_path, kind=kind) is None
            continue
        with pytest.raises(Unreadable, match="not readable as"):
            cover(path, tmp_path, kind=kind)


async def test_it_works_within_the_limits_of_a_worker(tmp_path: Path) -> None:
    items = [make_item(path, tmp_path / path.name) for path in (MUSIC / "chimes.mp3", *sorted(FILMS.glob("*.mp4")))]
    trials = await try_plugins(PLUGIN, items, env=os.environ)
    assert [trial.outcome for trial in trials] == ["result"] * 4, trials
