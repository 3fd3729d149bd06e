"""The main job, end to end: a real server over TCP, a real database, real files, the real command."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.harness import stamps, tree

SMALL = "synthetic:messages=1500,chats=1,media=0.02,seed=3"


def archived_ids(vault: Path, chat: int | None = None) -> list[int]:
    """The ids in the archive's public view, with repetitions if there were any."""
    with sqlite3.connect(vault / ".tobs" / "archive.db") as db:
        where = "" if chat is None else f" WHERE chat_id = {chat}"
        rows = [row[0] for row in db.execute(f"SELECT id FROM messages{where} ORDER BY id")]
    db.close()
    return rows


def test_an_export_writes_one_note_a_message_and_a_second_one_writes_nothing(serve: Serve, tmp_path: Path) -> None:
    served = serve(SMALL)
    vault = tmp_path / "vault"
    first = served.tobs("export", served.target, "--profile", "aggressive", "--vault", str(vault), "--json")
    assert first.code == 0, first.stderr
    report = first.json
    assert report["ok"] is True
    assert report["messages"]["new"] == 1500
    assert len(archived_ids(vault)) == 1500 == len(set(archived_ids(vault)))
    before = stamps(vault)
    requests = len(served.log())

    second = served.tobs("export", served.target, "--profile", "aggressive", "--vault", str(vault), "--json")
    assert second.code == 0, second.stderr
    assert second.json["messages"]["new"] == 0
    assert second.json["notes"] == dict.fromkeys(report["notes"], 0)
    assert second.json["messages"]["fetched"] <= 100, "only a small look-back is fetched again"
    assert stamps(vault) == before
    history = [entry for entry in served.log(requests) if entry["method"] == "messages.getHistory"]
    assert len(history) <= 2


def test_no_file_outside_the_tobs_folder_tells_the_path_or_the_run(serve: Serve, tmp_path: Path) -> None:
    served = serve("demo")
    vault = tmp_path / "vault"
    report = served.tobs("export", served.target, "--vault", str(vault), "--json").json
    for name, content in tree(vault).items():
        assert str(tmp_path).encode() not in content, name
        assert report["run_id"].encode() not in content, name


def test_two_exports_of_the_same_world_make_the_same_vault(serve: Serve, tmp_path: Path) -> None:
    served = serve("demo")
    for name, workers in (("one", "1"), ("two", "8")):
        done = served.tobs("export", *served.ready["targets"], "--workers", workers, "--vault", str(tmp_path / name))
        assert done.code == 0, done.stderr
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    assert sorted(one) == sorted(two)
    assert one == two


@pytest.mark.parametrize("workers", [1, 4, 8])
def test_every_served_id_is_archived_once_whatever_the_holes(serve: Serve, tmp_path: Path, workers: int) -> None:
    served = serve(f"synthetic:messages=700,chats=1,media=0,sparse=50,seed={workers}")
    vault = tmp_path / "vault"
    done = served.tobs("export", served.target, "--workers", str(workers), "--vault", str(vault), "--json")
    assert done.code == 0, done.stderr
    ids = archived_ids(vault)
    assert len(ids) == len(set(ids)) == 700


def test_flood_waits_dropped_connections_and_server_errors_lose_nothing_and_are_told(
    serve: Serve, tmp_path: Path
) -> None:
    served = serve(
        "synthetic:messages=3000,chats=1,media=0,seed=5",
        *("--fault", "messages.getHistory#4=flood:1"),
        *("--fault", "messages.getHistory#9=drop"),
        *("--fault", "messages.getHistory#14=error:500:INTERNAL"),
    )
    vault = tmp_path / "vault"
    done = served.tobs("export", served.target, "--workers", "4", "--vault", str(vault), "--json")
    assert done.code == 0, done.stderr
    report = done.json
    assert sorted(archived_ids(vault)) == sorted(set(archived_ids(vault)))
    assert report["messages"]["new"] == 3000 == len(archived_ids(vault))
    assert report["flood"]["waits"] >= 1
    assert report["problems"] == []
    told = " ".join(item["what"] for item in report["recovered"])
    assert "flood" in told
    assert "INTERNAL" in told
    assert re.search("connection|reconnect", told)


def test_a_takeout_session_wraps_the_history_and_is_finished(serve: Serve, tmp_path: Path) -> None:
    served = serve(SMALL)
    assert served.tobs("export", served.target, "--vault", str(tmp_path / "vault")).code == 0
    log = served.log()
    methods = [entry["method"] for entry in log]
    assert methods.count("account.initTakeoutSession") == methods.count("account.finishTakeoutSession") == 1
    for entry in log:
        if entry["method"] in ("messages.getHistory", "upload.getFile", "account.finishTakeoutSession"):
            assert "invokeWithTakeout" in entry["wrappers"], entry


def test_without_takeout_no_request_is_wrapped(serve: Serve, tmp_path: Path) -> None:
    served = serve(SMALL)
    assert served.tobs("export", served.target, "--no-takeout", "--vault", str(tmp_path / "vault")).code == 0
    assert not [entry for entry in served.log() if "invokeWithTakeout" in entry["wrappers"]]


def test_what_the_owner_wrote_into_a_note_survives_an_edit_on_telegram(serve: Serve, tmp_path: Path) -> None:
    served = serve("synthetic:messages=60,chats=1,media=0,seed=9")
    vault = tmp_path / "vault"
    assert served.tobs("export", served.target, "--vault", str(vault)).code == 0
    notes = sorted(path for path in (vault / "Telegram").rglob("20*.md"))
    mine = notes[-1]
    message_id = int(mine.name.split()[1])
    mine.write_text(mine.read_text() + "\nMy own words.\n")
    served.control("/edit", {"chat": served.target, "id": message_id, "text": "Edited on Telegram."})
    other = int(notes[-2].name.split()[1])
    served.control("/edit", {"chat": served.target, "id": other, "text": "Another edit."})
    done = served.tobs("export", served.target, "--vault", str(vault), "--json")
    assert done.json["messages"]["edited"] == 2
    assert "My own words." in mine.read_text()
    assert "Another edit." in notes[-2].read_text()
    assert done.json["notes"]["updated"] >= 1


def test_a_note_the_owner_deleted_stays_deleted(serve: Serve, tmp_path: Path) -> None:
    served = serve("synthetic:messages=60,chats=1,media=0,seed=9")
    vault = tmp_path / "vault"
    assert served.tobs("export", served.target, "--vault", str(vault)).code == 0
    gone = sorted((vault / "Telegram").rglob("20*.md"))[-1]
    gone.unlink()
    served.control("/edit", {"chat": served.target, "id": int(gone.name.split()[1]), "text": "Edited."})
    assert served.tobs("export", served.target, "--vault", str(vault)).code == 0
    assert not gone.exists()
