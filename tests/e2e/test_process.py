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
    late = served.tobs("export", served.target, "--vault", str(fresh))
    assert late.code == 0, late.stdout + late.stderr
    assert tree(fresh) == tree(vault), "the vault of an export that had the plugin from the start"

    add_plugin(served, vault, "finder", FINDER + "# changed\n", trusted=False)
    untrusted = process(served, vault)
    assert [plugin["name"] for plugin in untrusted.json["plugins"]] == ["finder", "whisper"]
    assert stamps(vault) == before, "what it is called stands in its code, which nobody read: it keeps what it found"
    add_plugin(served, vault, "finder", FINDER)
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
        (("https://t.me/nobody",), "'@nobody' is not in this vault"),
        (("--plugin", "nobody"), "There is no plugin 'nobody'"),
        (("--plugin", "links"), "The plugin links does not run (off): it runs when it is asked for"),
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


def fetched(served: Served) -> int:
    """Parts of files that were asked for."""
    return sum(entry["method"] == "upload.getFile" for entry in served.log())


def test_media_later_leaves_files_to_process(serve: Serve, vault: Path) -> None:
    served = serve(WORLD)
    later = served.tobs("export", served.target, "--media-later", "--vault", str(vault), "--json")
    assert later.code == 0, later.stderr
    assert fetched(served) == 0 and not list(vault.rglob("Telegram/*/media/*"))
    assert later.json["media"]["wanted"] > 10 and later.json["problems"] == []
    done = process(served, vault, "--bandwidth", "50MB/s")
    assert done.code == 0, done.stderr
    assert done.json["media"]["downloaded"] == later.json["media"]["wanted"]
    at_once = vault.parent / "at-once"
    assert served.tobs("export", served.target, "--vault", str(at_once)).code == 0
    assert tree(vault) == tree(at_once)


@pytest.mark.long
def test_a_budget_is_kept_and_the_rest_comes_later(serve: Serve, vault: Path) -> None:
    """Slow because it takes as many runs as the budget goes into the whole."""
    served = serve(WORLD)
    at_once = vault.parent / "at-once"
    whole = served.tobs("export", served.target, "--vault", str(at_once), "--json").json["media"]
    budget = whole["bytes"] // 3
    first = served.tobs("export", served.target, "--media-budget", str(budget), "--vault", str(vault), "--json")
    assert first.code == 0, first.stderr
    media = first.json["media"]
    assert 0 < media["bytes"] <= budget and media["postponed"] >= whole["downloaded"] - media["downloaded"]
    assert any("left to a later run" in one["what"] for one in first.json["recovered"])
    assert len(list(vault.rglob("Telegram/*/media/*"))) > 0, "what was fetched does not wait for the rest"
    while (done := process(served, vault, "--media-budget", str(budget))).json["media"]["postponed"]:
        assert done.code == 0 and 0 < done.json["media"]["bytes"] <= budget
    assert tree(vault) == tree(at_once)


def test_a_disk_that_is_nearly_full_is_left_alone(serve: Serve, vault: Path) -> None:
    served = serve(WORLD)
    done = served.tobs("export", served.target, "--vault", str(vault), "--json", TOBS_DISK_FLOOR="900000GB")
    assert done.code == 1, done.stderr
    assert done.json["media"]["downloaded"] == 0 and fetched(served) == 0
    (problem,) = done.json["problems"]
    assert problem["what"] == "media" and "free on the disk" in problem["reason"]
    assert done.json["messages"]["new"] == 120, "messages come all the same"
