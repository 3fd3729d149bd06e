"""`tobs sync`: what changed since the last run, at the cost of what changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Serve, ServeInProcess
from tests.e2e.harness import Done, Served, stamps, tree
from tests.e2e.test_export import archived_ids

TWO_CHATS = "synthetic:messages=400,chats=2,media=0.05,seed=4"
IDLE = dict.fromkeys(("fetched", "new", "edited", "deleted", "skipped"), 0)


def sync(served: Served, vault: Path, *more: str) -> Done:
    return served.tobs("sync", *more, "--vault", str(vault), "--json")


def note(vault: Path, message_id: int, chat: str = "Synthetic") -> str:
    """The text of a message's note."""
    notes = (vault / "Telegram" / chat).rglob("20*.md")
    [path] = [path for path in notes if path.name.split()[1] == str(message_id)]
    return path.read_text()


def exported(served: Served, vault: Path, *targets: str) -> None:
    done = served.tobs("export", *(targets or served.ready["targets"]), "--vault", str(vault))
    assert done.code == 0, done.stderr


def methods(served: Served, since: int) -> list[str]:
    return [entry["method"] for entry in served.log(since)]


def test_what_happened_on_telegram_is_in_the_notes_and_a_second_sync_asks_once_and_writes_nothing(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve(TWO_CHATS), tmp_path / "vault"
    assert sync(served, vault).code == 5 and not vault.exists(), "a sync makes no vault"
    exported(served, vault)
    missing = sync(served, vault, "@nobody_at_all")
    assert missing.code == 2 and "nobody_at_all" in missing.stderr
    new = served.control("/messages", {"text": "Brand new."})["id"]
    served.control("/edit", {"id": 20, "text": "Edited long after."})
    served.control("/delete", {"ids": [10, 11]})
    served.control("/pin", {"id": 30})
    served.control("/title", {"title": "Renamed"})
    untouched, archive = stamps(vault), (vault / ".tobs/archive.db").read_bytes()
    tried = sync(served, vault, "--dry-run")
    assert tried.code == 0 and stamps(vault) == untouched and (vault / ".tobs/archive.db").read_bytes() == archive
    done = sync(served, vault)
    assert done.json["messages"] == tried.json["messages"], "a dry run tells what would come"
    assert done.code == 0, done.stderr
    assert done.json["command"] == "sync"
    assert done.json["messages"] == {"fetched": 3, "new": 2, "edited": 1, "deleted": 2, "skipped": 0}
    assert "Renamed" in (vault / "Telegram/Synthetic/Synthetic.md").read_text()
    assert "Brand new." in note(vault, new)
    assert "Edited long after." in note(vault, 20)
    assert "edited: 20" in note(vault, 20)
    assert "deleted: true" in note(vault, 10) and "[!warning] Deleted on Telegram" in note(vault, 10)
    assert 10 not in archived_ids(vault, -1001900000001), "its note stays, but it is live no more"
    assert " 30 " in (vault / "Telegram/Synthetic/Synthetic.md").read_text().partition("Pinned")[2]

    before, asked = stamps(vault), len(served.log())
    again = sync(served, vault)
    assert again.json["messages"] == IDLE and set(again.json["notes"].values()) == {0}
    assert stamps(vault) == before
    assert methods(served, asked) == ["messages.getPeerDialogs"], "both chats are asked about together"
    alone = sync(served, vault, served.target)
    assert alone.code == 0 and methods(served, asked + 1) == ["updates.getChannelDifference"]


def test_private_chats_and_groups_share_one_difference_and_other_chats_stay_out(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("chats"), tmp_path / "vault"
    exported(served, vault, "me", "Ben Okafor", "@chess_club")
    ben, ada = 660_000_003, "@ada_north"
    mine = served.control("/messages", {"chat": "me", "text": "A note to myself."})["id"]
    said = served.control("/messages", {"chat": ben, "text": "A word from Ben."})["id"]
    served.control("/messages", {"chat": ada, "text": "Ada is not in this vault."})
    ids = archived_ids(vault, ben)
    served.control("/edit", {"chat": ben, "id": ids[-1], "text": "Ben meant something else."})
    served.control("/delete", {"chat": ben, "ids": ids[:1]})
    asked = len(served.log())
    done = sync(served, vault)
    assert done.code == 0, done.stderr
    assert done.json["messages"] == {"fetched": 3, "new": 2, "edited": 1, "deleted": 1, "skipped": 0}
    assert "A note to myself." in note(vault, mine, "Saved Messages")
    assert "A word from Ben." in note(vault, said, "Ben Okafor")
    assert "Ben meant something else." in note(vault, ids[-1], "Ben Okafor")
    assert not any(b"Ada is not in this vault." in content for content in tree(vault).values())
    assert len([one for one in methods(served, asked) if one == "updates.getDifference"]) == 1
    asked = len(served.log())
    assert sync(served, vault).json["messages"] == IDLE
    assert len(methods(served, asked)) <= 2


def test_many_deletions_at_once_have_to_be_accepted_and_nothing_else_waits_for_them(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve(TWO_CHATS), tmp_path / "vault"
    exported(served, vault)
    served.control("/delete", {"ids": list(range(50, 100))})
    new = served.control("/messages", {"text": "Still here."})["id"]
    other = served.control("/messages", {"chat": served.ready["targets"][1], "text": "Elsewhere."})["id"]
    refused = sync(served, vault)
    assert refused.code == 5
    assert "50 of 201 messages of Synthetic" in refused.stderr and "--accept-deletions" in refused.stderr
    assert 60 in archived_ids(vault, -1001900000001)
    assert "Still here." in note(vault, new) and "Elsewhere." in note(vault, other, "Synthetic 2")
    accepted = sync(served, vault, "--accept-deletions")
    assert accepted.code == 0 and accepted.json["messages"]["deleted"] == 50
    assert 60 not in archived_ids(vault, -1001900000001)
    assert sync(served, vault).json["messages"] == IDLE


def test_what_is_too_long_ago_to_be_told_is_found_some_requests_with_each_sync(
    in_process_world: ServeInProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tobs.pipeline.sync.rescan._RECHECK_REQUESTS", 4)
    served, vault = in_process_world("synthetic:messages=1500,chats=1,media=0,seed=4"), tmp_path / "vault"
    exported(served, vault)
    served.control("/delete", {"ids": [400, 1450]})
    served.control("/edit", {"id": 1400, "text": "Edited out of sight."})
    served.control("/edit", {"id": 7, "text": "Edited at the far end."})
    new = served.control("/messages", {"text": "Posted out of sight."})["id"]
    served.control("/forget", {})
    served.control("/messages", {"text": "Posted later."})
    asked = len(served.log())
    done = sync(served, vault)
    assert done.code == 0, done.stderr
    assert {name: done.json["messages"][name] for name in ("new", "edited", "deleted")} == {
        "new": 2,
        "edited": 1,
        "deleted": 2,
    }
    assert "Posted out of sight." in note(vault, new) and "Edited out of sight." in note(vault, 1400)
    assert methods(served, asked).count("messages.getHistory") < 14, "15 pages are the whole chat"
    assert methods(served, asked).count("channels.getMessages") == 4
    assert "1,098 older messages" in " ".join(one["what"] for one in done.json["recovered"])
    for left in ("698", "298"):
        again = sync(served, vault)
        assert again.json["messages"]["edited"] == 0
        assert f"{left} older messages" in " ".join(one["what"] for one in again.json["recovered"])
    assert sync(served, vault).json["messages"]["edited"] == 1
    assert "Edited at the far end." in note(vault, 7)
    asked = len(served.log())
    assert sync(served, vault).json["messages"] == IDLE
    assert methods(served, asked) == ["updates.getChannelDifference"]


def test_a_private_chat_of_which_a_part_was_exported_is_kept_in_step_once_it_is_named(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    served, vault = in_process_world("chats"), tmp_path / "vault"
    exported(served, vault, "me")
    done = served.tobs("export", "@ada_north", "--where", "id % 2", "--vault", str(vault))
    assert done.code == 0, done.stderr
    missed = served.control("/messages", {"chat": "@ada_north", "text": "Said before anybody listened."})["id"]
    ids = archived_ids(vault, 660_000_002)
    served.control("/edit", {"chat": "@ada_north", "id": ids[0], "text": "Edited before anybody listened."})
    assert sync(served, vault).json["messages"] == IDLE, "a part is not kept in step"
    named = sync(served, vault, "@ada_north")
    assert named.json["messages"]["new"] in (1, 2), named.stderr  # the message before it may be an even one
    assert "Said before" in note(vault, missed, "Ada North") and "Edited before" in note(vault, ids[0], "Ada North")
    said = served.control("/messages", {"chat": "@ada_north", "text": "Said afterwards."})["id"]
    assert sync(served, vault).json["messages"]["new"] == 1
    assert "Said afterwards." in note(vault, said, "Ada North")


def test_long_ago_edits_and_deletions_of_private_chats_are_found_at_once_when_gaps_are_to_be_filled(
    in_process_world: ServeInProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tobs.pipeline.sync.rescan._RECHECK_REQUESTS", 1)
    served, vault = in_process_world("chats"), tmp_path / "vault"
    ben, ada = 660_000_003, 660_000_002
    served.control("/messages", {"chat": ben, "text": "Long ago.", "count": 250})
    exported(served, vault, "Ben Okafor", "@ada_north")
    bens, adas = archived_ids(vault, ben), archived_ids(vault, ada)
    served.control("/edit", {"chat": ben, "id": bens[0], "text": "Ben's first word, changed."})
    served.control("/edit", {"chat": ada, "id": adas[0], "text": "Ada's first word, changed."})
    served.control("/delete", {"chat": ben, "ids": bens[1:3]})
    served.control("/forget", {"chat": ben})
    done = sync(served, vault, "--fill")
    assert done.code == 0, done.stderr
    assert (done.json["messages"]["edited"], done.json["messages"]["deleted"]) == (2, 2)
    assert "Ben's first word, changed." in note(vault, bens[0], "Ben Okafor")
    assert "deleted: true" in note(vault, bens[1], "Ben Okafor")
    assert sync(served, vault, "--fill").json["messages"] == IDLE


def test_earlier_versions_are_folded_below_and_deleted_notes_go_to_the_trash_when_the_owner_wants_that(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve("synthetic:messages=40,chats=1,media=0,seed=4"), tmp_path / "vault"
    exported(served, vault)
    (vault / ".tobs/config.toml").write_text(
        'timezone = "UTC"\ndeleted = "trash"\nkeep_versions = true\ndigest = true\n'
    )
    answer = served.control("/messages", {"text": "An answer.", "reply_to": 10})["id"]
    served.control("/edit", {"id": 20, "text": "The second version."})
    assert sync(served, vault).code == 0
    served.control("/edit", {"id": 20, "text": "The third version."})
    owned = next(path for path in (vault / "Telegram").rglob("20*.md") if path.name.split()[1] == "11")
    owned.write_text(owned.read_text() + "\nMy own words.\n")
    assert "[[" in note(vault, answer).partition("reply_to")[2]
    served.control("/delete", {"ids": [10, 11]})
    done = sync(served, vault)
    assert done.code == 0 and done.json["notes"]["deleted"] == 1
    edited = note(vault, 20)
    assert edited.index("The third version.") < edited.index("[!note]- Earlier versions")
    assert "> The second version." in edited
    [gone] = (vault / ".trash/Telegram/Synthetic").rglob("*.md")
    assert gone.name.split()[1] == "10"
    assert "My own words." in owned.read_text() and "Deleted on Telegram" in owned.read_text()
    assert "https://t.me/synthetic/10" in note(vault, answer)
    digest = (vault / "Telegram/Synthetic/Synthetic.md").read_text().partition("## Since the last sync")[2]
    assert "- Edited: " in digest and "~~second~~ ==third==" in digest
    assert digest.count("- Deleted: ") == 2 and "- New: " not in digest
    before = stamps(vault)
    assert sync(served, vault).json["messages"] == IDLE and stamps(vault) == before


def test_counters_of_recent_messages_are_refreshed_when_asked_for_a_hundred_a_request(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve("synthetic:messages=30,chats=1,media=0,seed=4"), tmp_path / "vault"
    exported(served, vault)
    ids = served.control("/messages", {"text": "Fresh.", "count": 150})["ids"]
    assert sync(served, vault).code == 0
    served.control("/view", {"id": ids[0], "views": 4321, "forwards": 7})
    served.control("/react", {"id": ids[-1], "emoji": "🔥", "count": 9})
    before = stamps(vault)
    assert sync(served, vault).code == 0 and stamps(vault) == before, "counters alone write no note"
    asked = len(served.log())
    done = sync(served, vault, "--counters")
    assert done.code == 0 and done.json["messages"]["edited"] == 0
    assert methods(served, asked).count("channels.getMessages") == 2
    assert "views: 4321" in note(vault, ids[0]) and "🔥 9" in note(vault, ids[-1])
    changed = {path for path, stamp in stamps(vault).items() if before.get(path) != stamp}
    assert len([path for path in changed if "/20" in path]) == 2


@pytest.mark.long  # four runs over a slow line
def test_what_an_interrupted_export_left_out_is_told_new_messages_come_all_the_same_and_fill_fetches_it(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve("synthetic:messages=700,chats=1,media=0,seed=4", "--latency", "40"), tmp_path / "vault"
    process = served.start("export", served.target, "--vault", str(vault), "--workers", "1", "--no-takeout")
    while process.poll() is None and methods(served, 0).count("messages.getHistory") < 5:
        pass
    process.kill()
    process.wait()
    served.control("/edit", {"id": 3, "text": "Edited behind the walk."})
    new = served.control("/messages", {"text": "Meanwhile."})["id"]
    first = sync(served, vault).json["messages"]
    assert (first["new"], first["edited"]) == (1, 1)
    assert "Meanwhile." in note(vault, new) and "Edited behind the walk." in note(vault, 3)
    done = sync(served, vault, "--fill")
    assert done.code == 0, done.stderr
    assert archived_ids(vault) == list(range(1, 702))
    assert len(list((vault / "Telegram/Synthetic").rglob("20*.md"))) == 701
    before, asked = stamps(vault), len(served.log())
    assert sync(served, vault, "--fill").json["messages"] == IDLE and stamps(vault) == before
    assert methods(served, asked) == ["updates.getChannelDifference"]


def test_new_topics_and_comments_under_old_posts_come_with_a_sync(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("community"), tmp_path / "vault"
    done = served.tobs("export", "@garden_guild", "@garden_post", "--comments", "--vault", str(vault))
    assert done.code == 0, done.stderr
    made = served.control("/topics", {"chat": "@garden_guild", "title": "Bees"})["id"]
    said = served.control("/messages", {"chat": "@garden_guild", "text": "Buzz.", "thread": made})["id"]
    late = served.control("/comments", {"chat": "@garden_post", "post": 2, "text": "Late to the party."})["id"]
    assert sync(served, vault).code == 0
    paths = [path.relative_to(vault).as_posix() for path in (vault / "Telegram").rglob("20*.md")]
    assert [path for path in paths if "/Topics/Bees/" in path and f" {said} " in path]
    assert [path for path in paths if "The Garden Post/Comments/2/" in path and f" {late} " in path]
    before, asked = stamps(vault), len(served.log())
    assert sync(served, vault).json["messages"] == IDLE and stamps(vault) == before
    assert methods(served, asked) == ["messages.getPeerDialogs"] * 2, "the chats, and the group of the comments"


@pytest.mark.long  # 100,000 notes are written first
def test_a_sync_of_100000_messages_with_nothing_new_asks_once_and_touches_no_file(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("synthetic:messages=100000,chats=1,media=0,seed=4"), tmp_path / "vault"
    done = served.tobs("export", served.target, "--layout", "message", "--vault", str(vault), timeout=1800)
    assert done.code == 0, done.stderr
    before, asked = stamps(vault), len(served.log())
    assert sync(served, vault).json["messages"] == IDLE
    assert methods(served, asked) == ["updates.getChannelDifference"]
    assert stamps(vault) == before
