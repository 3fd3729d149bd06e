"""Plugins that are asked about messages, told of runs, and called by people, in the product."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.harness import Served, stamps
from tests.e2e.test_plugins import add_plugin
from tests.e2e.test_watch import eventually

WORLD = "synthetic:messages=60,chats=1,media=0,seed=5"

#: Writes a line for each message it is asked about, so that a test can count.
READER = """
from pathlib import Path
from msgspec import Struct
from tobs.plugin import Enrichment, MessageItem, NewNote, Plugin, Section


class Config(Struct, frozen=True):
    log: str
    word: str = "read"


class Reader(Plugin[Config]):
    name = "reader"
    version = "1"

    def enrich(self, item: MessageItem) -> Enrichment | None:
        with Path(self.config.log).open("a") as log:
            log.write(f"{item.message.id}\\n")
        if item.message.id == 7:
            raise RuntimeError("seven")
        if item.message.id % 10:
            return None
        return Enrichment(
            fields={"read_by": self.config.word},
            sections=(Section("Remark", f"{item.chat} of {item.sender or 'nobody'}"),),
            tags=("seen/tens",),
            notes=(NewNote(f"tens {item.message.id % 20}", "Tens: a list", "All *tens*.", {"count": 10}, ("tens",)),),
        )
"""

HERALD = """
from pathlib import Path
from msgspec import Struct
from tobs.plugin import FinishedRun, Plugin, Run


class Config(Struct, frozen=True):
    log: str


class Herald(Plugin[Config]):
    name = "herald"
    version = "1"
    opt_in = True

    def run_started(self, run: Run) -> None:
        self.write(f"{run.command} started")

    def run_ended(self, run: FinishedRun) -> None:
        self.write(f"{run.run.command} ended: {run.ok}, {run.report['messages']['new']} new, error {run.error!r}")

    def command(self, arguments, vault) -> str:
        return "told " + " ".join(arguments)

    def write(self, line: str) -> None:
        with Path(self.config.log).open("a") as log:
            log.write(line + "\\n")
