"""Every kind of chat, chosen in every way and filtered, by the real command over TCP."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec import json

from tests.e2e.conftest import Serve
from tests.e2e.harness import Done, Served, stamps, tree
from tobs.model import Message
from tobs.pipeline.select.expression import message_type
from tobs.sandbox import open_world
from tobs.sandbox.worlds import chats as world


def rows(vault: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(vault / ".tobs" / "archive.db")) as database:
        return list(database.execute(query))


def archived(vault: Path) -> dict[int, list[int]]:
    """The ids in the archive, by chat, with repetitions if there were any."""
    found: dict[int, list[int]] = {}
    for chat, number in rows(vault, "SELECT chat_id, id FROM messages ORDER BY chat_id, id"):
        found.setdefault(chat, []).append(number)
    return found


def served_ids(name: str, chat: int) -> list[int]:
    history = open_world(name).history(chat)
    return sorted(history.slice(0, history.count))


def export(served: Served, vault: Path, *arguments: str, code: int = 0) -> Done:
    done = served.tobs("export", *arguments, "--vault", str(vault), "--json", timeout=60)
    assert done.code == code, done.stderr
    return done


def notes(vault: Path) -> dict[str, Path]:
    """Notes by their tobs_id."""
    found = {}
    for path in (vault / "Telegram").rglob("*.md"):
        told = re.search(r'^tobs_id: "?([^"\n]+)', path.read_text(encoding="utf-8"), re.MULTILINE)
        assert told, path
        assert told[1] not in found, f"{told[1]} has two notes"
        found[told[1]] = path
    return found


def test_private_chats_bots_saved_messages_and_groups_are_whole_and_a_second_run_writes_nothing(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault, demo = serve("demo"), tmp_path / "vault", open_world("demo")
    chats = [chat for chat in demo.dialogs() if chat > -(10**12)]
    targets = ["me", "@ines_bakes", "Roof crew", "@exchange_bot"]
    export(served, vault, *targets)
    found = archived(vault)
    assert found == {chat: served_ids("demo", chat) for chat in chats}
    everything = [number for ids in found.values() for number in ids]
    assert len(everything) == len(set(everything)), "one sequence of ids for all of them"
    owners = rows(vault, "SELECT DISTINCT account FROM messages")
    assert owners == [(demo.me.id,)], "the archive's key carries the account"
    told = notes(vault)
    assert {f"{chat}/{ids[0]}" for chat, ids in found.items()} <= set(told)
    before, again = stamps(vault), export(served, vault, *targets).json
    assert again["messages"]["new"] == 0 and set(again["notes"].values()) == {0}
    assert stamps(vault) == before


def test_chats_are_listed_with_their_messages_at_the_cost_of_a_request_each(serve: Serve) -> None:
    served, demo = serve("demo"), open_world("demo")
    listed = served.tobs("chats", "--json").json
    assert {row["id"]: row["messages"] for row in listed} == {chat: demo.history(chat).count for chat in demo.dialogs()}
    since = len(served.log())
    listed = served.tobs("chats", "--json", "--count", "2").json
    assert [row["messages"] is None for row in listed] == [False] * 2 + [True] * (len(listed) - 2)
    asked = [entry["method"] for entry in served.log(since)]
    assert asked.count("messages.getHistory") == 2
    served.control("/faults", {"faults": ["messages.getHistory*=error:400:CHANNEL_PRIVATE"]})
    assert {row["messages"] for row in served.tobs("chats", "--json").json} == {None}


def test_a_supergroup_and_the_group_it_grew_from_are_one_chat(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("chats"), tmp_path / "vault"
    report = export(served, vault, "@chess_club").json
    old, new = served_ids("chats", world.CIRCLE), served_ids("chats", world.CLUB)
    assert archived(vault) == {world.CIRCLE: old, world.CLUB: new}
    assert report["messages"]["new"] == len(old) + len(new)
    told = notes(vault)
    assert str(world.CLUB) in told and str(world.CIRCLE) not in told, "one chat note"
    folders = {path.relative_to(vault / "Telegram").parts[0] for name, path in told.items() if name[0] == "-"}
    assert folders == {"Chess Club"}
    assert f"{world.CIRCLE}/{old[0]}" in told and f"{world.CLUB}/{new[-1]}" in told
    first = told[f"{world.CIRCLE}/{old[0]}"].read_text(encoding="utf-8")
    assert 'chat: "[[Telegram/Chess Club/Chess Club|' in first
    assert f"messages: {len(old) + len(new)}" in told[str(world.CLUB)].read_text(encoding="utf-8")
    before = stamps(vault)
    assert export(served, vault, str(world.CIRCLE)).json["messages"]["new"] == 0
    assert stamps(vault) == before
    wrapped = [entry for entry in served.log() if entry["method"] == "messages.getHistory"]
    assert all("invokeWithTakeout" in entry["wrappers"] for entry in wrapped)


def test_all_chats_without_the_excluded_and_then_the_left_ones(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("chats"), tmp_path / "vault"
    export(served, vault, "--all", "--exclude", "ada", "--exclude", "me", "--exclude", "folder:Channels")
    found = archived(vault)
    assert set(found) == {world.BEN, world.WEATHER, world.CIRCLE, world.CLUB, world.QUIET}
    assert found == {chat: served_ids("chats", chat) for chat in found}
    export(served, vault, "--left")
    assert archived(vault)[world.LEFT] == served_ids("chats", world.LEFT)
    export(served, vault, "--left", "--no-takeout", code=1)


def test_folders_ids_and_invite_links_are_targets(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("chats"), tmp_path / "vault"
    invited = f"https://t.me/+{world.INVITED_CODE}"
    refused = export(served, vault, invited, code=2)
    assert "--join" in refused.stderr and "messages.importChatInvite" not in [e["method"] for e in served.log()]
    export(served, vault, invited, "--join", "--no-media")
    export(served, vault, "folder:channels", str(world.QUIET))
    assert set(archived(vault)) == {world.INVITED, world.MEMBERS, world.QUIET}


def test_one_chat_that_is_refused_does_not_keep_the_others_out(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("demo"), tmp_path / "vault"
    done = export(served, vault, "@tobs_demo_closed", "me", "@exchange_bot", code=1)
    assert len(archived(vault)) == 2 and len(done.json["problems"]) == 1


Told = tuple[int, int, str, int, str]
"""Of a message: id, Unix time, type, sender, text in lower case."""

FILTERS: list[tuple[list[str], Any]] = [
    (["--limit", "10"], lambda found: found[-10:]),
    (["--min-id", "20", "--max-id", "130", "--type", "service"],
     lambda found: [one for one in found if 20 <= one[0] <= 130 and one[2] == "service"]),
    (["--type", "photo,voice", "--limit", "4"],
     lambda found: [one for one in found if one[2] in ("photo", "voice")][-4:]),
    (["--since", "2024-06-01", "--until", "2024-08-31"],
     lambda found: [one for one in found if 1717200000 <= one[1] < 1725148800]),
    (["--from", "@marta_brandt", "--where", "'bell' in lower(text) or id > 5"],
     lambda found: [one for one in found if one[3] == 770_000_002 and ("bell" in one[4] or one[0] > 5)]),
]  # fmt: skip


def every_message(vault: Path, chat: int) -> list[Told]:
    found = [json.decode(model, type=Message) for (model,) in rows(vault, "SELECT model FROM messages ORDER BY id")]
    return [(m.id, m.date, message_type(m), m.sender_id, m.text.lower()) for m in found if m.chat_id == chat]


def test_filters_bring_what_they_say_and_settle_nothing_they_left_out(serve: Serve, tmp_path: Path) -> None:
    served, group = serve("demo"), -1001770000002
    whole = tmp_path / "whole"
    export(served, whole, str(group), "--no-media")
    messages = every_message(whole, group)
    albums = dict(rows(whole, f"SELECT id, album_id FROM messages WHERE chat_id = {group}"))
    for number, (options, expected) in enumerate(FILTERS):
        vault = tmp_path / f"filtered{number}"
        export(served, vault, str(group), "--no-media", *options)
        wanted = {message[0] for message in expected(messages)}
        got = set(archived(vault).get(group, []))
        assert wanted and wanted <= got, options
        # With one message of an album, all of it.
        assert all(albums[one] and albums[one] in {albums[each] for each in wanted} for one in got - wanted), options
        assert len([name for name in notes(vault) if name.startswith(f"{group}/")]) > 0, "what was fetched has notes"
        covered = rows(vault, f"SELECT low, high FROM coverage WHERE chat_id = {group}")
        ids = {message[0] for message in messages}
        claimed = {one for one in ids for low, high in covered if low <= one <= high}
        assert claimed <= got, f"{options}: ids are settled that were left out"


def test_a_sender_is_named_by_a_part_of_the_name_that_only_one_has(serve: Serve, tmp_path: Path) -> None:
    served, vault, group = serve("demo"), tmp_path / "vault", "@tobs_demo_group"
    export(served, vault, group, "--no-media", "--from", "marta BRANDT")
    senders = {person for (person,) in rows(vault, "SELECT DISTINCT sender_id FROM messages WHERE album_id = 0")}
    assert senders == {770_000_002}
    export(served, tmp_path / "ines", "@ines_bakes", "--no-media", "--from", "Kovač")
    assert rows(tmp_path / "ines", "SELECT DISTINCT sender_id FROM messages") == [(770_000_004,)]
    several = export(served, tmp_path / "other", group, "--no-media", "--from", "a", code=2).stderr
    assert "fits" in several and "Jonas Adler (770000003)" in several
    nobody = export(served, tmp_path / "other", group, "--no-media", "--from", "Zaphod", code=2).stderr
    assert "No sender is called 'Zaphod'" in nobody
    # The members of a channel are not shown; the archive knows who wrote what it has.
    assert export(served, vault, group, "--no-media", "--from", "Brandt", "--limit", "3").json["problems"] == []


def test_a_run_without_filters_completes_a_filtered_one(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("demo"), tmp_path / "vault"
    export(served, vault, "@tobs_demo_group", "--where", "id % 3 == 0 or type == 'photo'", "--limit", "40")
    export(served, vault, "@tobs_demo_group")
    export(served, tmp_path / "at once", "@tobs_demo_group")
    assert archived(vault) == archived(tmp_path / "at once")
    told, at_once = notes(vault), notes(tmp_path / "at once")
    assert {name: path.name for name, path in told.items()} == {name: path.name for name, path in at_once.items()}


def test_a_filter_that_cannot_be_read_is_told_before_anything_is_asked(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("demo", login=False), tmp_path / "vault"
    done = export(served, vault, "me", "--where", "views > 5 and colour == 1", code=2)
    assert "column 15" in done.stderr and "'colour'" in done.stderr
    shown, caret = done.stderr.rstrip().splitlines()[-2:]
    assert shown[caret.index("^") :] == "colour == 1"
    assert "2024-99" in export(served, vault, "me", "--since", "2024-99", code=2).stderr
    assert served.log() == []


def test_an_album_cut_by_a_filter_is_one_note_in_the_end(serve: Serve, tmp_path: Path) -> None:
    served, vault, channel = serve("demo"), tmp_path / "vault", -1001770000001
    history = open_world("demo").history(channel)
    grouped = [number for number in served_ids("demo", channel) if getattr(history.get(number), "grouped_id", None)]
    export(served, vault, str(channel), "--no-media", "--min-id", str(grouped[1]))
    export(served, vault, str(channel), "--no-media")
    first, second = rows(vault, f"SELECT note_id FROM messages WHERE id IN ({grouped[0]}, {grouped[1]})")
    assert first == second
    assert archived(vault)[channel] == served_ids("demo", channel)


def test_a_note_of_an_earlier_run_finds_what_a_later_run_brings(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("demo"), tmp_path / "vault"
    export(served, vault, "me", "--no-media")
    saved = tree(vault)
    export(served, vault, "@tobs_demo", "--no-media")
    mended = [name for name, text in saved.items() if "Saved Messages/20" in name and tree(vault)[name] != text]
    assert mended, "forwards of the channel's posts now link to them"
    assert any(b"Telegram/The Old Exchange" in (vault / name).read_bytes() for name in mended)
    before = stamps(vault)
    export(served, vault, "@tobs_demo", "--no-media")
    assert stamps(vault) == before


def test_a_group_that_was_exported_before_it_grew_stays_one_chat(serve: Serve, tmp_path: Path) -> None:
    served, vault, group = serve("demo"), tmp_path / "vault", -770_000_010
    export(served, vault, "Roof crew", "--no-media")
    before, note = notes(vault), notes(vault)[str(group)]
    note.write_text(note.read_text(encoding="utf-8") + "\nMy own words.\n", encoding="utf-8")
    grown = served.control("/migrate", {"chat": group, "username": "roof_crew"})["id"]
    said = served.control("/messages", {"chat": grown, "text": "up here now", "sender": 770_000_003})["id"]
    export(served, vault, "@roof_crew", "--no-media")
    after = notes(vault)
    assert str(group) not in after and after[str(grown)] == note, "one note, where it was"
    text = note.read_text(encoding="utf-8")
    assert "My own words.\n" in text and f"messages: {len(archived(vault)[group]) + 2}" in text
    assert after[f"{grown}/{said}"].is_relative_to(note.parent), "one folder"
    moved = {name: path for name, path in before.items() if name != str(group) and after.get(name) != path}
    assert moved == {}
    untouched = stamps(vault)
    assert export(served, vault, str(group), "--no-media").json["messages"]["new"] == 0
    assert stamps(vault) == untouched
