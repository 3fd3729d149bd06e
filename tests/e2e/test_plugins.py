"""Plugins in the product: what they find stands in the notes, and the run report names those that did not run."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.harness import Served, stamps
from tests.e2e.test_login import on_a_terminal, read_until
from tobs.config import TrustStore

#: Tells something of every kind a result has, of papers, voice messages and music.
FINDER = """
from tobs.plugin import Item, NewFile, NoConfig, Plugin, Result, Section


class Finder(Plugin[NoConfig]):
    name = "find-er"
    version = "1"
    handles = frozenset({"document", "voice", "audio"})
    band = "describe"

    def process(self, item: Item) -> Result | None:
        picture = item.new_file("picture.svg")
        picture.write_text("<svg/>" + item.sha256)
        return Result(
            fields={"letters": 7},
            sections=(Section("Contents", "- told", folded=True), Section("Plain", "as it is")),
            tags=("found/here",),
            related=("Songs",),
            files=(NewFile(picture, "cover"),),
        )
"""

GLOOM = """
from tobs.plugin import Item, NoConfig, Plugin, Result


class Gloom(Plugin[NoConfig]):
    name = "gloom"
    version = "1"
    handles = frozenset({"photo"})

    def process(self, item: Item) -> Result | None:
        raise RuntimeError("no light")
"""


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    folder = tmp_path / "vault"
    (folder / ".tobs" / "plugins").mkdir(parents=True)
    return folder


def add_plugin(served: Served, vault: Path, name: str, source: str, *, trusted: bool = True) -> None:
    path = vault / ".tobs" / "plugins" / f"{name}.py"
    path.write_text(source)
    if trusted:
        TrustStore(served.home).add(path)


def note(vault: Path, pattern: str) -> str:
    (path,) = vault.glob(f"Telegram/{pattern}")
    return path.read_text(encoding="utf-8")


def test_what_plugins_find_stands_in_the_notes(serve: Serve, vault: Path) -> None:
    served = serve("demo")
    add_plugin(served, vault, "finder", FINDER)
    done = served.tobs("export", served.target, "--vault", str(vault), "--json")
    assert done.code == 0, done.stderr
    assert done.json["processors"]["find-er"]["done"] > 5

    paper = next(path for path in vault.glob("Telegram/*/20*/*/*.md") if "songs.txt]]" in path.read_text())
    text = paper.read_text(encoding="utf-8")
    assert "letters: 7\n" in text
    assert "tags:\n" in text and '  - "found/here"\n' in text
    assert 'related:\n  - "[[Songs]]"\n' in text
    assert "> [!quote]- Contents\n> - told" in text
    assert "### Plain\n\nas it is" in text
    assert list(vault.glob("Telegram/*/media/songs cover.svg"))

    song = note(vault, "Audio/Maxstack - Chimes They Fade.md")
    assert "chimes cover.jpg]]\n\n![[Telegram/" in song, "the cover stands before the player"
    assert "letters: 7\n" in song and '  - "found/here"\n' in song and "### Plain" in song

    # A voice message is its message: what is known of it stands there too.
    voice = next(path for path in vault.glob("Telegram/*/20*/*/*.md") if "voice message.ogg]]" in path.read_text())
    assert "> [!quote]- Contents" in voice.read_text(encoding="utf-8")

    before = stamps(vault)
    again = served.tobs("export", served.target, "--vault", str(vault), "--json")
    assert again.code == 0, again.stderr
    assert stamps(vault) == before


def test_plugins_that_did_not_run_are_named_in_the_report(serve: Serve, vault: Path) -> None:
    served = serve("demo")
    add_plugin(served, vault, "stranger", FINDER, trusted=False)
    add_plugin(served, vault, "torn", "1 / 0")
    add_plugin(served, vault, "gloom", GLOOM)
    done = served.tobs("export", served.target, "--vault", str(vault), "--json")
    assert done.code == 1, done.stderr
    idle = {plugin["name"]: plugin for plugin in done.json["plugins"]}
    assert idle["stranger"]["state"] == "untrusted"
    assert "tobs plugins trust stranger" in idle["stranger"]["reason"]
    assert idle["torn"] == {"name": "torn", "state": "broken", "reason": "ZeroDivisionError: division by zero"}
    assert idle["gloom"]["state"] == "switched off"
    problems = [(problem["what"], problem["item"]) for problem in done.json["problems"]]
    assert ("plugin", "torn") in problems and ("plugin", "gloom") in problems
    assert ("plugin", "stranger") not in problems, "not to run what nobody allowed is no fault"
    counts = done.json["processors"]["gloom"]
    assert counts["failed"] >= 5 and counts["skipped"] > 0
    assert done.json["messages"]["new"] > 100 and list(vault.glob("Telegram/*/20*/*/*.md"))


def test_a_variable_reaches_the_plugin_it_names(serve: Serve, vault: Path) -> None:
    served = serve("demo", login=False)
    refused = served.tobs("plugins", "list", "--vault", str(vault), TOBS_PLUGIN_TAGS_MAX_LENGTH="3")
    assert (refused.code, "max_length: expected int >= 10" in refused.stderr) == (2, True), refused.stderr
    unknown = served.tobs("plugins", "list", "--vault", str(vault), TOBS_PLUGIN_TAGS_LENGTH="30")
    assert (unknown.code, "TOBS_PLUGIN_TAGS_LENGTH names no option" in unknown.stderr) == (2, True), unknown.stderr
    assert served.tobs("plugins", "list", "--vault", str(vault), TOBS_PLUGIN_NOBODY_X="1").code == 0


def test_an_author_comes_from_nothing_to_a_plugin_that_runs(serve: Serve, vault: Path) -> None:
    served = serve("demo")
    at = ("--vault", str(vault), "--json")
    made = served.tobs("plugins", "new", "file-size", *at)
    assert made.code == 0, made.stderr
    folder = Path(made.json["plugin"]).parent
    assert folder == vault / ".tobs" / "plugins" / "file_size"

    tried = served.tobs("plugins", "test", str(folder), *at, TOBS_PLUGIN_FILE_SIZE_UNIT="MB")
    assert tried.code == 0, tried.stderr
    outcomes = {trial["item"]: trial for trial in tried.json["items"]}
    assert len(outcomes) == 11
    assert outcomes["chimes.mp3"]["outcome"] == "result" and "0.1 MB" in outcomes["chimes.mp3"]["detail"]
    assert outcomes["bell.webp"]["outcome"] == "not handled"

    assert served.tobs("plugins", "info", "file_size", *at).json["state"] == "untrusted"
    trusted = served.tobs("plugins", "trust", "file-size", *at)
    assert (trusted.code, trusted.json["path"]) == (0, str(folder)), trusted.stderr
    info = served.tobs("plugins", "info", "file-size", *at).json
    assert (info["state"], info["order"] > 0) == ("ready", True)
    assert info["options"][0]["name"] == "unit" and info["options"][0]["default"] == "kB"
    names = [plugin["name"] for plugin in served.tobs("plugins", "list", *at).json["items"]]
    assert "file-size" in names

    done = served.tobs("export", served.target, *at)
    assert done.code == 0, done.stderr
    assert done.json["processors"]["file-size"]["done"] > 5
    assert 'file_size: "' in note(vault, "Audio/Maxstack - Chimes They Fade.md")


def test_plugin_commands_say_what_is_wrong(serve: Serve, vault: Path) -> None:
    served = serve("demo", login=False)
    bad = vault.parent / "bad.py"
    bad.write_text(GLOOM)
    for arguments, code, words in (
        (("info", "tgas"), 2, "There is no plugin 'tgas'"),
        (("trust", "nobody"), 2, "The vault has no plugin 'nobody'"),
        (("new", "Two Words"), 2, "no name for a plugin"),
        (("test", str(vault / "absent.py")), 2, "does not exist"),
        (("test", str(bad), "--kind", "song"), 2, "Kinds are photo, video, round"),
        (("test", str(bad)), 1, ""),
    ):
        done = served.tobs("plugins", *arguments, "--vault", str(vault))
        assert (done.code, words in done.stderr) == (code, True), (arguments, done)
    assert "RuntimeError: no light" in done.stdout.replace("\n", "")
    (vault / ".tobs" / "plugins" / "link.py").symlink_to(bad)
    linked = served.tobs("plugins", "trust", "link", "--vault", str(vault))
    assert (linked.code, "holds a link" in linked.stderr) == (2, True), linked.stderr


#: Waits at its first item until another file has been fetched.
PATIENT = """
import time
from tobs.plugin import Item, NoConfig, Plugin, Result


