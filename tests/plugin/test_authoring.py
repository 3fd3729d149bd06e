"""What helps an author: a plugin to start from, and a way to try it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.plugin.conftest import SAMPLES
from tobs.errors import ConfigError, PluginError, UsageError, VaultUnwritable
from tobs.plugin import Item
from tobs.plugin.scaffold import new_plugin
from tobs.plugin.testing import make_item as item_of
from tobs.plugin.testing import sample_messages, sample_notes, try_plugins

MUSIC = Path(__file__).parents[1] / "data" / "music"


def test_a_new_plugin_passes_its_own_test(tmp_path: Path) -> None:
    _, test = new_plugin(tmp_path / "plugins", "file-size")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(test)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in ran.stdout, ran.stdout


async def test_a_new_plugin_can_be_tried_at_once(tmp_path: Path) -> None:
    plugin, _ = new_plugin(tmp_path, "file-size")
    song = item_of(MUSIC / "chimes.mp3", tmp_path / "work")
    (trial,) = await try_plugins(plugin.parent, [song], env=os.environ, settings={"file-size": {"unit": "MB"}})
    assert (trial.plugin, trial.item, trial.outcome) == ("file-size", "chimes.mp3", "result")
    assert msgspec.json.decode(trial.detail)["fields"] == {"file_size": "0.1 MB"}


@pytest.mark.parametrize("name", ["", "Word", "two words", "../evil", "a--b", "-a", "1st", "x" * 33])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="no name for a plugin"):
        new_plugin(tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        new_plugin(tmp_path, "mine")
    (tmp_path / "file").write_text("")
    with pytest.raises((UsageError, VaultUnwritable)):
        new_plugin(tmp_path / "file", "mine")


async def test_a_trial_tells_every_outcome(make_item: Callable[[str], Item], tmp_path: Path) -> None:
    one = tmp_path / "one.py"
    one.write_text((SAMPLES / "misbehaving.py").read_text().split("class Unstartable")[0])
    items = [make_item("fine"), make_item("raise"), make_item(""), item_of(MUSIC / "chimes.flac", tmp_path)]
    trials = await try_plugins(one, items, env=os.environ)
    assert [(trial.plugin, trial.outcome) for trial in trials] == [
        ("quiet", "result"),
        ("quiet", "result"),
        ("quiet", "kept"),
        ("quiet", "not handled"),
        ("bad", "result"),
        ("bad", "failed"),
        ("bad", "failed"),
        ("bad", "not handled"),
    ]
    assert trials[5].detail == "RuntimeError: the moon is wrong"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1 / 0", "cannot be loaded: ZeroDivisionError"),
        ("x = 1", "defines no plugin"),
        ("from tobs.plugin import *\nclass A(Plugin[NoConfig]): name = 'a'", "declared wrongly: it has no version"),
    ],
)
async def test_a_plugin_that_cannot_be_tried_says_why(tmp_path: Path, source: str, reason: str) -> None:
    path = tmp_path / f"broken{len(source)}.py"
    path.write_text(source)
    with pytest.raises(PluginError, match=reason):
        await try_plugins(path, [], env=os.environ)


async def test_a_wrong_option_is_told_in_a_trial(tmp_path: Path) -> None:
    plugin, _ = new_plugin(tmp_path, "wrong-option")
    with pytest.raises(ConfigError, match=r"unti is no option \(did you mean unit\?\)"):
        await try_plugins(plugin.parent, [], env=os.environ, settings={"wrong-option": {"unti": "MB"}})


HERALD = {"herald": {"log": "not written to"}}


async def test_a_plugin_that_is_asked_about_messages_is_tried_on_some() -> None:
    items = [*sample_messages(), *sample_notes()]
    trials = await try_plugins(SAMPLES / "hooks.py", items, env=os.environ, settings=HERALD)
    names = ("reader", "teller", "finisher")
    read, told, finished = [[one for one in trials if one.plugin == name] for name in names]
    assert [trial.outcome for trial in read] == ["result", "result", "result", "kept", "result"]
    assert [(one.item, one.outcome) for one in told] == [("messages of a run", "result")]
    assert [one.outcome for one in finished] == ["result", "result", "failed", "result"]
    assert finished[2].detail == "changed the ids of blocks, which links lead to", "it writes all in capitals"
    assert finished[0].item == "note of a message: Good morning, the lift is mended. #news"
    assert '"words":7' in trials[0].detail
    link = sample_messages()[1].message
    assert link.text[link.entities[0].offset :] == "page" and link.entities[0].url == "https://example.com/page"
