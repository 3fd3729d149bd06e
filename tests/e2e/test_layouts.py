"""Layouts day and month, end to end: every message has its block, links lead to it, a second run writes nothing."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.e2e import judge
from tests.e2e.conftest import Serve
from tests.e2e.harness import Served, stamps
from tests.e2e.judge import Vault
from tobs.sandbox.worlds import chats as world

_BLOCK = re.compile(r"^.* \^([mg]\d+)$", re.MULTILINE)


def export(served: Served, vault: Path, *arguments: str) -> Any:
    done = served.tobs("export", *arguments, "--vault", str(vault), "--json", timeout=120)
    assert done.code == 0, done.stderr
    return done.json


def blocks(vault: Vault) -> dict[str, list[str]]:
    """The blocks of each note of a day or month, by tobs_id."""
    return {
        each["tobs_id"]: _BLOCK.findall(vault.bodies[name])
        for name, each in vault.of_kind(r"-?\d+/\d{4}-\d\d(-\d\d)?").items()
    }


def units(vault: Path, chat: int) -> list[int]:
    """The messages of a chat, of an album the first."""
    with closing(sqlite3.connect(vault / ".tobs" / "archive.db")) as database:
        query = "SELECT id, album_id FROM messages WHERE chat_id = ? ORDER BY id"
        albums: dict[int, int] = {}
        return [n for n, album in database.execute(query, (chat,)) if not album or albums.setdefault(album, n) == n]


def test_a_day_has_a_block_for_every_message_and_a_new_one_touches_only_its_day(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("synthetic:messages=900,chats=1,media=0.05,seed=4"), tmp_path / "vault"
    report = export(served, vault, served.target, "--layout", "day")
    read = Vault(vault)
    found = blocks(read)
    assert all(re.fullmatch(r".*/\d{4}/\d{4}-\d\d-\d\d\.md", name) for name in read.notes if "/20" in name)
    (chat,) = {int(name.partition("/")[0]) for name in found}
    assert sorted(block for each in found.values() for block in each) == sorted(f"m{n}" for n in units(vault, chat))
    assert judge.link_faults(read) == judge.duplicate_faults(read) == judge.type_faults(read) == []
    assert any("#^m" in text for text in read.notes.values()), "messages link to blocks"
    assert report["notes"]["updated"] <= 2, "a day is written when it is over, not with each page"

    before = stamps(vault)
    again = export(served, vault, served.target, "--layout", "message")
    assert set(again["notes"].values()) == {0} and stamps(vault) == before, "the layout was decided"

    served.control("/messages", {"chat": served.target, "text": "One more."})
    more = export(served, vault, served.target)
    changed = {name for name, stamp in stamps(vault).items() if before.get(name) != stamp}
    days = [name for name in changed if re.search(r"/\d{4}-\d\d-\d\d\.md$", name)]
    assert len(days) == 1 and "One more." in (vault / days[0]).read_text(encoding="utf-8")
    assert more["messages"]["new"] == 1


def test_in_a_month_the_old_group_and_the_supergroup_are_one_note_with_blocks_of_both(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve("chats"), tmp_path / "vault"
    export(served, vault, "@chess_club", "--layout", "month")
    read = Vault(vault)
    found = blocks(read)
    assert {name.partition("/")[0] for name in found} == {str(world.CLUB)}
    every = [block for each in found.values() for block in each]
    assert sorted(every) == sorted(
        [f"g{n}" for n in units(vault, world.CIRCLE)] + [f"m{n}" for n in units(vault, world.CLUB)]
    )
    assert judge.link_faults(read) == judge.duplicate_faults(read) == judge.type_faults(read) == []
    assert judge.front_matter_faults(read) == []
    for name, body in read.bodies.items():
        if blocks_of := _BLOCK.findall(body):
            both = [block[0] for block in blocks_of]
            assert both == sorted(both), f"{name}: the old group first"
            days = re.findall(r"^## (\d{4}-\d\d-\d\d)$", body, re.MULTILINE)
            assert days == sorted(set(days)) and days, name
    before = stamps(vault)
    export(served, vault, "@chess_club")
    assert stamps(vault) == before


def test_the_plan_tells_the_layout_and_why(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("synthetic:messages=10001,chats=1,media=0,seed=4"), tmp_path / "vault"
    plan = served.tobs("plan", served.target, "--vault", str(vault), "--json", timeout=60).json
    (item,) = plan["items"]
    assert item["layout"] == "day" and "10001" in item["layout_reason"]
    assert 0 < item["notes"] < 10001
    export(served, vault, served.target, "--limit", "30", "--layout", "month")
    (known,) = served.tobs("plan", served.target, "--vault", str(vault), "--json", timeout=60).json["items"]
    assert known["layout"] == "month" and "when it came first" in known["layout_reason"]