class Patient(Plugin[NoConfig]):
    name = "patient"
    version = "1"
    handles = frozenset({"photo"})
    done = False

    def process(self, item: Item) -> Result | None:
        if self.done:
            return None
        self.done = True
        there = len(list(item.path.parent.glob("*.*")))
        deadline = time.monotonic() + 20
        while len(list(item.path.parent.glob("*.*"))) < there + 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        return Result(fields={"patience": time.monotonic() < deadline})
"""


def test_files_are_fetched_while_a_slow_plugin_works(serve: Serve, vault: Path) -> None:
    served = serve("demo", "--latency", "100")
    add_plugin(served, vault, "patient", PATIENT)
    # Others would take their time before it, while all files come.
    alone = {"TOBS_PLUGINS_OFF": "tags,cover,transcode,text,waveform", "TOBS_DOWNLOADS": "1"}
    done = served.tobs("export", served.target, "--vault", str(vault), "--json", **alone)
    assert done.code == 0, done.stderr
    notes = [path.read_text(encoding="utf-8") for path in vault.glob("Telegram/*/20*/*/*.md")]
    assert any("patience: true" in text for text in notes)


def test_a_plugin_of_the_vault_is_asked_about_on_a_terminal_again_when_it_changed(serve: Serve, vault: Path) -> None:
    served = serve("synthetic:messages=60,chats=1,media=0.4,seed=3")
    add_plugin(served, vault, "finder", FINDER, trusted=False)

    def run(*arguments: str, answer: bytes) -> None:
        with on_a_terminal(served, *arguments, "--vault", str(vault)) as (command, terminal):
            shown = read_until(terminal, "Let it run from now on?")
            assert "finder.py" in shown and "your rights" in shown
            os.write(terminal, answer)
            with suppress(OSError):  # that is how a terminal ends
                while os.read(terminal, 65536):
                    pass
            assert command.wait(30) == 0

    def found() -> bool:
        return any("letters: 7" in path.read_text(encoding="utf-8") for path in vault.glob("Telegram/**/*.md"))

    def states() -> list[str]:
        idle = served.tobs("process", "--vault", str(vault), "--json").json["plugins"]
        return [one["state"] for one in idle if one["name"] == "finder"]

    run("export", served.target, answer=b"\n")
    assert not found(), "no is meant by saying nothing"
    run("process", answer=b"y\n")
    assert found()
    assert states() == []
    add_plugin(served, vault, "finder", FINDER.replace("letters", "signs"), trusted=False)
    run("process", answer=b"n\n")
    assert states() == ["untrusted"]
    assert not any("signs: 7" in path.read_text(encoding="utf-8") for path in vault.glob("Telegram/**/*.md"))
