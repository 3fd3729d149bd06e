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


CASES: list[tuple[str, list[str]]] = [
    ("@tobs_demo_group", ["--type", "photo,voice", "--limit", "4"]),
    ("@tobs_demo_group", ["--where", "'bell' in lower(text)"]),
    ("@synthetic2", ["--since", "2022-06-01", "--max-id", "900"]),
    ("@synthetic2", ["--from", "@synthetic_ada", "--type", "photo"]),
]


def test_a_plan_with_filters_counts_what_the_export_then_brings(serve: Serve, tmp_path: Path) -> None:
    demo, large = serve("demo"), serve("synthetic:messages=2400,chats=2,media=0.2,seed=3")
    for number, (target, options) in enumerate(CASES):
        served, vault = (large if "synthetic" in target else demo), str(tmp_path / f"vault{number}")
        asked = len(served.log())
        plan = served.tobs("plan", target, *options, "--vault", vault, "--no-media", "--json", timeout=60).json
        assert len(served.log()) - asked < 25, "a few requests"
        (item,) = plan["items"]
        assert item["exact"], options
        report = served.tobs("export", target, *options, "--vault", vault, "--no-media", "--json", timeout=60).json
        # With one message of an album, all of it comes; only what was looked at whole tells of that beforehand.
        albums = 1.1 if "photo" in str(options) else 1.0
        assert item["new"] <= report["messages"]["new"] <= albums * item["new"], (options, item, report["messages"])
        assert sum(item["kinds"].values()) == item["messages"] == item["new"]
    again = served.tobs("plan", target, *options, "--vault", vault, "--no-media", "--json", timeout=60).json
    assert again["new"] == 0 and again["items"][0]["archived"] == item["new"]


def test_a_plan_reckons_what_telegram_does_not_count(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("synthetic:messages=2500,chats=1,media=0.2,seed=3"), str(tmp_path / "vault")
    narrow = ["--where", "id % 2 == 0 or type == 'photo'"]
    plan = served.tobs("plan", served.target, *narrow, "--vault", vault, "--json", timeout=60).json
    (item,) = plan["items"]
    assert not item["exact"]
    report = served.tobs("export", served.target, *narrow, "--vault", vault, "--json", timeout=120).json
    assert 0.8 * report["messages"]["new"] <= item["new"] <= 1.2 * report["messages"]["new"]
    assert 0.6 * report["media"]["bytes"] <= plan["bytes"] <= 1.6 * report["media"]["bytes"], "sizes differ much"
    written = [note for note in (tmp_path / "vault/Telegram").rglob("*.md") if note.parent.name.isdigit()]
    assert 0.8 * len(written) <= item["notes"] <= 1.2 * len(written), "an album is one note"
    assert sum(item["kinds"].values()) == item["messages"]


def test_a_plan_of_left_chats_and_of_a_topic_is_made_as_the_export_is(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("chats"), str(tmp_path / "vault")
    plan = served.tobs("plan", "--left", "--vault", vault, "--json", timeout=60)
    assert plan.code == 0, plan.stderr
    report = served.tobs("export", "--left", "--vault", vault, "--json", timeout=60).json
    assert plan.json["new"] == report["messages"]["new"] > 0
    states = served.control("/state")["takeouts"]
    assert len(states) == 2 and all(one["finished"] for one in states), "one for the plan, one for the export"
    without = served.tobs("plan", "--left", "--no-takeout", "--vault", vault, "--json", timeout=60)
    assert without.code == 1 and without.json["problems"][0]["item"] == "--left" and without.json["takeout"] == []


def test_a_plan_reckons_comments_and_stories_where_the_export_brings_them(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("community"), str(tmp_path / "vault")
    targets = ("@garden_post", "@garden_almanac", "@ada_north_garden", "--vault", vault, "--json")
    around = ("--comments", "--stories")
    plain = served.tobs("plan", *targets, timeout=60).json
    assert len(plain["items"]) == 3, "they cost nothing where they are not asked for"
    asked = len(served.log())
    plan = served.tobs("plan", *targets, *around, timeout=60).json
    assert len(served.log()) - asked < 60 and not Path(vault).exists(), "a few requests a chat; nothing is changed"
    found = {item["title"]: item for item in plan["items"]}
    comments, stories = found["The Garden Post: comments"], found["The Garden Post: stories"]
    assert comments["kind"] == "comments" and comments["folder"].endswith("The Garden Post/Comments")
    assert stories["kinds"] == {"story": stories["messages"]} and stories["media"]["photo"]["wanted"]
    since = len(served.log())
    report = served.tobs("export", *targets, *around, timeout=120).json
    sent = len(served.log()) - since
    assert report["messages"]["new"] == plan["new"] > plain["new"]
    assert 0.5 * sent <= plan["requests"] <= 2 * sent, (plan["requests"], sent)
    assert 0.6 * report["media"]["bytes"] <= plan["bytes"] <= 1.6 * report["media"]["bytes"]
    written = list((tmp_path / "vault/Telegram").rglob("20*.md"))
    assert 0.8 * len(written) <= plan["notes"] <= 1.2 * len(written), (plan["notes"], len(written))
    again = served.tobs("plan", *targets, *around, timeout=60).json
    assert again["new"] == 0 and {item["new"] for item in again["items"]} == {0}