"""


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    folder = tmp_path / "vault"
    (folder / ".tobs" / "plugins").mkdir(parents=True)
    return folder


def asked(log: Path) -> list[int]:
    """The ids the plugin was asked about since the last look, sorted."""
    ids = sorted(int(line) for line in log.read_text().split()) if log.exists() else []
    log.unlink(missing_ok=True)
    return ids


def export(served: Served, vault: Path, **env: str) -> dict[str, Any]:
    done = served.tobs("export", served.target, "--vault", str(vault), "--json", **env)
    assert done.code in (0, 1), done.stderr
    report: dict[str, Any] = done.json
    return report


def test_what_a_plugin_says_about_messages_stands_in_their_notes_and_is_asked_once(
    in_process_world: Serve, vault: Path
) -> None:
    served, log = in_process_world(WORLD), vault.parent / "log"
    add_plugin(served, vault, "reader", READER)
    told = {"TOBS_PLUGIN_READER_LOG": str(log)}
    report = export(served, vault, **told)
    assert asked(log) == list(range(1, 61))
    counts = {"done": 59, "cached": 0, "skipped": 0, "failed": 1}
    assert report["processors"]["reader"] == counts
    (problem,) = report["problems"]
    assert (problem["what"], problem["reason"]) == ("plugin reader", "RuntimeError: seven")

    (ten,) = vault.glob("Telegram/*/20*/*/* 10 *.md")
    text = ten.read_text(encoding="utf-8")
    assert 'read_by: "read"\n' in text and '  - "seen/tens"\n' in text
    assert 'related:\n  - "[[Telegram/Pages/Tens a list|Tens a list]]"\n' in text, text
    assert "### Remark" in text
    (seven,) = vault.glob("Telegram/*/20*/*/* 7 *.md")
    assert 'plugins_failed:\n  - "reader"\n' in seven.read_text(encoding="utf-8")
    pages = sorted(path.name for path in vault.glob("Telegram/Pages/*.md"))
    assert len(pages) == 2 and pages[1] == "Tens a list.md", "one note for each key"
    page = (vault / "Telegram/Pages/Tens a list.md").read_text(encoding="utf-8")
    assert "\ncount: 10\n" in page and page.endswith("\nAll *tens*.\n")

    before = stamps(vault)
    export(served, vault, **told)
    assert asked(log) == [7], "only what failed is asked again"
    assert stamps(vault) == before
    for command in ("verify", "render"):
        done = served.tobs(command, "--vault", str(vault), "--json", **told)
        assert done.code == 0, (command, done.stdout)
    assert asked(log) == [] and stamps(vault) == before, "rendering again asks nobody"
    export(served, vault, TOBS_PLUGIN_READER_WORD="seen", **told)
    assert asked(log) == list(range(1, 61)), "another configuration, another answer"
    assert 'read_by: "seen"\n' in ten.read_text(encoding="utf-8")


def test_plugins_are_told_of_runs_only_when_asked_for(in_process_world: Serve, vault: Path) -> None:
    served, log = in_process_world(WORLD), vault.parent / "log"
    add_plugin(served, vault, "herald", HERALD)
    at = ("--vault", str(vault), "--json")
    assert "herald" not in [idle["name"] for idle in export(served, vault)["plugins"]]
    info = served.tobs("plugins", "info", "herald", *at).json
    assert (info["state"], info["hooks"]) == ("off", ["run_started", "run_ended", "command"])
    assert "plugins_on" in info["reason"]

    told = {"TOBS_PLUGIN_HERALD_LOG": str(log)}
    assert export(served, vault, **told)["ok"] is True
    refused = served.tobs("export", "@nobody_at_all", *at, **told)
    assert refused.code == 2
    lines = log.read_text().splitlines()
    assert lines[:2] == ["export started", "export ended: True, 0 new, error ''"]
    assert lines[2] == "export started" and lines[3].startswith("export ended: False, 0 new, error ")
    assert "@nobody_at_all" in lines[3]

    ran = served.tobs("plugins", "run", "herald", "a", "b", *at, **told)
    assert (ran.code, ran.json) == (0, {"plugin": "herald", "said": "told a b"}), ran.stderr
    for name, words in (("tags", "has no command"), ("nobody", "There is no plugin"), ("herald", "does not run (off)")):
        done = served.tobs("plugins", "run", name, *at)
        assert (done.code, words in done.stderr) == (2, True), done


def test_a_hidden_message_has_no_note_and_comes_back(in_process_world: Serve, vault: Path) -> None:
    served = in_process_world(WORLD)
    every = vault.parent / "every"
    export(served, every)
    notes = {path.relative_to(every).as_posix() for path in every.glob("Telegram/*/20*/*/*.md")}
    texts = {name: (every / name).read_text(encoding="utf-8") for name in notes}
    word = "signal"
    muted = {"TOBS_PLUGIN_MUTE_MATCHING": word}

    report = export(served, vault, **muted)
    assert report["messages"]["new"] == 60
    shown = {path.relative_to(vault).as_posix() for path in vault.glob("Telegram/*/20*/*/*.md")}
    assert 0 < len(shown) < len(notes) and shown < notes
    assert all(word in texts[name].casefold() for name in notes - shown)
    before = stamps(vault)
    assert export(served, vault, **muted)["processors"]["mute"]["done"] == 0
    assert stamps(vault) == before

    done = served.tobs("process", "--vault", str(vault), "--json")
    assert done.code == 0, done.stderr
    assert {path.relative_to(vault).as_posix() for path in vault.glob("Telegram/*/20*/*/*.md")} == notes


FINISHER = """
from pathlib import Path
from msgspec import Struct
from tobs.plugin import Plugin, RenderedNote


class Config(Struct, frozen=True):
    word: str = "seen"


class Finisher(Plugin[Config]):
    name = "finisher"
    version = "1"

    def post_render(self, note: RenderedNote) -> str | None:
        if Path(FLAG).exists() and any(one.id == 7 for one in note.messages):
            raise RuntimeError("seven")
        return f"{note.body}\\n\\n*{self.config.word} in {note.chat}*" if note.kind == "message" else None
