"""``tobs import``: a Telegram Desktop export makes the vault that a live export would make, and joins it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import judge
from tests.e2e.conftest import Serve
from tests.e2e.harness import TOBS, tree
from tests.e2e.judge import Vault

TRAPS = Path(__file__).parents[1] / "data" / "tdesktop" / "traps"
LEFT_OUT = "(File not included. Change data exporting settings to download.)"
DAY = 1_714_550_000


class Alone:
    """tobs without any Telegram: a home, and nobody logged in."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)

    def tobs(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TOBS_")}
        done = subprocess.run(
            [*TOBS, *arguments],
            env=clean | {"TOBS_HOME": str(self.home), "TZ": "UTC", "COLUMNS": "100"},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done

    def report(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.tobs(*arguments, "--json", "-q", code=code).stdout)
        return found


@pytest.fixture
def alone(tmp_path: Path) -> Alone:
    return Alone(tmp_path / "home")


def notes(vault: Path) -> dict[str, str]:
    """The text of every note by its tobs_id."""
    found = {}
    for path in (vault / "Telegram").rglob("*.md"):
        text = path.read_text("utf-8")
        match = re.search(r'^tobs_id: "([^"]*)"$', text, re.MULTILINE)
        assert match is not None, path
        found[match[1]] = text
    return found


def message(message_id: int, text: str = "", **more: Any) -> dict[str, Any]:
    told = {
        "id": message_id,
        "type": "message",
        "date": "2024-05-01T08:00:00",
        "date_unixtime": str(DAY + 60 * message_id),
        "from": "Ada",
        "from_id": "user11",
        "text": text or f"message number {message_id}",
        "text_entities": [{"type": "plain", "text": text or f"message number {message_id}"}],
    }
    return told | more


def export(
    folder: Path, messages: Sequence[Mapping[str, Any]], files: Mapping[str, bytes] | None = None, **header: Any
) -> Path:
    """An export of one chat with its files."""
    for name, data in (files or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    folder.mkdir(parents=True, exist_ok=True)
    told = {"name": "Pier", "type": "public_channel", "id": 5} | header | {"messages": list(messages)}
    (folder / "result.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), "utf-8")
    return folder


#: What the JSON does not say, or says in other words than Telegram: how notes differ for that alone.
LACKS = [
    re.compile(r"^(tobs_hash|link|views|forwards|reactions): .*$", re.MULTILINE),
    re.compile(r"^(?:> )?\*.* — not (?:available|downloaded) \(.*\)\*$", re.MULTILINE),  # files that were left out
    re.compile(r"(?<=\*Forwarded from )(.*?)(, \d{4}-\d\d-\d\d \d\d:\d\d)?\*$", re.MULTILINE),  # no date of the origin
]
#: Messages that are told differently beyond that, and why.
TOLD_DIFFERENTLY = {
    39: "of whom a message was saved, the JSON has only the name",
    45: "the channel's username is not in it, so that a web link has another form",
    48: "a bot is a username there, an id here",
    51: "what a button holds is only taken for a link where it is one",
    99: "a place without a place has no name in common",
    123: "channels of a giveaway are names, and known ones get their own",
    126: "winners of whom nothing is known",
    135: "a message of a kind that the exporter did not know has no sender",
    210: "an action for which the sandbox has no Telegram object",
    270: "the sandbox's amount",
    330: "an action that nobody knows",
}


def without_lacks(text: str) -> str:
    for pattern in LACKS[:2]:
        text = pattern.sub("", text)
    return LACKS[2].sub(r"\1*", text)


def test_an_import_makes_the_notes_that_a_live_export_of_the_same_data_makes(
    serve: Serve, alone: Alone, tmp_path: Path
) -> None:
    served = serve(str(TRAPS))
    live = served.tobs(
        "export", served.target, "--vault", str(tmp_path / "live"), "--layout", "message", "-q", TZ="UTC"
    )
    assert live.code == 0, live.stderr
    told = alone.report("import", str(TRAPS), "--vault", str(tmp_path / "vault"), "--layout", "message")
    assert (told["messages"]["new"], told["problems"]) == (116, [])

    expected, found = notes(tmp_path / "live"), notes(tmp_path / "vault")
    supergroup = {key for key in expected if key.startswith("-1000000000077/")}
    assert supergroup == {key for key in found if key.startswith("-1000000000077/")}
    differing = {key for key in supergroup if without_lacks(expected[key]) != without_lacks(found[key])}
    assert {int(key.rpartition("/")[2]) for key in differing} == set(TOLD_DIFFERENTLY)


def test_a_vault_made_by_an_import_stands_before_every_judge(alone: Alone, tmp_path: Path) -> None:
    alone.tobs("import", str(TRAPS), "--vault", str(tmp_path / "vault"), "--layout", "message", "-q")
    vault = Vault(tmp_path / "vault")
    assert judge.front_matter_faults(vault) == []
    assert judge.link_faults(vault) == []
    assert judge.duplicate_faults(vault) == []
    assert judge.name_faults(name for name in tree(tmp_path / "vault") if name.startswith("Telegram/")) == []


def test_a_second_import_writes_nothing_and_a_dry_run_nothing_at_all(alone: Alone, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    plan = json.loads(alone.tobs("import", str(TRAPS), "--vault", str(vault), "--dry-run", "--json").stdout)
    assert [(one["id"], one["messages"], one["new"]) for one in plan["items"]] == [(-1000000000077, 116, 116)]
    assert not vault.exists()
    alone.report("import", str(TRAPS), "--vault", str(vault))
    before = tree(vault)
    times = {path: path.stat().st_mtime_ns for path in vault.rglob("*") if ".tobs" not in path.parts}
    again = alone.report("import", str(TRAPS), "--vault", str(vault))
    assert again["messages"]["new"] == again["messages"]["edited"] == 0
    assert again["notes"]["created"] == again["notes"]["updated"] == 0
    assert tree(vault) == before
    assert {path: path.stat().st_mtime_ns for path in vault.rglob("*") if ".tobs" not in path.parts} == times
    plan = json.loads(alone.tobs("import", str(TRAPS), "--vault", str(vault), "--dry-run", "--json").stdout)
    assert plan["items"][0]["new"] == 0


def test_overlapping_exports_become_their_union_and_the_later_edit_wins(alone: Alone, tmp_path: Path) -> None:
    vault = str(tmp_path / "vault")
    first = export(tmp_path / "a", [message(1), message(2, "as it was"), message(3)])
    edited = message(2, "as it is", edited="2024-06-01T00:00:00", edited_unixtime=str(DAY + 10**6))
    second = export(tmp_path / "b", [edited, message(3), message(7)])
    assert alone.report("import", str(first), "--vault", vault)["messages"]["new"] == 3
    told = alone.report("import", str(second), "--vault", vault)
    assert (told["messages"]["new"], told["messages"]["edited"]) == (1, 1)
    back = alone.report("import", str(first), "--vault", vault)
    assert (back["messages"]["new"], back["messages"]["edited"]) == (0, 0)
    found = notes(tmp_path / "vault")
    assert "as it is" in found["-1000000000005/2"]
    assert {"-1000000000005/1", "-1000000000005/3", "-1000000000005/7"} <= set(found)


def test_a_live_export_goes_on_where_the_import_ended_and_fetches_what_was_left_out(
    serve: Serve, alone: Alone, tmp_path: Path
) -> None:
    """The channel goes on after the export was made; one of its files was left out, another one came along."""
    here, missing = b"it came along " * 40, b"it was left out " * 40
    binary = {"mime_type": "application/octet-stream", "text_entities": [{"type": "plain", "text": "look"}]}
    whole = [message(number) for number in range(1, 301)]
    whole[9] = message(10, "look", file="files/a.bin", file_name="a.bin", file_size=len(here), **binary)
    whole[19] = message(20, "look", file="files/b.bin", file_name="b.bin", file_size=len(missing), **binary)
    world = export(tmp_path / "world", whole, {"files/a.bin": here, "files/b.bin": missing})
    part = [dict(one) for one in whole[:250]]
    part[19]["file"] = LEFT_OUT
    imported = export(tmp_path / "export", part, {"files/a.bin": here})

    vault = tmp_path / "vault"
    alone.report("import", str(imported), "--vault", str(vault), "--layout", "message")
    assert "not downloaded" in notes(vault)["-1000000000005/20"]

    served = serve(str(world))
    done = served.tobs("export", served.target, "--vault", str(vault), "--json", "-q", TZ="UTC")
    assert done.code == 0, done.stderr
    assert (done.json["messages"]["new"], done.json["messages"]["edited"]) == (50, 0)
    history = [one for one in served.log() if one["method"] == "messages.getHistory"]
    assert len(history) <= 4, "what was imported is not fetched again"
    assert [one["method"] for one in served.log()].count("channels.getMessages") == 1
    assert done.json["media"]["downloaded"] == 1, "the file that came with the export is not fetched again"
    found = notes(vault)
    assert "not downloaded" not in found["-1000000000005/20"]
    assert {(vault / name).read_bytes() for name in tree(vault) if name.endswith(".bin")} == {here, missing}

    before = tree(vault)
    again = served.tobs("export", served.target, "--vault", str(vault), "--json", "-q", TZ="UTC")
    assert again.json["notes"]["updated"] == 0 and tree(vault) == before


def test_what_telegram_told_is_not_replaced_by_an_import(serve: Serve, tmp_path: Path) -> None:
    world = export(tmp_path / "world", [message(number) for number in range(1, 21)])
    other = export(tmp_path / "other", [message(5, "forged"), message(6, edited_unixtime="2000000000"), message(40)])
    served, vault = serve(str(world)), tmp_path / "vault"
    assert served.tobs("export", served.target, "--vault", str(vault), "--layout", "message", "-q").code == 0
    before = notes(vault)
    done = served.tobs("import", str(other), "--vault", str(vault), "--json", "-q")
    assert (done.json["messages"]["new"], done.json["messages"]["edited"]) == (1, 0)
    after = notes(vault)
    assert all(after[key] == text for key, text in before.items() if re.search(r"/\d+$", key) and "person" not in key)
    assert "-1000000000005/40" in after


def test_the_files_of_an_export_are_copied_linked_or_moved(alone: Alone, tmp_path: Path) -> None:
    data = {"files/a.txt": b"the plan of the pier"}
    told = [message(1, file="files/a.txt", file_name="a.txt", file_size=20, mime_type="text/plain")]
    for mode, (stays, links) in {"copy": (True, 1), "link": (True, 2), "move": (False, 1)}.items():
        folder, vault = export(tmp_path / mode, told, data), tmp_path / f"vault-{mode}"
        alone.report("import", str(folder), "--vault", str(vault), "--media-mode", mode)
        [placed] = [vault / name for name in tree(vault) if name.endswith(".txt")]
        assert placed.read_bytes() == data["files/a.txt"]
        assert (folder / "files/a.txt").exists() == stays
        assert placed.stat().st_nlink == links


def test_a_truncated_file_imports_what_is_whole_and_says_where_it_breaks(alone: Alone, tmp_path: Path) -> None:
    folder = export(tmp_path / "a", [message(number) for number in range(1, 101)])
    whole = (folder / "result.json").read_bytes()
    (folder / "result.json").write_bytes(whole[: len(whole) // 2])
    told = alone.report("import", str(folder), "--vault", str(tmp_path / "vault"), code=1)
    assert 40 <= told["messages"]["new"] <= 50
    assert "ends after" in told["problems"][0]["reason"]


def test_what_is_no_export_is_refused_in_one_line(alone: Alone, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"a": 1}')
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as file:
        file.writestr("result.json", "{}")
        file.writestr("../evil", "x")
    for path in ("other.json", "out.zip", "missing.json", "."):
        done = alone.tobs("import", str(tmp_path / path), "--vault", str(tmp_path / "vault"), code=2)
        assert done.stderr.strip().count("\n") == 0 and "Traceback" not in done.stderr, done.stderr


def test_a_private_chat_imported_before_the_login_is_the_accounts_own(serve: Serve, tmp_path: Path) -> None:
    """Nobody had logged in when the chat was imported, and the export does not say whose it was."""
    served = serve("demo", login=False)
    told = [message(1, from_id="user11"), message(2, from_id="user11")]
    folder = export(tmp_path / "a", told, type="private_group", id=99, name="Crew")
    vault = tmp_path / "vault"
    assert served.tobs("import", str(folder), "--vault", str(vault), "-q").code == 0
    served.login()
    assert served.tobs("export", served.target, "--vault", str(vault), "-q", "--no-media").code == 0
    again = served.tobs("import", str(folder), "--vault", str(vault), "--json", "-q")
    assert (again.json["messages"]["new"], again.json["notes"]["created"]) == (0, 0)


def test_an_export_in_html_has_to_be_told_its_chat(alone: Alone, tmp_path: Path) -> None:
    html, vault = str(TRAPS.with_name("html")), str(tmp_path / "vault")
    refused = alone.tobs("import", html, "--vault", vault, code=2)
    assert "--chat" in refused.stderr and not (tmp_path / "vault").exists()
    told = alone.report("import", html, "--vault", vault, "--chat", "-1000000000099", "--layout", "message")
    assert (told["messages"]["new"], told["media"]["downloaded"]) == (6, 1)
    # The second time the vault knows the chat by its name.
    again = alone.report("import", html, "--vault", vault)
    assert (again["messages"]["new"], again["notes"]["created"], again["notes"]["updated"]) == (0, 0, 0)
    found = notes(tmp_path / "vault")
    assert "**bold**" in found["-1000000000099/2"] and "Which pier?" in found["-1000000000099/6"]


def test_a_sync_that_names_an_imported_chat_goes_on_from_there(serve: Serve, alone: Alone, tmp_path: Path) -> None:
    whole = [message(number) for number in range(1, 61)]
    imported, vault = export(tmp_path / "export", whole[:50]), tmp_path / "vault"
    alone.report("import", str(imported), "--vault", str(vault), "--layout", "message")
    served = serve(str(export(tmp_path / "world", whole)))
    done = served.tobs("sync", served.target, "--vault", str(vault), "--json", "-q", TZ="UTC")
    assert done.code == 0, done.stderr
    assert done.json["messages"]["new"] == 10 and "-1000000000005/60" in notes(vault)
    idle = served.tobs("sync", "--vault", str(vault), "--json", "-q", TZ="UTC")
    assert (idle.json["messages"]["new"], idle.json["notes"]["updated"]) == (0, 0) and idle.json["requests"] <= 3
