"""Another layout for chats that have comments and stories: what is filed in a chat's folder is laid out with it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import judge
from tests.e2e.harness import Done, Served, stamps, tree
from tests.e2e.in_process import InProcess, serve_in_process
from tests.e2e.judge import Vault
from tobs.model import stories_of
from tobs.sandbox.worlds.community import POST, TALK


def run(served: Served, vault: Path, *arguments: str, code: int = 0) -> Done:
    done = served.tobs(*arguments, "--vault", str(vault))
    assert done.code == code, done.stderr
    return done


def render(served: Served, vault: Path, *arguments: str) -> Any:
    return run(served, vault, "render", *arguments, "--json").json


def layouts(vault: Path) -> dict[int, Counter[str]]:
    """How many live messages of each chat are shown in which kind of note."""
    found: dict[int, Counter[str]] = {}
    with closing(sqlite3.connect(vault / ".tobs" / "archive.db")) as database:
        query = (
            "SELECT m.chat_id, coalesce(n.kind || CASE WHEN n.tobs_id LIKE '%/comments/%' THEN ' of comments' ELSE ''"
            " END, 'none') FROM messages m LEFT JOIN notes n ON n.id = m.note_id"
        )
        for chat_id, kind in database.execute(query):
            found.setdefault(chat_id, Counter())[kind] += 1
    return found


def left_in(vault: Path, kinds: str) -> list[str]:
    with closing(sqlite3.connect(vault / ".tobs" / "archive.db")) as database:
        return [path for (path,) in database.execute(f"SELECT path FROM notes WHERE kind IN ({kinds})")]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[InProcess, Path]]:
    """A channel with comments and stories, exported once."""
    folder = tmp_path_factory.mktemp("relayout")
    with serve_in_process(folder / "sandbox", "community") as served:
        vault = folder / "vault"
        run(served, vault, "export", "@garden_post", "--comments", "--stories", "--layout", "message")
        yield served, vault


@pytest.fixture
def served(exported: tuple[InProcess, Path]) -> InProcess:
    return exported[0]


@pytest.fixture
def vault(exported: tuple[InProcess, Path], tmp_path: Path) -> Path:
    """A copy of that vault."""
    subprocess.run(["cp", "-a", str(exported[1]), str(tmp_path / "vault")], check=True)
    return tmp_path / "vault"


def test_comments_and_stories_follow_their_chat_into_another_layout_and_back(served: InProcess, vault: Path) -> None:
    first, before = tree(vault), layouts(vault)
    told = render(served, vault, "--layout", "day", "--dry-run")
    assert tree(vault) == first, "a rehearsal writes nothing"
    report = render(served, vault, "@garden_post", "--layout", "day")
    after = layouts(vault)
    assert after.keys() == before.keys() == {POST, TALK, stories_of(POST)}
    assert {chat: [*kinds] for chat, kinds in after.items()} == {
        POST: ["day"],
        TALK: ["day of comments"],
        stories_of(POST): ["day"],
    }
    assert report["rendering"]["layouts"] == told["rendering"]["layouts"]
    assert not left_in(vault, "'message'")
    names = [name for name in tree(vault) if name.endswith(".md")]
    assert all("/2024/0" not in name and "/2024/1" not in name for name in names), "old notes and folders are gone"
    assert judge.link_faults(Vault(vault)) == judge.duplicate_faults(Vault(vault)) == []
    assert run(served, vault, "verify", "--json").json["ok"]
    still = stamps(vault)
    render(served, vault, "--layout", "day")
    assert stamps(vault) == still
    render(served, vault, "--layout", "message")
    assert tree(vault) == first and layouts(vault) == before


def test_notes_and_canvases_of_the_owner_lead_to_the_new_notes(served: InProcess, vault: Path) -> None:
    note, _ = [path for path in sorted(left_in(vault, "'message'")) if "/Comments/2/" in path][:2]
    day = Path(note).name[:10]
    name = Path(note).stem
    (vault / "Diary").mkdir()
    (vault / "Diary" / f"{day}.md").write_text("my day\n")
    (vault / "Diary" / "Mine.md").write_bytes(f"\ufeff[[{name}]] and [[{day}]]\r\n![x](<../{note}>)\r\n".encode())
    other = '{"nodes":[{"id":"1","type":"text","text":"nothing"}]}'
    (vault / "Other.canvas").write_text(other)
    board = f'{{\n\t"nodes":[\n\t\t{{"id":"1","type":"file","file":"{note}","x":1e2}}\n\t]\n}}'
    (vault / "Board.canvas").write_text(board)
    before = stamps(vault)
    told = render(served, vault, "--layout", "day", "--dry-run")
    assert stamps(vault) == before and told["rendering"]["relinked"] == 2
    report = render(served, vault, "--layout", "day")
    assert report["rendering"]["relinked"] == 2
    (node,) = json.loads((vault / "Board.canvas").read_text())["nodes"]
    assert node["subpath"].startswith("#^m") and f" {node['subpath'][1:]}\n" in (vault / node["file"]).read_text()
    mine = (vault / "Diary" / "Mine.md").read_bytes().decode()
    target = f"{node['file'].removesuffix('.md')}{node['subpath']}"
    assert mine == f"\ufeff[[{target}|{name}]] and [[{day}]]\r\n![x](<{node['file']}{node['subpath']}>)\r\n"
    after = stamps(vault)
    assert all(after[name] == before[name] for name in ("Other.canvas", f"Diary/{day}.md"))
    (vault / "Diary" / "Mine.md").write_text(f"[[{target}]] and [[{day}]], my own day\n")
    render(served, vault, "--layout", "message")
    assert (vault / "Board.canvas").read_text() == board
    assert (vault / "Diary" / "Mine.md").read_text() == f"[[{note[:-3]}]] and [[{day}]], my own day\n"


def test_comments_have_their_channels_layout_whichever_chat_brought_them(served: InProcess, tmp_path: Path) -> None:
    vault, other = tmp_path / "vault", tmp_path / "other"
    run(served, vault, "export", "@garden_talk", "--layout", "month")
    run(served, vault, "export", "@garden_post", "--comments", "--layout", "message")
    render(served, vault, "@garden_talk", "--layout", "day")
    mixed = layouts(vault)[TALK]
    assert set(mixed) == {"day", "message"}, "the group's own, and the comments"
    render(served, vault, "@garden_post", "--layout", "month")
    assert layouts(vault)[TALK] == {"day": mixed["day"], "month of comments": mixed["message"]}
    assert judge.link_faults(Vault(vault)) == judge.duplicate_faults(Vault(vault)) == []
    still = stamps(vault)
    render(served, vault)
    assert stamps(vault) == still
    run(served, other, "export", "@garden_post", "--comments", "--layout", "month")
    run(served, other, "export", "@garden_talk", "--layout", "day")
    assert layouts(other) == layouts(vault)


def test_a_layout_asked_for_while_another_one_was_stopped_loses_no_note(served: InProcess, vault: Path) -> None:
    first = tree(vault)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tobs.pipeline.session.run_session.finish_relayouts", lambda context: None)
        render(served, vault, "--layout", "day")
    render(served, vault, "--layout", "message")
    assert tree(vault) == first
    assert run(served, vault, "verify", "--json").json["ok"]


def test_a_render_of_a_chat_or_period_reaches_its_comments_and_stories(served: InProcess, vault: Path) -> None:
    template = vault / ".tobs" / "templates" / "message.md.j2"
    template.write_text("{% for message in messages %}New: {{ message.text }}{% endfor %}\n")
    with pytest.MonkeyPatch.context() as patch:
        # As if the notes were known to be of this template already.
        patch.setattr("tobs.pipeline.session.run_session.mark_changed_templates", lambda context: None)
        render(served, vault, "@garden_post", "--until", "2024-06-15")
    new = [name for name, text in tree(vault).items() if name.endswith(".md") and b"\nNew: " in text]
    assert any("/Comments/" in name for name in new) and any("/Stories/" in name for name in new)


def test_verify_counts_comments_and_stories_and_finds_those_without_a_note(served: InProcess, vault: Path) -> None:
    checked = run(served, vault, "verify", "--json").json["checked"]
    assert checked["messages"] == sum(sum(kinds.values()) for kinds in layouts(vault).values())
    with closing(sqlite3.connect(vault / ".tobs" / "archive.db")) as database, database:
        for chat in (TALK, stories_of(POST)):  # a comment has no file here
            database.execute(f"UPDATE message_rows SET note_id = NULL WHERE chat_id = {chat}")
            database.execute(f"UPDATE media SET state = 'wanted', sha256 = NULL WHERE chat_id = {chat}")
    found = run(served, vault, "verify", "--json", code=1).json["items"]
    kinds = Counter(fault["kind"] for fault in found)
    assert kinds["unplanned"] == 2 and kinds["wanted"] == 1, json.dumps(found)[:2000]
    run(served, vault, "process")
    assert run(served, vault, "verify", "--json").json["ok"]


def test_a_lost_archive_finds_moved_notes_of_stories_again(served: InProcess, vault: Path) -> None:
    (old,) = [vault / path for path in left_in(vault, "'message'") if "/Stories/" in path and " 1 " in path]
    (vault / "Mine").mkdir()
    new = old.rename(vault / "Mine" / "A story.md")
    for file in (vault / ".tobs").glob("archive.db*"):
        file.unlink()
    run(served, vault, "export", "@garden_post", "--stories")
    assert new.exists() and not old.exists()
    assert judge.duplicate_faults(Vault(vault)) == judge.link_faults(Vault(vault)) == []