"""


def test_plugins_have_the_last_word_on_notes(in_process_world: Serve, vault: Path) -> None:
    served, flag = in_process_world(WORLD), vault.parent / "flag"
    flag.touch()
    add_plugin(served, vault, "finisher", FINISHER.replace("FLAG", repr(str(flag))))
    report = export(served, vault)
    notes = {int(path.name.split()[1]): path for path in vault.glob("Telegram/*/20*/*/*.md")}
    assert len(notes) == 60
    (problem,) = report["problems"]
    assert (problem["what"], problem["item"]) == ("plugin finisher", notes[7].relative_to(vault).as_posix())
    assert problem["reason"] == "RuntimeError: seven"
    counts = report["processors"]["finisher"]
    assert counts["failed"] == 1 and counts["done"] >= 60

    def last_lines() -> dict[int, str]:
        return {number: path.read_text(encoding="utf-8").splitlines()[-1] for number, path in notes.items()}

    def marked() -> list[int]:
        return [number for number, path in notes.items() if "plugins_failed:\n" in path.read_text(encoding="utf-8")]

    told = last_lines()
    chat = notes[1].relative_to(vault).parts[1]
    assert {line for number, line in told.items() if number != 7} == {f"*seen in {chat}*"}
    assert not told[7].startswith("*seen") and marked() == [7]
    assert '\nplugins_failed:\n  - "finisher"\n---\n' in notes[7].read_text(encoding="utf-8")
    before = stamps(vault)
    flag.unlink()
    again = export(served, vault)
    assert again["problems"] == [] and again["processors"]["finisher"]["done"] == 1, "only what failed is asked again"
    assert marked() == [] and set(last_lines().values()) == {f"*seen in {chat}*"}
    assert {path for path, at in stamps(vault).items() if before[path] != at} == {
        notes[7].relative_to(vault).as_posix()
    }

    owners = notes[9].read_text(encoding="utf-8").replace("\n---\n", "\nmine: true\n---\n", 1)
    notes[9].write_text(owners + "\nMy own words.\n", encoding="utf-8")
    before = stamps(vault)
    shown = served.tobs("render", "--dry-run", "--vault", str(vault), "--json").json
    assert shown["rendering"]["changes"] == [] and stamps(vault) == before, "a rehearsal has the last word, too"
    assert export(served, vault)["notes"]["updated"] == 0 and stamps(vault) == before
    other = export(served, vault, TOBS_PLUGIN_FINISHER_WORD="read")
    assert other["problems"] == [] and other["notes"]["conflicts"] == 0
    nine = notes[9].read_text(encoding="utf-8")
    assert f"*read in {chat}*" in nine and "My own words." in nine and "mine: true" in nine
    assert {line for number, line in last_lines().items() if number != 9} == {f"*read in {chat}*"}
    off = export(served, vault, TOBS_PLUGINS_OFF="finisher")
    assert off["problems"] == [] and not any("read in" in line for line in last_lines().values())
    assert served.tobs("verify", "--vault", str(vault), "--json").code == 0


HANGING = """
import time
from pathlib import Path
from tobs.plugin import NoConfig, Plugin, RenderedNote


class Hanging(Plugin[NoConfig]):
    name = "hanging"
    version = "1"
    time_limit = 600.0

    def post_render(self, note: RenderedNote) -> str | None:
        Path(FLAG).touch()
        time.sleep(600)
        return None
"""


def test_who_stops_a_run_waits_for_no_plugin_that_hangs(in_process_world: Serve, vault: Path) -> None:
    served, flag = in_process_world(WORLD), vault.parent / "flag"
    add_plugin(served, vault, "hanging", HANGING.replace("FLAG", repr(str(flag))))
    process = served.start("export", served.target, "--vault", str(vault))
    try:
        eventually(flag.exists, "the plugin was never asked")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()
    assert export(served, vault, TOBS_PLUGINS_OFF="hanging")["ok"] is True
    assert len(list(vault.glob("Telegram/*/20*/*/*.md"))) == 60


def test_mentions_of_the_owners_notes_become_links(in_process_world: Serve, vault: Path) -> None:
    served = in_process_world("synthetic:messages=5,chats=1,media=0,seed=5")
    for path in ("Notes/People/Ada Lovelace.md", "Notes/Three Rooms.md"):
        (vault / path).parent.mkdir(parents=True, exist_ok=True)
        (vault / path).write_text("mine\n", encoding="utf-8")
    served.control("/messages", {"text": "Ada Lovelace left the Three Rooms; Ada Lovelace is gone."})
    named = {"TOBS_PLUGIN_AUTOLINK_FOLDERS": "Notes"}
    report = export(served, vault, **named)
    assert report["problems"] == [] and report["processors"]["autolink"]["failed"] == 0
    (path,) = vault.glob("Telegram/*/20*/*/* 6 *.md")
    body = path.read_text(encoding="utf-8").partition("\n---\n")[2]
    lovelace, rooms = "[[Notes/People/Ada Lovelace|Ada Lovelace]]", "[[Notes/Three Rooms|Three Rooms]]"
    assert f"{lovelace} left the {rooms}; Ada Lovelace is gone." in body
    assert served.tobs("verify", "--vault", str(vault), "--json", **named).code == 0

    served.control("/edit", {"id": 6, "text": "The Three Rooms are empty."})
    assert served.tobs("sync", "--vault", str(vault), **named).code == 0
    assert f"The {rooms} are empty." in path.read_text(encoding="utf-8")
    assert export(served, vault)["ok"] is True
    assert "The Three Rooms are empty." in path.read_text(encoding="utf-8"), "off again, without its links"


TELLER = """
from pathlib import Path
from tobs.plugin import Export, Exported, NoConfig, Plugin


