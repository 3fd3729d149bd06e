"""Whole runs in this process, against a sandbox in a thread of it: what the commands put together."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Done, stamps, tree
from tests.e2e.near import Near, near

WORLD = "synthetic:messages=60,chats=2,media=0.3,seed=11"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Near]:
    with near(tmp_path / "sandbox", WORLD) as opened:
        yield opened


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    return tmp_path / "vault"


def run(served: Near, vault: Path, command: str, *options: str, code: int = 0, **env: str) -> Any:
    """Run a command; its JSON document."""
    done = served.tobs(command, *options, "--vault", str(vault), "--json", **env)
    assert done.code == code, done.stderr
    return done.json if code == 0 else done


def notes(vault: Path, chat: str = "Synthetic") -> dict[int, Path]:
    """The message notes of a chat by the id of their message."""
    found = (vault / "Telegram" / chat).rglob("20*.md")
    named = ((path.name.split(), path) for path in found)
    return {int(words[1]): path for words, path in named if len(words) > 1 and words[1].isdigit()}


def media(vault: Path) -> int:
    return len([path for path in (vault / "Telegram").rglob("media/*") if path.is_file()])


def requests(served: Near, since: int) -> list[str]:
    return [entry["method"] for entry in served.log(since)]


def test_an_export_brings_what_is_asked_for_and_a_second_one_nothing(served: Near, vault: Path) -> None:
    report = run(served, vault, "export", *served.ready["targets"])
    assert report["ok"] and report["messages"]["new"] == report["messages"]["fetched"] > 0
    assert report["targets"] == served.ready["targets"] and report["requests"] > 0
    assert len({path.parts[-2] for path in (vault / "Telegram").glob("*/*.md")}) >= 2
    assert media(vault) >= report["media"]["downloaded"] > 0
    before = stamps(vault)
    again = run(served, vault, "export", *served.ready["targets"])
    assert again["messages"]["new"] == 0 and again["notes"]["created"] == again["notes"]["updated"] == 0
    assert stamps(vault) == before
    with sqlite3.connect(vault / ".tobs/archive.db") as db:
        rows = db.execute("SELECT command, finished IS NOT NULL FROM runs ORDER BY number").fetchall()
    db.close()
    assert rows == [("export", 1), ("export", 1)]


def test_filters_leave_out_what_is_not_wanted_and_a_later_export_brings_it(served: Near, vault: Path) -> None:
    target = served.target
    part = run(served, vault, "export", target, "--min-id", "5", "--max-id", "15", "--media", "none")
    assert notes(vault) and all(5 <= number <= 15 for number in notes(vault)) and media(vault) == 0
    limited = run(served, vault, "export", target, "--limit", "5", "--media", "none")
    assert part["messages"]["new"] >= len([number for number in notes(vault) if number <= 15]) > 0
    assert limited["messages"]["new"] == 5 and len([number for number in notes(vault) if number > 15]) <= 5
    run(served, vault, "export", target, "--type", "photo")
    whole = run(served, vault, "export", target)
    assert whole["messages"]["new"] > 0 and media(vault) > 0
    assert run(served, vault, "verify")["ok"]


def test_a_target_that_cannot_be_had_is_told_and_the_others_are_exported(served: Near, vault: Path) -> None:
    done = served.tobs("export", "@nobody_at_all", served.target, "--vault", str(vault), "--json")
    assert done.code == 1 and len(notes(vault)) > 0
    assert [one["item"] for one in done.json["problems"]] == ["@nobody_at_all"]
    alone = served.tobs("export", "@nobody_at_all", "--vault", str(vault), "--json")
    assert alone.code == 2 and "nobody_at_all" in alone.stderr


def test_all_chats_but_those_that_are_excluded(served: Near, vault: Path) -> None:
    report = run(served, vault, "export", "--all", "--exclude", served.target, "--media", "none")
    assert report["ok"] and notes(vault) == {}
    assert [path.name for path in (vault / "Telegram").glob("Synthetic*")] != ["Synthetic"]
    wrong = served.tobs("export", "--all", "--exclude", "no such chat", "--vault", str(vault))
    assert wrong.code == 2 and "no such chat" in wrong.stderr


def test_a_sync_brings_what_happened_and_asks_once_when_nothing_did(served: Near, vault: Path) -> None:
    run(served, vault, "export", *served.ready["targets"])
    asked = len(served.log())
    idle = run(served, vault, "sync")
    assert idle["messages"]["fetched"] == 0 and requests(served, asked).count("updates.getChannelDifference") == 0
    new = served.control("/messages", {"text": "Brand new.", "reply_to": 20})["id"]
    served.control("/edit", {"id": 20, "text": "Edited."})
    gone = sorted(notes(vault))[:2]
    served.control("/delete", {"ids": gone})
    served.control("/title", {"title": "Renamed"})
    report = run(served, vault, "sync")
    counts = report["messages"]
    assert (counts["edited"], counts["deleted"]) == (1, 2) and counts["new"] >= 1
    found = notes(vault)
    assert "Brand new." in found[new].read_text() and "Edited." in found[20].read_text()
    assert all("deleted: true" in found[number].read_text() for number in gone)
    assert "Renamed" in (vault / "Telegram/Synthetic/Synthetic.md").read_text()
    before = stamps(vault)
    run(served, vault, "sync")
    assert stamps(vault) == before


def test_much_deleted_at_once_has_to_be_accepted_and_the_rest_is_done(served: Near, vault: Path) -> None:
    run(served, vault, "export", served.target)
    new = served.control("/messages", {"text": "Brand new."})["id"]
    served.control("/delete", {"ids": sorted(notes(vault))[:30]})
    done: Done = run(served, vault, "sync", code=5)
    assert "--accept-deletions" in done.stderr and new in notes(vault)
    assert not any("deleted: true" in path.read_text() for path in notes(vault).values())
    report = run(served, vault, "sync", "--accept-deletions")
    assert report["messages"]["deleted"] > 20
    # An album has one note.
    assert 20 < sum("deleted: true" in path.read_text() for path in notes(vault).values()) <= 30


def test_files_that_were_left_out_come_with_a_process_run(served: Near, vault: Path) -> None:
    first = run(served, vault, "export", served.target, "--media-later")
    assert media(vault) == 0 and first["media"]["downloaded"] == 0
    report = run(served, vault, "process")
    assert media(vault) >= report["media"]["downloaded"] > 0
    asked = len(served.log())
    again = run(served, vault, "process")
    assert again["media"]["downloaded"] == 0 and not [one for one in requests(served, asked) if one == "upload.getFile"]
    # A file that its owner deleted stays away until it is asked for.
    path = next(path for path in sorted((vault / "Telegram").rglob("media/*")))
    path.unlink()
    done: Done = run(served, vault, "process", code=1)
    assert [one["item"] for one in done.json["problems"]] == ["1 files"]
    assert not path.exists()
    run(served, vault, "render", "--restore")
    run(served, vault, "process")
    assert path.exists() and run(served, vault, "verify")["ok"]


def test_a_render_makes_notes_anew_and_a_dry_one_only_tells_it(served: Near, vault: Path) -> None:
    run(served, vault, "export", served.target)
    assert run(served, vault, "render")["notes"]["updated"] == 0
    before = tree(vault)
    dry = run(served, vault, "render", "--layout", "month", "--dry-run", "--diff")
    assert tree(vault) == before
    changes = dry["rendering"]["changes"]
    assert {one["outcome"] for one in changes} >= {"created", "removed"}
    assert any(one["diff"].startswith("--- /dev/null") for one in changes if one["outcome"] == "created")
    report = run(served, vault, "render", "--layout", "month")
    assert report["rendering"]["layouts"][0]["layout"] == "month" and notes(vault) == {}
    assert run(served, vault, "verify")["ok"]
    run(served, vault, "render", "--layout", "message")
    after = tree(vault)
    assert after == before


def test_an_undo_takes_back_what_the_last_run_did(served: Near, vault: Path) -> None:
    run(served, vault, "export", served.target)
    before = tree(vault)
    served.control("/edit", {"id": 20, "text": "Edited."})
    new = served.control("/messages", {"text": "Brand new."})["id"]
    run(served, vault, "sync")
    report = run(served, vault, "undo", "last")
    assert "Edited." not in notes(vault)[20].read_text() and new not in notes(vault)
    assert report["notes"]["deleted"] == 1
    assert {path: text for path, text in tree(vault).items() if path in before and path.endswith(" 20.md")} == {
        path: text for path, text in before.items() if path.endswith(" 20.md")
    }
    listed = served.tobs("undo", "--list", "--vault", str(vault), "--json")
    assert listed.code == 0 and len(listed.json["items"]) >= 2


def test_a_repair_writes_what_is_missing_and_fetches_what_is_damaged(served: Near, vault: Path) -> None:
    run(served, vault, "export", served.target)
    before = tree(vault)
    path = notes(vault)[20]
    file = next(path for path in sorted((vault / "Telegram").rglob("media/*")))
    path.unlink()
    file.write_bytes(b"damaged")
    done = served.tobs("verify", "--vault", str(vault), "--json")
    assert done.code == 1 and {one["kind"] for one in done.json["items"]} >= {"missing", "content"}
    served.tobs("verify", "--repair", "--vault", str(vault))
    assert path.exists()
    run(served, vault, "process")
    assert {name: text for name, text in tree(vault).items() if not name.startswith(".trash")} == before
    assert run(served, vault, "verify")["ok"]


def test_a_plan_tells_what_the_export_then_does_and_changes_nothing(served: Near, vault: Path) -> None:
    plan = run(served, vault, "plan", *served.ready["targets"])
    assert not (vault / "Telegram").exists()
    report = run(served, vault, "export", *served.ready["targets"])
    assert plan["messages"] == report["messages"]["new"]
    assert plan["new"] == plan["messages"] and plan["bytes"] > 0
    after = run(served, vault, "plan", *served.ready["targets"])
    assert after["new"] == 0 and after["messages"] == plan["messages"]
    folders = {item["folder"] for item in after["items"]}
    assert all((vault / folder).is_dir() for folder in folders)


def test_a_telegram_desktop_export_is_imported_once(served: Near, vault: Path, tmp_path: Path) -> None:
    source = tmp_path / "export"
    source.mkdir()
    (source / "a.txt").write_text("paper")
    messages = [
        {
            "id": number,
            "type": "message",
            "date": "2024-01-01T00:00:00",
            "date_unixtime": str(1_704_067_200 + number),
            "from": "Files",
            "from_id": "channel88",
            "text": f"imported {number}",
            "text_entities": [{"type": "plain", "text": f"imported {number}"}],
            **({"file": "a.txt", "file_name": "a.txt"} if number == 2 else {}),
        }
        for number in (1, 2, 3)
    ]
    (source / "result.json").write_text(
        json.dumps({"name": "Files", "type": "public_channel", "id": 88, "messages": messages})
    )
    run(served, vault, "import", str(source), "--dry-run")
    assert not (vault / "Telegram").exists()
    report = run(served, vault, "import", str(source))
    assert report["messages"]["new"] == 3 and sorted(notes(vault, "Files")) == [1, 2, 3]
    assert (vault / "Telegram/Files/media/a.txt").read_text() == "paper"
    before = stamps(vault)
    assert run(served, vault, "import", str(source))["messages"]["new"] == 0 and stamps(vault) == before
