"""Forums by the real command: a folder and a note for each topic, topics by themselves, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Serve
from tests.e2e.harness import stamps, tree
from tests.e2e.test_chats import archived, export, notes, rows, served_ids
from tobs.sandbox import open_world
from tobs.sandbox.worlds.community import GUILD, TOPICS
from tobs.sandbox.worlds.threads import thread_ids


def topic_ids(title: str) -> list[int]:
    return [id for id, topic in open_world("community").topics[GUILD].items() if topic.title == title]


def folder(path: Path, vault: Path) -> str:
    return "/".join(path.relative_to(vault / "Telegram/Garden Guild").parts[:2])


def test_each_topic_has_its_folder_and_its_note(serve: Serve, tmp_path: Path) -> None:
    served, vault, world = serve("community"), tmp_path / "vault", open_world("community")
    export(served, vault, "@garden_guild")
    assert archived(vault) == {GUILD: served_ids("community", GUILD)}
    told, seen = notes(vault), set[str]()
    for id, topic in world.topics[GUILD].items():
        note = told[f"{GUILD}/topic/{id}"]
        seen.add(folder(note, vault))
        assert note.stem == note.parent.name, "the note is called as its folder is"
        members = [*thread_ids(world, GUILD, id), *([id] if id > 1 else [])]
        text = note.read_text(encoding="utf-8")
        assert f"messages: {len(members)}\n" in text
        assert f"closed: {str(bool(topic.closed)).lower()}\n" in text
        assert f"pinned: {str(bool(topic.pinned)).lower()}\n" in text
        for member in members:
            path = told[f"{GUILD}/{member}"]
            assert folder(path, vault) == folder(note, vault)
            link = f'topic: "[[{note.relative_to(vault).as_posix().removesuffix(".md")}|'
            assert link in path.read_text(encoding="utf-8")
    assert len(seen) == len(TOPICS) + 1, "two topics of one name have two folders"
    chat = told[str(GUILD)].read_text(encoding="utf-8")
    assert chat.count("/Topics/") > len(TOPICS), "the chat's note leads to all of them"
    methods = [entry["method"] for entry in served.log()]
    assert methods.count("messages.getHistory") <= 1.15 * 4 + 20 and "messages.getReplies" not in methods
    before = stamps(vault)
    assert export(served, vault, "@garden_guild").json["messages"]["new"] == 0
    assert stamps(vault) == before


def test_topics_by_link_and_by_option_and_then_the_rest_make_the_same_vault(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("community"), tmp_path / "vault"
    world, first = open_world("community"), min(topic_ids("Tools"))
    export(
        served,
        vault,
        f"https://t.me/garden_guild/{first}",
        f"t.me/garden_guild/1/{max(served_ids('community', GUILD))}",
    )
    wanted = {first, *thread_ids(world, GUILD, first), *thread_ids(world, GUILD, 1)}
    assert set(archived(vault)[GUILD]) == wanted
    assert rows(vault, f"SELECT count(*) FROM coverage WHERE chat_id = {GUILD} AND high > low + 1") == [(0,)]
    second = max(topic_ids("Tools"))
    export(served, vault, "@garden_guild", "--topic", str(second), "--topic", str(first))
    assert set(archived(vault)[GUILD]) == wanted | {second, *thread_ids(world, GUILD, second)}
    export(served, vault, "@garden_guild")
    export(served, tmp_path / "at once", "@garden_guild")
    assert tree(vault) == tree(tmp_path / "at once")


def test_a_topic_by_itself_is_not_fetched_again_and_verify_tells_what_of_it_is_known(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve("community"), tmp_path / "vault"
    topic = min(topic_ids("Tools"))
    served.control("/messages", {"chat": "@garden_guild", "text": "Much", "thread": topic, "count": 90})
    members = 90 + len({topic, *thread_ids(open_world("community"), GUILD, topic)})
    assert export(served, vault, "@garden_guild", "--topic", str(topic)).json["messages"]["new"] == members
    plan = served.tobs("plan", "@garden_guild", "--topic", str(topic), "--vault", str(vault), "--json").json
    assert plan["new"] == 0
    before, since = stamps(vault), served.log()[-1]["n"]
    again = export(served, vault, "@garden_guild", "--topic", str(topic)).json["messages"]
    assert again["new"] == 0 and again["fetched"] <= 50, "no more than the look-back"
    assert stamps(vault) == before
    methods = [entry["method"] for entry in served.log(since)]
    assert methods.count("messages.getReplies") <= 2 and "channels.getMessages" not in methods
    new = served.control("/messages", {"chat": "@garden_guild", "text": "More", "thread": topic})["id"]
    assert export(served, vault, "@garden_guild", "--topic", str(topic)).json["messages"]["new"] == 1
    done = served.tobs("verify", "--vault", str(vault), "--json")
    (ledger,) = done.json["coverage"]
    assert done.code == 0 and (ledger["topic"], ledger["top"], ledger["never_fetched"]) == (topic, new, 0)
    assert ledger["saved"] + ledger["service"] == members + 1
    export(served, vault, "@garden_guild")
    export(served, tmp_path / "at once", "@garden_guild")
    assert tree(vault) == tree(tmp_path / "at once")
    (ledger,) = served.tobs("verify", "--vault", str(vault), "--json").json["coverage"]
    assert ledger["topic"] == 0, "the whole forum tells of its topics, too"


def test_a_topic_that_is_renamed_keeps_its_folder_and_tells_its_earlier_name(serve: Serve, tmp_path: Path) -> None:
    served, vault, topic = serve("community"), tmp_path / "vault", min(topic_ids("Tools"))
    export(served, vault, "@garden_guild")
    before = notes(vault)
    served.control("/topics", {"chat": "@garden_guild", "id": topic, "title": "Spades", "pinned": True})
    made = served.control("/topics", {"chat": "@garden_guild", "title": "Bees"})["id"]
    said = served.control("/messages", {"chat": "@garden_guild", "text": "Buzz", "thread": made})["id"]
    export(served, vault, "@garden_guild")
    after = notes(vault)
    assert {name: after[name] for name in before} == before, "nothing moved"
    text = after[f"{GUILD}/topic/{topic}"].read_text(encoding="utf-8")
    assert 'title: "Spades"' in text and "pinned: true" in text and "Earlier titles: Tools" in text
    assert folder(after[f"{GUILD}/{said}"], vault) == folder(after[f"{GUILD}/topic/{made}"], vault) == "Topics/Bees"


def test_a_topic_that_is_not_there_is_told_with_those_that_are(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("community"), tmp_path / "vault"
    assert "Seeds & bulbs (2)" in export(served, vault, "@garden_guild", "--topic", "777", code=2).stderr
    assert "no topics" in export(served, vault, "me", "--topic", "1", code=2).stderr
