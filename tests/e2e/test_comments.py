"""Comments of channel posts by the real command: filed under their posts, found again, never with two notes."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.e2e.conftest import Serve
from tests.e2e.harness import Served, stamps, tree
from tests.e2e.test_chats import archived, export, notes, rows, served_ids
from tobs.sandbox import open_world
from tobs.sandbox.worlds.community import ALMANAC, CIRCLE, POST, TALK
from tobs.sandbox.worlds.threads import discussion, thread_ids

POSTS = range(1, 13)


def served_comments(channel: int) -> dict[int, int]:
    """The comments under the posts of a channel, each with its post."""
    world, found = open_world("community"), dict[int, int]()
    for post in POSTS:
        group, root = discussion(world, channel, post)
        found |= dict.fromkeys(thread_ids(world, group, root), post)
    return found


def asked(served: Served, since: int, method: str) -> int:
    return sum(1 for entry in served.log(since) if entry["method"] == method)


def test_comments_lie_under_their_posts_and_both_link_to_each_other(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("community"), tmp_path / "vault"
    planned = served.tobs("plan", "@garden_post", "--vault", str(vault), "--json", timeout=60).json["items"][0]
    assert planned["comments"] == {"messages": 261, "archived": 0, "wanted": False}
    left_out = export(served, vault, "@garden_post").json
    assert "--comments" in left_out["remarks"][0] and TALK not in archived(vault)
    export(served, vault, "@garden_post", "--comments")
    wanted = served_comments(POST)
    assert sorted(archived(vault)[TALK]) == sorted(wanted), "what else is said in the group stays out"
    told = notes(vault)
    assert str(TALK) not in told, "the group is no chat of this vault"
    for comment, post in wanted.items():
        path = told[f"{TALK}/{comment}"]
        assert path.relative_to(vault).as_posix().startswith(f"Telegram/The Garden Post/Comments/{post}/")
        note = told[f"{POST}/{post}"] if post != 4 else told[f"{POST}/3"]  # the fourth is of the third's album
        link = note.relative_to(vault).as_posix().removesuffix(".md")
        text = path.read_text(encoding="utf-8")
        assert f'post: "[[{link}]]"' in text and 'chat: "[[Telegram/The Garden Post/' in text
        assert path.relative_to(vault).as_posix().removesuffix(".md") in note.read_text(encoding="utf-8")
    planned = served.tobs("plan", "@garden_post", "--vault", str(vault), "--json", timeout=60).json["items"][0]
    assert planned["comments"] == {"messages": 261, "archived": len(wanted), "wanted": True}
    before = stamps(vault)
    assert export(served, vault, "@garden_post").json["messages"]["new"] == 0
    assert stamps(vault) == before


def test_a_channel_that_writes_in_its_group_has_one_note_whichever_came_first(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("community"), tmp_path / "vault"
    export(served, vault, "@garden_post", "--comments")
    assert f"person/{POST}" not in notes(vault), "it has its own"
    other = tmp_path / "other"
    export(served, other, "@garden_talk")
    export(served, other, "@garden_post", "--comments")
    link = "[[Telegram/People/The Garden Post"
    linking = [name for name, data in tree(other).items() if link.encode() in data and "/People/" not in name]
    assert linking == []
    before = stamps(vault), stamps(other)
    for each in (vault, other):
        assert served.tobs("render", "--vault", str(each)).code == 0
    assert (stamps(vault), stamps(other)) == before


def test_a_comment_that_comes_under_an_old_post_is_found_for_a_few_requests(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("community"), tmp_path / "vault"
    export(served, vault, "@garden_post", "@garden_almanac", "--comments")
    assert sorted(archived(vault)[CIRCLE]) == sorted(served_comments(ALMANAC)), "the account is not in that group"
    for channel, group in (("@garden_post", TALK), ("@garden_almanac", CIRCLE)):
        since = served.log()[-1]["n"]
        export(served, vault, channel)
        assert asked(served, since, "messages.getReplies") == 0, "no post has other comments"
        late = served.control("/comments", {"chat": channel, "post": 2, "text": "Late to the party"})["id"]
        since = served.log()[-1]["n"]
        assert export(served, vault, channel).json["messages"]["new"] == 1
        assert asked(served, since, "messages.getReplies") <= 1 and asked(served, since, "messages.getHistory") <= 5
        assert "Comments/2/" in notes(vault)[f"{group}/{late}"].as_posix()
    export(served, vault, "@garden_post", "--no-comments")
    served.control("/comments", {"chat": "@garden_post", "post": 1, "text": "Nobody hears this"})
    assert export(served, vault, "@garden_post").json["messages"]["new"] == 0, "turned off, it stays off"


def test_the_group_as_a_chat_of_its_own_makes_no_second_note(serve: Serve, tmp_path: Path) -> None:
    served, vault, other = serve("community"), tmp_path / "vault", tmp_path / "other"
    export(served, vault, "@garden_talk", "@garden_post", "--comments")
    assert archived(vault)[TALK] == served_ids("community", TALK)
    told, comments = notes(vault), served_comments(POST)  # reading the notes says that no message has two
    for message in archived(vault)[TALK]:
        place = told[f"{TALK}/{message}"].relative_to(vault / "Telegram").parts
        assert place[:2] == (("The Garden Post", "Comments") if message in comments else ("Garden Talk", "2024"))
    export(served, other, "@garden_post", "@garden_talk", "--comments")
    assert tree(vault) == tree(other), "whichever comes first"


def test_only_the_posts_of_a_filter_bring_their_comments(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("community"), tmp_path / "vault"
    export(served, vault, "@garden_post", "--comments", "--min-id", "11")
    wanted = [comment for comment, post in served_comments(POST).items() if post >= 11]
    assert sorted(archived(vault)[TALK]) == sorted(wanted) and archived(vault)[POST] == [11, 12]
    assert rows(vault, f"SELECT count(*) FROM coverage WHERE chat_id = {TALK}") == [(0,)]
    export(served, vault, "@garden_post")
    assert sorted(archived(vault)[TALK]) == sorted(served_comments(POST))


def test_a_file_of_a_comment_is_fetched_with_a_new_reference_in_a_group_that_may_not_be_read(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve("community"), tmp_path / "vault"
    made = {}
    for channel, group in (("@garden_post", TALK), ("@garden_almanac", CIRCLE)):
        for kind in ("photo", "document"):
            data = f"a {kind} under {channel}".encode() * 50
            media = {"kind": kind, "data": base64.b64encode(data).decode(), "name": f"{kind}.bin"}
            fields = {"chat": channel, "post": 2, "text": "Look", "media": media}
            made[f"{group}/{served.control('/comments', fields)['id']}"] = data
    export(served, vault, "@garden_post", "@garden_almanac", "--comments", "--media-later")
    served.control("/expire", {})
    since = served.log()[-1]["n"]
    done = served.tobs("process", "--vault", str(vault), "--json")
    assert done.code == 0 and done.json["media"]["downloaded"] == 4, done.json["problems"]
    assert any("reference" in one["what"] for one in done.json["recovered"])
    assert asked(served, since, "messages.getReplies") == 2, "in the group that only its comments are seen of"
    told = notes(vault)
    for name, data in made.items():
        text = told[name].read_text(encoding="utf-8")
        file = vault / text.partition('media:\n  - "[[')[2].partition("]]")[0]
        assert file.read_bytes() == data, name


def test_comments_in_day_notes_lie_under_their_post_too(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("community"), tmp_path / "vault"
    export(served, vault, "@garden_post", "--comments", "--layout", "day")
    told = notes(vault)
    found = [name for name in told if name.startswith(f"{POST}/comments/2/")]
    assert found and all("/Comments/2/" in told[name].as_posix() for name in found)
    assert sum(told[name].read_text(encoding="utf-8").count(" ^m") for name in found) == len(
        [post for post in served_comments(POST).values() if post == 2]
    )


def test_edits_and_deletions_of_comments_come_with_a_sync_whoever_may_read_their_group(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve("community"), tmp_path / "vault"
    export(served, vault, "@garden_post", "@garden_almanac", "--comments")
    before = notes(vault)
    comments = {TALK: served_comments(POST), CIRCLE: served_comments(ALMANAC)}
    edited, gone = dict[int, int](), dict[int, int]()
    for group, found in comments.items():
        *_, gone[group], edited[group] = sorted(comment for comment, post in found.items() if post == 2)
        served.control("/edit", {"chat": str(group), "id": edited[group], "text": "On second thought."})
        served.control("/delete", {"chat": str(group), "ids": [gone[group]]})
    served.control("/edit", {"chat": str(TALK), "id": max(served_ids("community", TALK)), "text": "Not of this vault"})
    told = served.tobs("sync", "--vault", str(vault), "--json")
    assert told.code == 0, told.stderr
    counted = told.json["messages"]
    assert (counted["new"], counted["edited"], counted["deleted"]) == (0, 2, 2)
    for group, channel in ((TALK, POST), (CIRCLE, ALMANAC)):
        assert "On second thought." in before[f"{group}/{edited[group]}"].read_text(encoding="utf-8")
        path = before[f"{group}/{gone[group]}"]
        assert "deleted: true" in path.read_text(encoding="utf-8")
        link = path.relative_to(vault).as_posix().removesuffix(".md")
        assert link not in before[f"{channel}/2"].read_text(encoding="utf-8"), "its post leads to it no more"
    stamped, since = stamps(vault), served.log()[-1]["n"]
    assert served.tobs("sync", "--vault", str(vault), "--json").json["messages"]["edited"] == 0
    assert stamps(vault) == stamped and asked(served, since, "messages.getReplies") == 0
    served.control("/edit", {"chat": str(TALK), "id": edited[TALK], "text": "On third thought."})
    served.control("/forget", {"chat": str(TALK)})
    assert served.tobs("sync", "--vault", str(vault), "--json").json["messages"]["edited"] == 1, (
        "too long ago to be told"
    )
