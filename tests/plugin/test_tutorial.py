"""The tutorial for plugin authors is true: each of its steps is done here, in its order, with its words."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.weights import tiny_en
from tests.plugin.words import word_errors
from tobs.plugin.catalogue import VaultPlugins, load_plugins
from tobs.plugin.scaffold import new_plugin
from tobs.plugin.testing import Trial, make_item, try_plugins

PAGE = (Path(__file__).parents[2] / "docs" / "plugin" / "tutorial.md").read_text(encoding="utf-8")
MEASURES, LISTENS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
VOICE = Path(__file__).parents[1] / "data" / "voice"
DIAL = Path(__file__).parents[2] / "tobs" / "sandbox" / "worlds" / "demo" / "data" / "video" / "dial.mp4"
SETTINGS = {"my-words": {"model": str(tiny_en())}}


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """What `tobs plugins new my-words` writes."""
    made, _ = new_plugin(tmp_path / "plugins", "my-words")
    return made


def tried(plugin: Path, source: str, tmp_path: Path, *paths: Path) -> list[Trial]:
    plugin.write_text(source)
    items = [make_item(path, tmp_path / f"work-{path.name}", kind="voice") for path in paths]
    settings = SETTINGS if source is LISTENS else {}
    return asyncio.run(try_plugins(plugin.parent, items, env=os.environ, settings=settings))


def test_the_second_step_measures(plugin: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.oga"
    broken.write_bytes(b"nothing")
    good, bad = tried(plugin, MEASURES, tmp_path, VOICE / "demo-nogo.oga", broken)
    assert json.loads(good.detail)["fields"] == {"voice_seconds": 11}
    assert bad.outcome == "failed" and bad.detail.startswith("no sound")


def test_the_third_step_listens(plugin: Path, tmp_path: Path) -> None:
    trial, silent = tried(plugin, LISTENS, tmp_path, VOICE / "tt-allbusy.oga", DIAL)
    result = json.loads(trial.detail)
    said = {voice["file"]: voice["text"] for voice in json.loads((VOICE / "transcripts.json").read_text())}
    assert word_errors(said["tt-allbusy.oga"], result["sections"][0]["text"]) <= 2
    assert silent.outcome == "kept", "the demo has a video message without sound"
    assert result["fields"] == {"transcript_language": "en"} and len(result["sections"][1]["passages"]) == 2


def test_without_its_model_it_says_what_is_missing(plugin: Path, tmp_path: Path) -> None:
    plugin.write_text(LISTENS)
    vault = VaultPlugins(plugin.parents[1], tmp_path / "private", lambda _: True)
    (info,) = [each for each in load_plugins(vault=vault).plugins if each.name == "my-words"]
    assert (info.state, info.reason) == (
        "missing",
        "a model is missing; name its folder: model, under [plugins.my-words]",
    )
    (ready,) = [each for each in load_plugins(vault=vault, settings=SETTINGS).plugins if each.name == "my-words"]
    assert (ready.state, [option.name for option in ready.options]) == ("ready", ["model", "language", "threads"])


def test_the_test_of_the_fourth_step_passes(plugin: Path) -> None:
    (test,) = re.findall(r"```py\n(.*?)```", PAGE, re.DOTALL)
    plugin.write_text(LISTENS)
    (plugin.parent / "test_my_words.py").write_text(test)
    shutil.copyfile(VOICE / "auth-incorrect.oga", plugin.parent / "hello.oga")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", "."]
    env = os.environ | {"MY_MODEL": str(tiny_en())}
    ran = subprocess.run(command, cwd=plugin.parent, env=env, capture_output=True, text=True, check=False)
    assert "2 passed" in ran.stdout, ran.stdout
