"""Whole commands while Telegram makes trouble: the vault is the one of an undisturbed run, the report tells it."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.harness import TOBS, Served, tree

WORLD = "synthetic:messages=900,chats=1,media=0.04,seed=11"
HISTORY = "messages.getHistory"


def export(served: Served, vault: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    done = served.tobs("export", served.target, "--vault", str(vault), "--json", *more)
    return done.code, done.json if done.stdout else {}, done.stderr


def strike(served: Served, *faults: str) -> None:
    served.control("/faults", {"clear": True, "faults": list(faults)})


def calls(served: Served, method: str, since: int = 0) -> list[dict[str, Any]]:
    return [entry for entry in served.log(since) if entry["method"] == method]


def test_a_disturbed_export_makes_the_vault_of_an_undisturbed_one(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD, "--dcs", "3")
    code, _, errors = export(served, tmp_path / "quiet")
    assert code == 0, errors
    strike(
        served,
        "account.initTakeoutSession=error:420:TAKEOUT_INIT_DELAY_86400",
        f"{HISTORY}#3=flood:1",
        f"{HISTORY}#5=error:500:RPC_CALL_FAIL",
        f"{HISTORY}#7=away:300",
        "upload.getFile#2=corrupt",
        "upload.getFile#4=expire",
        *(f"upload.getFile#{number}=short" for number in (8, 9, 10)),
        "upload.getFile#13=drop",
    )
    before = served.log()[-1]["n"]
    code, report, errors = export(served, tmp_path / "loud")
    assert code == 0, errors
    assert tree(tmp_path / "loud") == tree(tmp_path / "quiet")
    told = " · ".join(item["what"] for item in report["recovered"])
    for word in ("flood wait on messages.getHistory", "RPC_CALL_FAIL", "restored", "damaged", "reference", "short"):
        assert word in told, told
    assert report["flood"]["waits"] == 1 and report["problems"] == []
    assert "press Allow" in told and "24 h" in told and "normal API" in told
    assert not any("invokeWithTakeout" in entry["wrappers"] for entry in calls(served, HISTORY, before))


def test_a_long_flood_wait_pauses_the_run_which_tells_why_and_until_when_and_goes_on(
    serve: Serve, tmp_path: Path
) -> None:
    served = serve(WORLD)
    strike(served, f"{HISTORY}#3=flood:4")
    done = served.tobs(
        "export",
        served.target,
        *("--vault", str(tmp_path / "vault"), "--json", "--workers", "1", "--no-media"),
        TOBS_FLOOD_THRESHOLD="1",
    )
    assert done.code == 0, done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    notices = [line["notice"] for line in lines if line["notice"]]
    assert len(notices) == 1, notices
    (notice,) = notices
    assert notice.startswith("Paused until ") and HISTORY in notice and "flood wait" in notice
    paused = [line for line in lines if line["paused_until"]]
    assert paused and {line["waiting_for"] for line in paused} == {HISTORY}
    assert done.json["flood"] == {"waits": 1, "seconds": 4.0} and done.json["messages"]["fetched"] == 900
    (flooded,) = [entry for entry in served.log() if entry["error"] == "FLOOD_WAIT_4"]
    later = served.log(flooded["n"])
    assert later and [one for one in later if one["time"] < flooded["time"] + 4] == [], "nothing of any kind was sent"


def test_a_paused_run_that_is_stopped_ends_at_once_and_the_next_one_keeps_the_pause(
    serve: Serve, tmp_path: Path
) -> None:
    served, errors = serve(WORLD), tmp_path / "errors"
    strike(served, f"{HISTORY}#3=flood:40000")
    command = ["export", served.target, "--vault", str(tmp_path / "vault"), "--json", "--workers", "1", "--no-media"]

    def stopped_in_its_pause(stop: signal.Signals) -> dict[str, Any]:
        with errors.open("wb") as told, (tmp_path / "report").open("wb") as out:
            process = subprocess.Popen([*TOBS, *command], env=served.environment(), stdout=out, stderr=told)
            deadline = time.monotonic() + 60
            while b"Paused until" not in errors.read_bytes():
                assert time.monotonic() < deadline and process.poll() is None, errors.read_text()
                time.sleep(0.05)
            process.send_signal(stop)
            assert process.wait(30) == 130
        (report,) = sorted((tmp_path / "vault/.tobs/reports").glob("*.json"))[-1:]
        return json.loads(report.read_bytes())

    report = stopped_in_its_pause(signal.SIGINT)
    assert report["flood"]["waits"] == 1 and report["flood"]["seconds"] < 40000
    (flooded,) = [entry for entry in served.log() if entry["error"] == "FLOOD_WAIT_40000"]
    assert [one["method"] for one in served.log(flooded["n"])] == ["account.finishTakeoutSession"]
    asked = len(calls(served, HISTORY))
    report = stopped_in_its_pause(signal.SIGTERM)
    assert report["flood"]["waits"] == 1, "the wait is known to the next process"
    done = served.tobs(*command, TOBS_FLOOD_PATIENCE="2h")
    assert done.code == 4 and HISTORY in done.stderr and " again after 20" in done.stderr
    assert len(calls(served, HISTORY)) == asked, "and Telegram is not asked meanwhile"


def test_a_killed_run_s_takeout_is_gone_on_with(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD, "--latency", "20")
    process = served.start("export", served.target, "--vault", str(tmp_path / "vault"))
    deadline = time.monotonic() + 60
    while len([one for one in calls(served, HISTORY) if "invokeWithTakeout" in one["wrappers"]]) < 3:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = served.log()[-1]["n"]
    code, _, errors = export(served, tmp_path / "vault")
    assert code == 0, errors
    assert len(calls(served, "account.initTakeoutSession")) == 1
    assert calls(served, "account.initTakeoutSession", before) == []
    (finish,) = calls(served, "account.finishTakeoutSession")
    assert "invokeWithTakeout" in finish["wrappers"]
    assert [one for one in calls(served, HISTORY, before) if "invokeWithTakeout" in one["wrappers"]]
    (takeout,) = served.control("/state")["takeouts"]
    assert takeout["finished"] and takeout["success"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_finishes_its_takeout(stop: signal.Signals, serve: Serve, tmp_path: Path) -> None:
    served = serve("synthetic:messages=3000,chats=1,media=0,seed=11", "--latency", "150")
    process = served.start("export", served.target, "--workers", "1", "--vault", str(tmp_path / "vault"))
    deadline = time.monotonic() + 60
    while len(calls(served, HISTORY)) < 3:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.send_signal(stop)
    assert process.wait(30) == 130
    (takeout,) = served.control("/state")["takeouts"]
    assert takeout["finished"] and takeout["success"] is False
    assert served.log()[-1]["method"] == "account.finishTakeoutSession"
    code, report, errors = export(served, tmp_path / "vault")
    assert code == 0 and report["messages"]["fetched"] < 3000, errors


def test_a_takeout_allowed_while_the_run_is_under_way_is_used_by_it(serve: Serve, tmp_path: Path) -> None:
    slow = "synthetic:messages=4000,chats=1,media=0,seed=11"  # 40 pages by one worker: time enough to press Allow
    served = serve(slow, "--latency", "150", "--takeout-delay", "86400")
    with (tmp_path / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [
                *TOBS,
                "export",
                served.target,
                "--workers",
                "1",
                "--layout",
                "day",
                "--vault",
                str(tmp_path / "vault"),
                "--report",
                str(tmp_path / "report"),
            ],
            env=served.environment(),
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        deadline = time.monotonic() + 60
        while len(calls(served, HISTORY)) < 2:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)
        served.control("/allow-takeout", {})
        assert process.wait(60) == 0
    assert "press Allow" in (tmp_path / "errors").read_text()
    report = json.loads((tmp_path / "report").read_text())
    assert report["takeout"]["state"] == "late" and report["takeout"]["scopes"] == ["channels", "files"]
    assert any("allowed" in one["what"] for one in report["recovered"]) and report["problems"] == []
    wrapped = ["invokeWithTakeout" in one["wrappers"] for one in calls(served, HISTORY)]
    assert not wrapped[0] and wrapped[-1], "the normal API first, the takeout since it was allowed"
    (takeout,) = served.control("/state")["takeouts"]
    assert takeout["finished"] and takeout["success"]


def test_the_report_says_why_no_takeout_was_used(serve: Serve, tmp_path: Path) -> None:
    served = serve(WORLD, "--takeout-delay", "86400")
    done = served.tobs("export", served.target, "--vault", str(tmp_path / "vault"), "--json", "--limit", "5")
    assert done.code == 0 and done.json["takeout"]["state"] == "delayed"
    assert "press Allow" in done.json["takeout"]["reason"]
    done = served.tobs("export", served.target, "--vault", str(tmp_path / "other"), "--json", "--no-takeout")
    assert (
        done.code == 0 and done.json["takeout"]["state"] == "off" and "--no-takeout" in done.json["takeout"]["reason"]
    )
    assert not [one for one in calls(served, HISTORY) if one["wrappers"].count("invokeWithTakeout")]


@pytest.mark.long
def test_a_disturbed_export_of_many_files_makes_the_same_vault(serve: Serve, tmp_path: Path) -> None:
    """Slow because each of four exports meets a fault in one request of twenty."""
    served = serve("synthetic:messages=3000,chats=1,media=0.1,seed=12", "--dcs", "3")
    code, _, errors = export(served, tmp_path / "quiet")
    assert code == 0, errors
    quiet = tree(tmp_path / "quiet")
    for run in range(4):
        faults = ["corrupt", "short", "drop", "flood:0", "error:500:INTERNAL", "expire"]
        strike(
            served, *(f"upload.getFile%2={fault}" for fault in faults), f"{HISTORY}%5=drop", f"*#{50 + run}=away:500"
        )
        code, report, errors = export(served, tmp_path / f"loud{run}")
        assert code == 0, (errors, report)
        assert tree(tmp_path / f"loud{run}") == quiet
