"""``tobs process``: a new plugin, a changed one, files that failed: done without fetching what is here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.harness import Done, Served, stamps, tree
from tests.e2e.test_plugins import FINDER, GLOOM, add_plugin

WORLD = "synthetic:messages=120,chats=1,media=0.3,seed=11"

#: Writes down what it worked on.
COUNTING = """
from pathlib import Path
from msgspec import Struct
from tobs.plugin import Item, Plugin, Result


class Config(Struct, frozen=True):
    log: str
    word: str = "one"


class Counting(Plugin[Config]):
    name = "counting"
    version = "1"
    opt_in = True
    handles = frozenset({"photo", "voice", "audio", "document"})

    def process(self, item: Item) -> Result | None:
        with Path(self.config.log).open("a") as log:
            log.write(item.sha256 + "\\n")
        return Result(fields={"counted": self.config.word})
"""


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    folder = tmp_path / "vault"
    (folder / ".tobs" / "plugins").mkdir(parents=True)
    return folder


def process(served: Served, vault: Path, *more: str, **env: str) -> Done:
    return served.tobs("process", *more, "--vault", str(vault), "--json", **env)


def test_a_new_plugin_works_on_what_is_here_and_telegram_is_not_asked(serve: Serve, vault: Path) -> None:
    served = serve("demo")
    assert served.tobs("export", served.target, "--vault", str(vault)).code == 0
    asked = len(served.log())
    add_plugin(served, vault, "finder", FINDER)
    done = process(served, vault)
    assert done.code == 0, done.stderr
    assert done.json["command"] == "process" and done.json["requests"] == 0
    assert done.json["processors"]["find-er"]["done"] > 5
    assert done.json["processors"]["tags"]["done"] == 0 and done.json["processors"]["tags"]["cached"] > 0
    assert done.json["notes"]["updated"] > 5 and done.json["notes"]["created"] == 0
    paper = next(path for path in vault.glob("Telegram/*/20*/*/*.md") if "songs.txt]]" in path.read_text())
    assert "letters: 7\n" in paper.read_text(encoding="utf-8")
    assert len(served.log()) == asked, "not even a connection was made"

    before = stamps(vault)
    again = process(served, vault)
    assert (again.code, again.json["notes"]["updated"]) == (0, 0), again.stderr
    assert again.json["processors"]["find-er"]["done"] == 0
    assert stamps(vault) == before

    fresh = vault.parent / "fresh"
    (fresh / ".tobs" / "plugins").mkdir(parents=True)
    add_plugin(served, fresh, "finder", FINDER)
    assert served.tobs("export", served.target, "--vault", str(fresh)).code == 0
    assert tree(fresh) == tree(vault), "the vault of an export that had the plugin from the start"

    off = process(served, vault, TOBS_PLUGINS_OFF="find-er")
    assert off.code == 0, off.stderr
    assert "letters: 7\n" not in paper.read_text(encoding="utf-8"), "what was switched off is gone"


def test_what_is_known_is_found_out_again_only_by_force_or_for_another_configuration(serve: Serve, vault: Path) -> None:
    served, log = serve("demo"), vault.parent / "log"
    add_plugin(served, vault, "counting", COUNTING)
    told = {"TOBS_PLUGIN_COUNTING_LOG": str(log)}
    assert served.tobs("export", served.target, "--vault", str(vault), **told).code == 0
    hashes = log.read_text().split()
    assert len(hashes) == len(set(hashes)) > 10

    def worked(*more: str, **env: str) -> int:
        log.unlink()
        log.touch()
        done = process(served, vault, *more, **told, **env)
        assert done.code == 0, done.stderr
        return len(log.read_text().split())

    assert worked() == 0
    assert worked(TOBS_PLUGIN_COUNTING_WORD="two") == len(hashes)
    assert worked("--force", "--plugin", "tags", TOBS_PLUGIN_COUNTING_WORD="two") == 0
    assert worked("--force", "--plugin", "counting") == len(hashes)
    note = next(path for path in vault.glob("Telegram/*/20*/*/*.md") if "songs.txt]]" in path.read_text())
    assert 'counted: "one"\n' in note.read_text(encoding="utf-8")


def test_files_that_failed_are_fetched_when_telegram_is_there(serve: Serve, vault: Path) -> None:
    served = serve(WORLD)
    served.control("/faults", {"faults": ["upload.getFile*=short"]})
    failed = served.tobs("export", served.target, "--vault", str(vault), "--json")
    assert failed.code == 1 and failed.json["media"]["failed"] > 3, failed.stderr
    notes = len(list(vault.glob("Telegram/*/20*/*/*.md")))
    assert not [path for path in vault.rglob("media/*") if path.stat().st_size == 0]

    before = stamps(vault)
    offline = process(served, vault, "--offline")
    assert (offline.code, offline.json["requests"], stamps(vault)) == (0, 0, before), offline.stderr
    unreachable = process(served, vault, TOBS_SERVER="127.0.0.1:9", TOBS_TIMEOUT="1s")
    assert unreachable.code == 1, unreachable.stderr
    (problem,) = unreachable.json["problems"]
    assert problem["what"] == "media" and stamps(vault) == before

    served.control("/faults", {"clear": True})
    done = process(served, vault)
    assert done.code == 0, done.stderr
    assert done.json["media"]["downloaded"] == failed.json["media"]["failed"]
    assert len(list(vault.glob("Telegram/*/20*/*/*.md"))) == notes
    quiet = vault.parent / "quiet"
    assert served.tobs("export", served.target, "--vault", str(quiet)).code == 0
    assert tree(vault) == tree(quiet), "the vault of an export to which nothing happened"


def test_process_says_what_is_wrong(serve: Serve, vault: Path) -> None:
    served = serve(WORLD)
    empty = process(served, vault.parent / "nowhere")
    assert empty.code == 5 and not (vault.parent / "nowhere").exists(), empty.stderr
    assert served.tobs("export", served.target, "--no-media", "--vault", str(vault)).code == 0
    for arguments, words in (
        (("@nobody",), "'@nobody' is not in this vault"),
        (("--plugin", "nobody"), "There is no plugin 'nobody'"),
    ):
        done = process(served, vault, *arguments)
        assert (done.code, words in done.stderr) == (2, True), done


def test_strict_ends_the_run_at_the_first_failure_of_a_plugin(serve: Serve, vault: Path) -> None:
    served = serve("demo")
    add_plugin(served, vault, "gloom", GLOOM)
    strict = served.tobs("export", served.target, "--vault", str(vault), "--strict")
    assert strict.code == 1
    assert "Plugin gloom failed on" in strict.stderr and "RuntimeError: no light" in strict.stderr
    lenient = process(served, vault)
    assert lenient.code == 1
    assert lenient.json["processors"]["gloom"]["failed"] >= 5
    named = next(path for path in vault.glob("Telegram/*/20*/*/*.md") if "plugins_failed:" in path.read_text())
    assert '  - "gloom"\n' in named.read_text(encoding="utf-8")
    again = process(served, vault, "--strict")
    assert again.code == 1 and "Plugin gloom failed on" in again.stderr
