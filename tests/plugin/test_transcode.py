"""The plugin ``transcode`` on files made here in the formats people send, and on broken ones."""

from __future__ import annotations

import gzip
import json
import math
import os
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from tobs.plugin import FileKind, Unreadable
from tobs.plugin.testing import make_item, try_plugins
from tobs_plugins.transcode import Transcode, TranscodeConfig
from tobs_plugins.transcode.remake import film_encoder

DATA = Path(__file__).parents[1] / "data"
DEMO = Path(__file__).parents[2] / "tobs" / "sandbox" / "worlds" / "demo" / "data"
PLUGIN = Path(__file__).parents[2] / "plugins" / "tobs_plugins" / "transcode"
TOLD = {"title": "Relays", "artist": "Anna"}


def add_sound(made: av.container.OutputContainer, codec: str, rate: int) -> Callable[[], None]:
    """A tone of two seconds, written when the returned function is called."""
    stream = made.add_stream(codec, rate=rate)
    assert isinstance(stream, av.AudioStream)
    stream.layout = "mono"
    if codec == "wmav2":
        stream.bit_rate = 64_000

    def write() -> None:
        wave = [round(12000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(2 * rate)]
        for at in range(0, len(wave), rate // 50):
            frame = av.AudioFrame.from_ndarray(np.array([wave[at : at + rate // 50]], dtype=np.int16), "s16", "mono")
            frame.sample_rate = rate
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))

    return write


def add_film(made: av.container.OutputContainer, codec: str) -> Callable[[], None]:
    """Two seconds of 10 frames: the upper half is white, the lower one black."""
    stream = made.add_stream(codec, rate=10)
    assert isinstance(stream, av.VideoStream)
    stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
    stream.codec_context.time_base = Fraction(1, 10)

    def write() -> None:
        picture = np.zeros((90, 160, 3), dtype=np.uint8)
        picture[:45] = 255
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts = number
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))

    return write


def media(path: Path, *, film: str = "", sound: str = "", rate: int = 8000, form: str | None = None) -> Path:
    with av.open(str(path), "w", format=form) as made:
        made.metadata.update(TOLD)
        writers = [add_film(made, film)] if film else []
        writers += [add_sound(made, sound, rate)] if sound else []
        for write in writers:
            write()
    return path


def transcode(path: Path, tmp_path: Path, kind: FileKind = "document", mime: str = "", **options: Any) -> Path | None:
    item = make_item(path, tmp_path / "work", kind=kind)
    before = path.read_bytes()
    result = Transcode(TranscodeConfig(**options)).process(item)
    assert path.read_bytes() == before, "the original stays as it is"
    return result.replacement if result else None


def heard(path: Path) -> tuple[str, float, float]:
    """(codec, seconds, root mean square) of what is in a file."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler("flt", "mono", 8000)
        parts = [p.to_ndarray().reshape(-1) for f in [*container.decode(stream), None] for p in resampler.resample(f)]
        samples = np.concatenate(parts)
        return stream.codec_context.codec.canonical_name, len(samples) / 8000, float(np.sqrt((samples**2).mean()))


def seen(path: Path) -> tuple[str, int, Image.Image]:
    """(codec, number of frames, the fifth one) of a film."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        return stream.codec_context.codec.canonical_name, len(frames), frames[4].to_image()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("name", "codec", "form", "rate", "becomes"),
    [
        ("note.amr", "libopencore_amrnb", "amr", 8000, ("converted.mp3", "mp3")),
        ("song.wma", "wmav2", "asf", 44100, ("converted.mp3", "mp3")),
        ("song.aif", "pcm_s16be", "aiff", 22050, ("converted.mp3", "mp3")),
        ("old.wav", "adpcm_ms", "wav", 8000, ("converted.mp3", "mp3")),
        ("song.aac", "aac", "adts", 44100, ("converted.m4a", "aac")),
        ("song.mka", "libmp3lame", "matroska", 44100, ("converted.mp3", "mp3")),
    ],
)
def test_sound_that_is_not_played_becomes_one_that_is(
    tmp_path: Path, name: str, codec: str, form: str, rate: int, becomes: tuple[str, str]
) -> None:
    made = transcode(media(tmp_path / name, sound=codec, rate=rate, form=form), tmp_path)
    assert made is not None
    found, seconds, loudness = heard(made)
    assert (made.name, found) == becomes
    assert seconds == pytest.approx(2.0, abs=0.2) and loudness == pytest.approx(0.26, abs=0.1)


def test_what_a_song_says_about_itself_is_kept(tmp_path: Path) -> None:
    made = transcode(media(tmp_path / "song.wma", sound="wmav2", rate=44100, form="asf"), tmp_path, kind="audio")
    assert made is not None
    with av.open(str(made)) as container:
        assert {name.lower(): text for name, text in container.metadata.items()}.items() >= TOLD.items()


@pytest.mark.parametrize(("name", "film", "sound"), [("a.avi", "mpeg4", "libmp3lame"), ("a.wmv", "wmv2", "wmav2")])
def test_a_film_becomes_one_that_is_played(tmp_path: Path, name: str, film: str, sound: str) -> None:
    made = transcode(media(tmp_path / name, film=film, sound=sound, rate=44100), tmp_path, kind="video")
    assert made is not None and made.name == "converted.mp4"
    codec, count, frame = seen(made)
    assert (codec, count, frame.size) == ("h264", 20, (160, 90))
    assert frame.convert("L").getpixel((80, 10)) > 200 > 50 > frame.convert("L").getpixel((80, 80))  # type: ignore[operator]
    assert heard(made)[0] in ("mp3", "aac") and heard(made)[1] == pytest.approx(2.0, abs=0.2)


def test_what_is_only_wrapped_wrongly_is_not_computed_anew(tmp_path: Path) -> None:
    source = media(tmp_path / "a.ts", film="libx264", sound="aac", rate=44100, form="mpegts")
    made = transcode(source, tmp_path, kind="video")
    assert made is not None and made.suffix == ".mp4"
    with av.open(str(source)) as before, av.open(str(made)) as after:
        sizes = [sum(p.size for p in c.demux(c.streams.video[0]) if p.dts is not None) for c in (before, after)]
    # Start codes of MPEG-TS become lengths of MP4; pictures stay what they were.
    assert sizes[1] == pytest.approx(sizes[0], rel=0.2) and seen(made)[:2] == ("h264", 20)


def test_a_film_is_turned_as_the_camera_was_held(tmp_path: Path) -> None:
    path = media(tmp_path / "a.mp4", film="mpeg4")
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 44  # the matrix, ISO/IEC 14496-12, 8.3.2: a quarter turn clockwise
    content[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    made = transcode(path, tmp_path, kind="video")
    assert made is not None
    _, count, frame = seen(made)
    assert (count, frame.size) == (20, (90, 160))
    # The upper half is on the right now.
    assert frame.convert("L").getpixel((80, 80)) > 200 > 50 > frame.convert("L").getpixel((10, 80))  # type: ignore[operator]


def test_what_is_played_stays_as_it_is(tmp_path: Path) -> None:
    paths = [*(DATA / "music").glob("chimes.*"), *(DATA / "voice").glob("*.oga"), *(DEMO / "video").glob("*.mp4")]
    paths += [media(tmp_path / "a.mkv", film="libx264", sound="aac", rate=44100)]
    paths += [*(DEMO / "files").iterdir(), *(DEMO / "stickers").iterdir()]
    assert len(paths) > 15
    assert {transcode(path, tmp_path) for path in paths} == {None}


def test_what_is_not_wanted_stays_as_it_is(tmp_path: Path) -> None:
    sound = media(tmp_path / "note.amr", sound="libopencore_amrnb", form="amr")
    film = media(tmp_path / "a.avi", film="mpeg4")
    sticker = tmp_path / "a.tgs"
    sticker.write_bytes(b"")
    assert transcode(sound, tmp_path, sounds=False) is transcode(film, tmp_path, videos=False) is None
    assert transcode(sticker, tmp_path, stickers=False) is None


def test_a_photo_of_a_phone_becomes_one_that_is_shown(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: a quarter turn
    with Image.open(DEMO / "photos" / "cake.jpg") as photo:
        size = photo.size
        pillow_heif.from_pillow(photo).save(tmp_path / "IMG_1.HEIC", quality=60)
        photo.save(tmp_path / "scan.tiff", exif=exif)
    for name, expected in (("IMG_1.HEIC", size), ("scan.tiff", size[::-1])):
        made = transcode(tmp_path / name, tmp_path)
        assert made is not None
        with Image.open(made) as shown:
            assert (shown.format, shown.size, dict(shown.getexif())) == ("JPEG", expected, {})


def lottie(path: Path, **changes: object) -> Path:
    """A red square that moves across a sticker of one second, as Telegram's editor would write it."""
    evenly = {"i": {"x": 1, "y": 1}, "o": {"x": 0, "y": 0}}
    start = {"t": 0, "s": [0, 256, 0], "e": [512, 256, 0]} | evenly
    moves = {"a": 1, "k": [start, {"t": 60, "s": [512, 256, 0]}]}
    square = [
        {"ty": "rc", "p": {"a": 0, "k": [0, 0]}, "s": {"a": 0, "k": [200, 200]}, "r": {"a": 0, "k": 0}},
        {"ty": "fl", "c": {"a": 0, "k": [1, 0, 0, 1]}, "o": {"a": 0, "k": 100}},
        {"ty": "tr", "p": {"a": 0, "k": [0, 0]}, "s": {"a": 0, "k": [100, 100]}, "o": {"a": 0, "k": 100}},
    ]
    layer = {"ty": 4, "ip": 0, "op": 60, "st": 0, "ks": {"p": moves}, "shapes": [{"ty": "gr", "it": square}]}
    drawing = {"tgs": 1, "v": "5.5.2", "fr": 60, "ip": 0, "op": 60, "w": 512, "h": 512, "layers": [layer]} | changes
    path.write_bytes(gzip.compress(json.dumps(drawing).encode()))
    return path


def test_an_animated_sticker_becomes_a_moving_picture(tmp_path: Path) -> None:
    made = transcode(lottie(tmp_path / "a.tgs"), tmp_path, kind="sticker", sticker_side=128)
    assert made is not None and made.name == "sticker.webp"
    with Image.open(made) as moving:
        assert (moving.n_frames, moving.size) == (31, (128, 128))  # type: ignore[attr-defined]
        reds = []
        for number in (0, 15, 30):
            moving.seek(number)
            pixels = np.asarray(moving.convert("RGBA"))
            reds.append(float(np.argwhere(pixels[..., 3] > 128)[:, 1].mean()))
        assert reds == sorted(reds) and reds[0] < 30 < 60 < reds[1] < 70 < 100 < reds[2]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.amr", b"#!AMR\n"),
        ("a.wma", b"no sound" * 100),
        ("a.avi", b"RIFF" + b"\0" * 400),
        ("a.heic", b"\0\0\0\x18ftypheic" + b"\0" * 100),
        ("a.tiff", b"II*\0" + b"\xff" * 100),
        ("a.tgs", b"no gzip"),
        ("a.tgs", gzip.compress(b"no drawing")),
        ("a.tgs", gzip.compress(b"{" + b" " * 9_000_000)),  # a bomb: 9 kB that unpack to 9 MB
        ("a.tgs", gzip.compress(b"{}")),
    ],
    # What gzip makes has the time in it, and a name of a test must not.
    ids=["amr", "wma", "avi", "heic", "tiff", "no gzip", "no drawing", "bomb", "empty drawing"],
)
def test_a_broken_file_is_unreadable(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Unreadable):
        transcode(path, tmp_path, kind="sticker" if name == "a.tgs" else "audio")


def test_of_a_film_that_was_cut_short_the_rest_is_kept(tmp_path: Path) -> None:
    path = media(tmp_path / "a.avi", film="mpeg4", sound="libmp3lame", rate=44100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    made = transcode(path, tmp_path, kind="video")
    assert made is not None and 5 < seen(made)[1] < 20


def test_a_long_film_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as made:
        stream = made.add_stream("mpeg4", rate=1)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        for number in range(70):
            frame = av.VideoFrame(16, 16, "yuv420p")
            frame.pts = number
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    assert transcode(path, tmp_path, max_minutes=1) is None
    assert transcode(path, tmp_path, max_minutes=2) is not None


def test_where_the_graphics_card_cannot_the_software_does_it(tmp_path: Path) -> None:
    # Whatever this machine has: what is chosen works.
    assert film_encoder(hardware=False) == "libx264"
    assert film_encoder(hardware=True) in ("libx264", "h264_vaapi")
    made = transcode(media(tmp_path / "a.avi", film="mpeg4"), tmp_path, kind="video", hardware=True)
    assert made is not None and seen(made)[0] == "h264"


def test_packages_that_are_not_there_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = {"pillow_heif", "rlottie_python"}
    monkeypatch.setattr("tobs_plugins.transcode.plugin.find_spec", lambda name: None if name in gone else object())
    missing = Transcode(TranscodeConfig()).available()
    assert missing is not None and missing.what == "the package pillow-heif"
    assert missing.install == "pip install pillow-heif rlottie-python"
    assert Transcode(TranscodeConfig(photos=False, stickers=False)).available() is None


async def test_it_works_within_the_limits_of_a_worker(tmp_path: Path) -> None:
    amr = media(tmp_path / "note.amr", sound="libopencore_amrnb", form="amr")
    paths = [
        (amr, "audio"),
        (media(tmp_path / "a.avi", film="mpeg4"), "video"),
        (lottie(tmp_path / "a.tgs"), "sticker"),
    ]
    items = [make_item(path, tmp_path / f"work-{path.name}", kind=kind) for path, kind in paths]  # type: ignore[arg-type]
    trials = await try_plugins(PLUGIN, items, env=os.environ)
    assert {trial.outcome for trial in trials} == {"result"}, trials