class Teller(Plugin[NoConfig]):
    name = "teller"
    version = "1"

    def export(self, export: Export) -> Exported:
        path = export.new_file("told.txt")
        path.write_text(" ".join(str(one.message.id) for one in export.messages()))
        if Path(FLAG).exists():
            raise RuntimeError("not now")
        return Exported((path,))
"""


def test_what_a_run_brought_is_handed_on_once_whatever_fails(in_process_world: Serve, vault: Path) -> None:
    served, flag = in_process_world("synthetic:messages=30,chats=1,media=0.3,seed=5"), vault.parent / "flag"
    asked = {"TOBS_PLUGINS_ON": "jsonl"}

    def lines(report: dict[str, Any]) -> list[tuple[str, int, int]]:
        (path,) = [path for path in report["exports"] if "/jsonl/" in path]
        assert path == f".tobs/exports/jsonl/{report['run_id']}.jsonl"
        found = [json.loads(line) for line in (vault / path).read_text(encoding="utf-8").splitlines()]
        for one in found:
            assert one["came"] == "deleted" or (vault / one["note"]).is_file(), one
            assert all((vault / file).is_file() for file in one["files"]), one
        return [(one["came"], one["id"], len(one["files"])) for one in found]

    assert export(served, vault)["exports"] == [], "nobody asked for it"
    served.control("/messages", {"text": "one more"})
    first = served.tobs("sync", "--vault", str(vault), "--json", **asked).json
    assert lines(first) == [("new", 31, 0)], "it begins with the run that had the plugin first"

    other = vault.parent / "other"
    (other / ".tobs" / "plugins").mkdir(parents=True)
    vault = other
    add_plugin(served, vault, "teller", TELLER.replace("FLAG", repr(str(flag))))
    told = vault / ".tobs/exports/teller/told.txt"
    report = served.tobs("export", served.target, "--no-media", "--vault", str(vault), "--json", **asked).json
    assert lines(report) == [("new", number, 0) for number in range(1, 32)]
    assert told.read_text().split() == [str(number) for number in range(1, 32)]
    again = export(served, vault, **asked)
    with_files = [one for one in lines(again) if one[2]]
    assert with_files and {came for came, *_ in with_files} == {"files"}, "files that were left to a later run"
    assert len(with_files) == len(lines(again))
    assert export(served, vault, **asked)["exports"] == [], "nothing is handed on twice"

    flag.touch()
    served.control("/messages", {"text": "new"})
    served.control("/edit", {"id": 2, "text": "other words"})
    failed = served.tobs("sync", "--vault", str(vault), "--json", **asked)
    assert failed.code == 1
    (problem,) = failed.json["problems"]
    assert (problem["what"], problem["item"]) == ("plugin teller", "the export of the run")
    assert problem["reason"] == "RuntimeError: not now"
    assert lines(failed.json) == [("edited", 2, 1), ("new", 32, 0)], "one that fails does not stop another"
    flag.unlink()
    served.control("/delete", {"ids": [3]})
    last = served.tobs("sync", "--vault", str(vault), "--json", **asked)
    assert last.code == 0, last.stdout
    assert [came for came, *_ in lines(last.json)] == ["deleted"]
    assert told.read_text().split() == ["2", "3", "32"], "what it missed comes with the next run"
    left = [path for path in (vault / ".tobs" / "staging").rglob("*") if path.is_file()]
    assert left == [], "nothing is left lying about"


@pytest.mark.long
def test_templates_use_what_plugins_give_in_every_process_that_renders(serve: Serve, vault: Path) -> None:
    """Slow because processes are started for more than a thousand notes only."""
    served = serve("synthetic:messages=1300,chats=1,media=0,seed=2")
    templates = vault / ".tobs" / "templates"
    templates.mkdir()
    (templates / "message.md.j2").write_text(
        "{{ messages[0].text | word_count }} words: {{ excerpt(messages[0].text, 3) }}"
    )
    (vault / "Notes").mkdir()
    (vault / "Notes" / "words.md").touch()
    report = export(served, vault, TOBS_PLUGIN_AUTOLINK_FOLDERS="Notes")
    assert report["problems"] == []
    texts = [path.read_text(encoding="utf-8") for path in vault.glob("Telegram/*/20*/*/*.md")]
    assert len(texts) == 1300 and all(" [[Notes/words|words]]: " in text for text in texts)
    broken = served.tobs("export", served.target, "--vault", str(vault), TOBS_PLUGINS_OFF="words")
    assert (broken.code, "No filter named 'word_count'" in broken.stderr) == (2, True), broken.stderr
