"""The plugin ``waveform`` on real recordings, made ones, and broken ones."""

from __future__ import annotations

import math
import os
import re
import wave
from array import array
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tobs.plugin import Result, Unreadable
from tobs.plugin.testing import make_item, try_plugins
from tobs_plugins.waveform import Waveform, WaveformConfig

DATA = Path(__file__).parents[1] / "data"
MUSIC = DATA / "music"
PLUGIN = Path(__file__).parents[2] / "plugins" / "tobs_plugins" / "waveform"


def waveform(path: Path, tmp_path: Path, **options: object) -> Result | None:
    item = make_item(path, tmp_path / "work", kind="audio")
    return Waveform(WaveformConfig(**options)).process(item)  # type: ignore[arg-type]


def bars(result: Result | None) -> list[int]:
    """Heights of the bars in the picture."""
    assert result is not None and [file.role for file in result.files] == ["waveform"]
    picture = ElementTree.fromstring(result.files[0].path.read_text())
    (path,) = picture
    return [int(height) for height in re.findall(r"v(\d+)", path.attrib["d"])]


def tone(path: Path, loudness: list[float], *, rate: int = 16000, channels: int = 1) -> Path:
    """A tone of 440 Hz; each number is the amplitude (0 to 1) of half a second."""
    samples = array("h")
    for part, amplitude in enumerate(loudness):
        for n in range(rate // 2):
            value = round(32767 * amplitude * math.sin(2 * math.pi * 440 * (part * rate // 2 + n) / rate))
            samples.extend([value] * channels)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return path


def test_every_format_of_a_song_looks_and_sounds_the_same(tmp_path: Path) -> None:
    heard, looks = [], []
    for name in ("chimes.flac", "chimes.mp3", "chimes.opus", "chimes.m4a"):
        result = waveform(MUSIC / name, tmp_path)
        looks.append(bars(result))
        assert result is not None
        heard.append(result.fields)
    for fields, look in zip(heard, looks, strict=True):
        assert fields["duration"] == pytest.approx(8.0, abs=0.15)
        assert fields["loudness"] == pytest.approx(heard[0]["loudness"], abs=0.5)
        assert len(look) == 100 and max(look) == 58
        # Coders change samples and shift them a little, not the shape.
        assert sum(abs(a - b) for a, b in zip(look, looks[0], strict=True)) / 100 < 8


def test_a_tone_is_as_loud_as_it_was_made(tmp_path: Path) -> None:
    # A sine of full scale in both channels has 0 LUFS at 1 kHz by definition, at 440 Hz a little less.
    full = waveform(tone(tmp_path / "a.wav", [1.0] * 6, channels=2, rate=48000), tmp_path)
    half = waveform(tone(tmp_path / "b.wav", [0.5] * 6, channels=2, rate=48000), tmp_path)
    assert full is not None and half is not None
    assert full.fields["loudness"] == pytest.approx(-0.6, abs=0.4)
    assert float(str(full.fields["loudness"])) - float(str(half.fields["loudness"])) == pytest.approx(6.0, abs=0.1)
    assert full.fields["duration"] == 3.0


def test_the_picture_follows_the_sound(tmp_path: Path) -> None:
    result = waveform(tone(tmp_path / "a.wav", [1.0, 0.5, 0.0, 0.25]), tmp_path, bars=20)
    look = bars(result)
    assert len(look) == 20
    assert [look[n] for n in (2, 7, 12, 17)] == pytest.approx([58, 29, 1, 15], abs=1)


def test_silence_has_a_flat_picture_and_no_loudness(tmp_path: Path) -> None:
    result = waveform(tone(tmp_path / "a.wav", [0.0] * 4), tmp_path)
    assert bars(result) == [1] * 100
    assert result is not None and result.fields == {"duration": 2.0}


def test_less_sound_than_bars_is_drawn_all_the_same(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", [0.5], rate=100)
    assert len(bars(waveform(path, tmp_path, bars=500))) == 500


def test_a_recording_that_is_too_long_is_left_alone(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", [0.1] * 130, rate=8000)
    assert waveform(path, tmp_path, max_minutes=1) is None
    assert waveform(path, tmp_path, max_minutes=2) is not None


def test_of_a_file_that_was_cut_short_the_rest_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "cut.oga"
    whole = (DATA / "voice" / "vm-instructions.oga").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    cut, full = waveform(path, tmp_path), waveform(DATA / "voice" / "vm-instructions.oga", tmp_path)
    assert cut is not None and full is not None and len(bars(cut)) == 100
    assert 0.3 < float(str(cut.fields["duration"])) / float(str(full.fields["duration"])) < 0.7


def test_damage_in_the_middle_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "two.mp3"
    # The second song begins with a tag and a picture, which are no sound.
    path.write_bytes((MUSIC / "chimes.mp3").read_bytes() * 2)
    result = waveform(path, tmp_path)
    assert result is not None and result.fields["duration"] == pytest.approx(16.0, abs=0.3)


@pytest.mark.parametrize("content", [b"", b"no sound" * 50, b"OggS" + b"\0" * 400, b"\xff\xfb\x90\x64" * 3])
def test_a_broken_file_is_unreadable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match="not readable as audio"):
        waveform(path, tmp_path)


@pytest.mark.parametrize("colour", ['red"/><script>', "url(x)", ""])
def test_a_colour_that_is_none_is_refused(colour: str) -> None:
    from tobs.errors import ConfigError
    from tobs.plugin.configuration import read_config

    with pytest.raises(ConfigError, match="colour"):
        read_config("waveform", WaveformConfig, {"colour": colour})


async def test_it_works_within_the_limits_of_a_worker(tmp_path: Path) -> None:
    paths = [MUSIC / "chimes.mp3", *sorted((DATA / "voice").glob("*.oga"))]
    kinds = ["audio"] + ["voice"] * (len(paths) - 1)
    items = [make_item(p, tmp_path / p.name, kind=k) for p, k in zip(paths, kinds, strict=True)]  # type: ignore[arg-type]
    trials = await try_plugins(PLUGIN, items, env=os.environ)
    assert {trial.outcome for trial in trials} == {"result"}, trials
