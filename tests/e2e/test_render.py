"""``tobs render``: notes again from the archive, without credentials and network, in another layout if asked for."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import judge
from tests.e2e.harness import TOBS, Done, sandbox, stamps, tree
from tests.e2e.judge import Vault

CHANNEL = "Telegram/The Old Exchange · Mill Lane 7"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo channel and its group, exported once."""
    folder = tmp_path_factory.mktemp("render")
    with sandbox(folder / "sandbox", "demo") as served:
        served.login()
        done = served.tobs(
            "export", *served.ready["targets"], "--media", "audio", "--vault", str(folder / "vault"), TZ="UTC"
        )
        assert done.code == 0, done.stderr
    return folder / "vault"


@pytest.fixture
def vault(exported: Path, tmp_path: Path) -> Path:
    """A copy of that vault; nobody is logged in and no server runs."""
    subprocess.run(["cp", "-a", str(exported), str(tmp_path / "vault")], check=True)
    return tmp_path / "vault"


def offline(vault: Path, *arguments: str, code: int = 0) -> Done:
    """Run a command as somebody who has no account and no settings."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TOBS_")}
    env |= {"TOBS_HOME": str(vault.parent / "home"), "TZ": "UTC"}
    command = [*TOBS, *arguments, "--vault", str(vault)]
    done = subprocess.run(
        command, env=env, cwd=vault.parent, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == code, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def render(vault: Path, *arguments: str, code: int = 0) -> Any:
    return offline(vault, "render", *arguments, "--json", code=code).json


def days_with(vault: Path, messages: int) -> list[str]:
    """The paths of message notes of the channel on days that have so many notes."""
    days: dict[str, list[str]] = {}
    for path in sorted((vault / CHANNEL).rglob("20*.md")):
        days.setdefault(path.name[:10], []).append(path.relative_to(vault).as_posix())
    return [paths[0] for paths in days.values() if len(paths) == messages]


def test_what_comes_out_the_same_is_not_touched_and_a_period_makes_only_its_own_notes_again(
    vault: Path,
) -> None:
    before, files = stamps(vault), tree(vault)
    report = render(vault)
    assert report["command"] == "render" and report["requests"] == 0 and report["ok"]
    assert report["notes"]["unchanged"] == sum(name.endswith(".md") for name in files)
    assert sum(report["notes"].values()) == report["notes"]["unchanged"]
    assert stamps(vault) == before
    with closing(sqlite3.connect(vault / ".tobs" / "archive.db")) as database:
        database.execute('UPDATE message_rows SET model = replace(model, \'"text":"\', \'"text":"New: \')')
        database.commit()
    told = render(vault, "@tobs_demo", "--since", "2024-03-05", "--until", "2024-03-06", "--dry-run")
    assert stamps(vault) == before, "a rehearsal writes nothing"
    wanted = {change["note"] for change in told["rendering"]["changes"]}
    assert wanted and all(f"{CHANNEL}/2024/03/2024-03-0" in note and note[-1] != "4" for note in wanted)
    shown = offline(vault, "render", "@tobs_demo", "--since", "2024-03-05", "--until", "2024-03-06", "--diff").stdout
    assert shown.count("\n+New: ") >= len(wanted) - 2 and "\n-tobs_hash" in shown
    done = render(vault, "@tobs_demo", "--since", "2024-03-05", "--until", "2024-03-06")
    assert done["notes"]["updated"] == len(wanted)
    assert {name for name, stamp in stamps(vault).items() if before[name] != stamp} == wanted


def test_what_a_render_tells_is_about_notes_and_one_line_where_there_is_nothing_to_do(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "32")
    count = sum(name.endswith(".md") for name in tree(vault))
    assert [line.rstrip() for line in offline(vault, "render").stdout.splitlines()] == [f"notes  {count} unchanged"]
    monkeypatch.setenv("COLUMNS", "60")
    told = offline(vault, "render", "--dry-run").stdout.splitlines()
    assert told[0] == "Nothing would change; this was a dry run." and len(told) == 2
    note = days_with(vault, 1)[0]
    (vault / note).unlink()
    offline(vault, "render")
    told = offline(vault, "render", "--restore", "--dry-run").stdout.splitlines()
    assert told[:2] == [f"created   {note}", "1 file would change; this was a dry run."]


def test_a_changed_template_makes_only_its_own_notes_again(vault: Path) -> None:
    before = stamps(vault)
    (vault / ".tobs" / "templates" / "person.md.j2").write_text("{{ person.facts }}\n\nMy person.\n")
    report = render(vault, "@tobs_demo_group", "--since", "2030-01-01")
    changed = {name for name, stamp in stamps(vault).items() if before[name] != stamp}
    assert changed and all(name.startswith("Telegram/People/") for name in changed)
    assert report["notes"]["updated"] == len(changed) == sum(name.startswith("Telegram/People/") for name in before)
    assert "My person." in (vault / sorted(changed)[0]).read_text(encoding="utf-8")
    before = stamps(vault)
    render(vault)
    assert stamps(vault) == before


def test_the_template_check_tells_file_and_line_and_ends_with_a_code(vault: Path) -> None:
    assert "templates OK" in offline(vault, "render", "--template-check").stdout
    (vault / ".tobs" / "templates" / "chat.md.j2").write_text("{{ chat.title }}\n\n{{ chat.nothing }}\n")
    done = offline(vault, "render", "--template-check", "--json", code=2)
    assert done.json["ok"] is False
    (item,) = done.json["items"]
    assert (item["template"], item["line"]) == ("chat.md.j2", 3) and "nothing" in item["reason"]
    assert "line 3" in offline(vault, "render", "--template-check", code=2).stdout


def test_another_layout_keeps_the_owners_words_and_links_and_the_way_back_gives_the_same_notes(vault: Path) -> None:
    alone, among = days_with(vault, 1)[0], days_with(vault, 3)[0]
    first = tree(vault)
    for name in (alone, among):
        (vault / name).write_bytes(first[name].replace(b"---\n", b"---\nmood: good\n", 1) + b"\nMy own words.\n")
    mine = vault / "Mine.md"
    mine.write_text(f"---\ntags: []\n---\nsee [[{Path(among).stem}]], [[{alone[:-3]}|that]], [[Elsewhere]]\n")
    before = tree(vault)

    told = render(vault, "--layout", "day", "--dry-run")
    assert tree(vault) == before
    removed = [change for change in told["rendering"]["changes"] if change["outcome"] == "removed"]
    report = render(vault, "--layout", "day")
    assert [one["layout"] for one in report["rendering"]["layouts"]] == ["day", "day"]
    assert len(removed) + 2 == sum(one["notes"] for one in report["rendering"]["layouts"])

    read = Vault(vault)
    assert judge.link_faults(read) == ["Mine.md: [[Elsewhere]] is not there"]
    assert not [name for name in read.notes if re.search(r"/2024/\d\d/", name)], "old notes and folders are gone"
    day = f"{CHANNEL}/2024/{Path(alone).name[:10]}.md"
    assert "My own words." in read.bodies[day] and read.properties[day]["mood"] == "good"
    assert read.properties[day]["tobs_id"].endswith(Path(alone).name[:10])
    (kept,) = report["rendering"]["kept"]
    assert kept["note"] == among and "My own words." in read.bodies[kept["beside"]]
    assert "tobs_id" not in read.properties[kept["beside"]] and read.properties[kept["beside"]]["kept_from"]
    assert "#^m" in mine.read_text() and "|that]]" in mine.read_text() and report["rendering"]["relinked"] == 1

    still = stamps(vault)
    assert render(vault)["notes"]["updated"] == 0
    assert stamps(vault) == still, "a second run writes nothing"
    (vault / kept["beside"]).unlink()
    back = render(vault, "--layout", "message")
    assert back["rendering"]["kept"] == []
    after = tree(vault)
    assert b"My own words." in after.pop(alone)
    assert after == {name: text for name, text in first.items() if name != alone} | {"Mine.md": mine.read_bytes()}


def test_a_layout_change_that_was_stopped_is_finished_by_the_next_run(vault: Path) -> None:
    whole = vault.parent / "whole"
    subprocess.run(["cp", "-a", str(vault), str(whole)], check=True)
    render(whole, "--layout", "month")
    env = {name: value for name, value in os.environ.items() if not name.startswith("TOBS_")}
    stop = (
        "import tobs.pipeline.notes.relayout as r\n"
        "import os\n"
        "r.remove_retired_notes = lambda context: os._exit(9)\n"
        "from tobs.cli.main import run\n"
        f"run(['render', '--layout', 'month', '--vault', {str(vault)!r}])\n"
    )
    stopped = subprocess.run([TOBS[0], "-c", stop], env=env | {"TOBS_HOME": str(vault.parent / "home")}, check=False)
    assert stopped.returncode == 9
    render(vault)
    assert tree(vault) == tree(whole)


def test_what_cannot_be_rendered_is_told(vault: Path, tmp_path: Path) -> None:
    assert "is not in this vault" in offline(vault, "render", "@nobody", code=2).stderr
    assert "one layout" in offline(vault, "render", "--layout", "day", "--since", "7d", code=2).stderr
    assert "Layouts:" in offline(vault, "render", "--layout", "week", code=2).stderr
    offline(tmp_path / "nowhere", "render", code=5)
    assert not (tmp_path / "nowhere").exists()
