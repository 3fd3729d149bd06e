"""``tobs plan``: it tells what an export then does, and changes nothing."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Serve


def test_a_plan_tells_what_the_export_then_does_and_changes_nothing(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("demo"), tmp_path / "vault"
    targets = ("@tobs_demo", "me")
    done = served.tobs("plan", *targets, "--vault", str(vault), "--json", timeout=60)
    assert done.code == 0, done.stderr
    plan = done.json
    assert not vault.exists()
    asked = [entry["method"] for entry in served.log()]
    assert "account.initTakeoutSession" not in asked and "upload.getFile" not in asked
    channel, saved = plan["items"]
    assert plan["takeout"] == ["channels", "files", "users"]
    assert saved["media"] == {"photo": {"count": 1, "bytes": 65746, "wanted": True}} and saved["bytes"] == 65746
    assert channel["kinds"]["photo"] == channel["media"]["photo"]["count"] > 10

    since = len(served.log())
    report = served.tobs("export", *targets, "--vault", str(vault), "--json", timeout=60).json
    assert report["messages"]["new"] == plan["new"] == plan["messages"] == channel["new"] + saved["new"]
    assert (vault / channel["folder"]).is_dir() and (vault / saved["folder"]).is_dir()
    sent = len(served.log()) - since
    assert 0.5 * sent <= plan["requests"] <= 2 * sent, (plan["requests"], sent)
    assert report["notes"]["created"] > 0.8 * plan["notes"]

    again = served.tobs("plan", *targets, "--vault", str(vault), "--json", timeout=60).json
    assert again["new"] == 0 and again["bytes"] in (0, None)
    assert [item["archived"] for item in again["items"]] == [channel["messages"], saved["messages"]]


def test_a_plan_of_a_supergroup_counts_the_group_it_grew_from(serve: Serve, tmp_path: Path) -> None:
    served = serve("chats")
    plan = served.tobs("plan", "@chess_club", "@nobody_there", "--vault", str(tmp_path / "v"), "--json", timeout=60)
    assert plan.code == 1
    assert plan.json["items"][0]["messages"] == 380
    assert {"chats", "megagroups"} <= set(plan.json["takeout"])
    assert "nobody_there" in plan.json["problems"][0]["item"]
    told = served.tobs("plan", "@chess_club", "--vault", str(tmp_path / "v"), timeout=60)
    assert "Chess Club" in told.stdout and "380" in told.stdout
