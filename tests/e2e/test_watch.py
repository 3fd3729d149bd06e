"""`tobs watch`: a vault that is live, told by what is in it and what was asked of Telegram."""

from __future__ import annotations

import base64
import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.harness import Served, eventually, stamps
from tests.e2e.test_plugins import add_plugin
from tests.e2e.test_sync import exported, methods, note, sync

SMALL = "synthetic:messages=60,chats=2,media=0.05,seed=4"


def status(vault: Path) -> dict[str, Any]:
    """What the watch told last."""
    path = vault / ".tobs/watch.json"
    return json.loads(path.read_text()) if path.exists() else {"state": "none"}


def _has_looked(told: dict[str, Any], pid: int) -> bool:
    return bool(told.get("pid") == pid and told["last_look"])


@contextmanager
def watching(
    served: Served, vault: Path, *more: str, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A watch that has begun to listen; ended with SIGTERM."""
    process = served.start("watch", "--vault", str(vault), *more, **(env or {}))
    try:
        eventually(lambda: _has_looked(status(vault), process.pid), "the watch never looked")
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def notes_of(vault: Path, message_id: int) -> list[Path]:
    return [path for path in (vault / "Telegram").rglob("20*.md") if path.name.split()[1] == str(message_id)]


def runs(vault: Path) -> int:
    """How many runs the archive knows."""
    with sqlite3.connect(vault / ".tobs" / "archive.db") as db:
        (count,) = db.execute("SELECT count(*) FROM runs").fetchone()
    db.close()
    return int(count)


def test_what_telegram_pushes_is_in_the_notes_at_once_and_what_came_in_a_gap_after_it(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve(SMALL), tmp_path / "vault"
    exported(served, vault)
    missed = served.control("/messages", {"text": "Before the watch began."})["id"]
    with watching(served, vault, "--every", "1h"):
        assert "Before the watch began." in note(vault, missed)
        asked = len(served.log())
        new = served.control("/messages", {"text": "Pushed."})["id"]
        eventually(lambda: notes_of(vault, new), "a pushed message has no note")
        assert methods(served, asked) == ["updates.getChannelDifference"]
        served.control("/edit", {"id": new, "text": "Pushed, and edited."})
        eventually(lambda: "Pushed, and edited." in note(vault, new), "an edit was not taken up")
        served.control("/delete", {"ids": [new]})
        eventually(lambda: "deleted: true" in note(vault, new), "a deletion was not taken up")
        served.control("/drop", {})
        away = served.control("/messages", {"text": "While nobody listened."})["id"]
        eventually(lambda: notes_of(vault, away), "what came in a gap has no note")
        told = served.tobs("watch", "--vault", str(vault), "--status", "--json")
        assert told.code == 0 and (told.json["new"], told.json["edited"], told.json["deleted"]) == (3, 1, 1)
        locked = sync(served, vault)
        assert locked.code == 5 and "is writing into this vault" in locked.stderr
        assert served.tobs("watch", "--vault", str(vault), "--pause").code == 0
        eventually(lambda: status(vault)["state"] == "paused", "never paused")
        asked = len(served.log())
        paused = served.control("/messages", {"text": "While paused."})["id"]
        time.sleep(1)
        assert methods(served, asked) == [] and not notes_of(vault, paused)
        assert served.tobs("watch", "--vault", str(vault), "--resume").code == 0
        eventually(lambda: notes_of(vault, paused), "never caught up")
    assert status(vault)["state"] == "stopped"
    assert served.tobs("watch", "--vault", str(vault), "--status").code == 1
    before = stamps(vault)
    assert sync(served, vault).json["messages"]["fetched"] == 0 and stamps(vault) == before


def test_a_long_flood_wait_leaves_telegram_alone_while_the_vault_is_watched(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve(SMALL), tmp_path / "vault"
    exported(served, vault)
    with watching(served, vault, "--every", "1h", env={"TOBS_FLOOD_THRESHOLD": "1"}):
        served.control("/faults", {"faults": ["updates.getChannelDifference#1=flood:6"]})
        new = served.control("/messages", {"text": "Told late."})["id"]
        eventually(lambda: status(vault)["state"] == "waiting", "never waited")
        asked = len(served.log())
        (gone := notes_of(vault, 20)[0]).unlink()
        more = served.control("/messages", {"text": "Told with it."})["id"]
        eventually(lambda: notes_of(vault, new) and notes_of(vault, more), "never went on")
        assert not gone.exists(), "what its owner deleted meanwhile stays deleted"
        flooded, after = (one for one in served.log(asked - 1) if one["method"] == "updates.getChannelDifference")
        assert flooded["error"] == "FLOOD_WAIT_6" and after["time"] >= flooded["time"] + 6


def test_what_the_owner_moves_and_deletes_is_followed_and_its_own_writing_never_taken_for_the_owners(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve(SMALL), tmp_path / "vault"
    exported(served, vault)
    answer = served.control("/messages", {"text": "An answer.", "reply_to": 20})["id"]
    with watching(served, vault, "--every", "1h"):
        eventually(lambda: notes_of(vault, answer), "no note of the answer")
        (vault / "Mine").mkdir()
        notes_of(vault, 20)[0].rename(vault / "Mine" / "Kept.md")
        eventually(lambda: "[[Mine/Kept" in note(vault, answer), "links do not follow a moved note")
        served.control("/edit", {"id": 20, "text": "Edited where it is now."})
        eventually(lambda: "Edited where it is now." in (vault / "Mine/Kept.md").read_text(), "a moved note is lost")
        gone = notes_of(vault, 21)[0]
        gone.unlink()
        other = notes_of(vault, 22)[0]
        other.write_text(other.read_text() + "\nMy own words.\n")
        served.control("/edit", {"id": 21, "text": "Edited after it was deleted."})
        served.control("/edit", {"id": 22, "text": "Edited as well."})
        eventually(lambda: "Edited as well." in other.read_text(), "an edit was not merged")
        assert "My own words." in other.read_text() and not gone.exists()
        # The run is counted, and then kept, after its notes are written.
        eventually(lambda: status(vault)["edited"] == 3, "the edits were not counted")
        asked, before, known = len(served.log()), stamps(vault), runs(vault)
        time.sleep(2)  # long enough for what its own writing would have set off
        assert (len(served.log()), stamps(vault), runs(vault)) == (asked, before, known)


@pytest.mark.long  # half a minute for what the tests above need to be true all the same
def test_a_killed_watch_goes_on_where_it_was_and_the_clock_finds_what_nobody_pushes(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve(SMALL), tmp_path / "vault"
    exported(served, vault)
    (vault / ".tobs/config.toml").write_text('timezone = "UTC"\n[watch]\nevery = "1s"\n')
    with watching(served, vault) as process:
        process.kill()
        process.wait()
    ids = served.control("/messages", {"text": "While it was dead.", "count": 5})["ids"]
    with watching(served, vault):
        eventually(lambda: all(notes_of(vault, one) for one in ids), "not everything came")
        looked = status(vault)["last_look"]
        eventually(lambda: status(vault)["last_look"] != looked, "the clock sets nothing off")
    assert sync(served, vault).json["messages"]["fetched"] == 0


@pytest.mark.long  # templates are watched like notes, which the tests above do
def test_a_template_that_changes_is_taken_up_and_a_broken_one_is_told_and_the_good_one_kept(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve("synthetic:messages=12,chats=1,media=0,seed=4"), tmp_path / "vault"
    exported(served, vault)
    template = vault / ".tobs/templates/message.md.j2"
    with watching(served, vault, "--every", "1h"):
        template.write_text("Made by me: {{ messages[0].text }}")
        eventually(lambda: "Made by me" in note(vault, 5), "the template was not taken up")
        template.write_text("{{ nothing.here }}")
        eventually(lambda: status(vault).get("problems"), "a broken template was not told")
        new = served.control("/messages", {"text": "After it."})["id"]
        eventually(lambda: notes_of(vault, new), "the watch does not go on")
        assert "Made by me: After it." in note(vault, new)


WRITES_DOWN = """
from tobs.plugin import Item, NoConfig, Passage, Plugin, Result, transcript


class WritesDown(Plugin[NoConfig]):
    name = "writes-down"
    version = "1"
    handles = frozenset({"voice"})

    def process(self, item: Item) -> Result | None:
        return transcript([Passage(0.0, f"{item.path.stat().st_size} bytes were spoken.", 1.0)], language="en")
"""


def test_a_message_to_oneself_is_captured_with_its_transcript_and_answered_once_where_that_is_asked_for(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve("community"), tmp_path / "vault"
    (vault / ".tobs/plugins").mkdir(parents=True)
    add_plugin(served, vault, "writes_down", WRITES_DOWN)
    assert served.tobs("export", "me", "--vault", str(vault)).code == 0
    voice = (Path(__file__).parents[1] / "data/voice/conf-invalid.oga").read_bytes()
    spoken = {
        "kind": "voice",
        "data": base64.b64encode(voice).decode(),
        "name": "memo.ogg",
        "mime": "audio/ogg",
        "duration": 1,
    }
    with watching(served, vault, "--every", "1h"):
        first = served.control("/messages", {"chat": "me", "text": "A thought."})["id"]
        eventually(lambda: notes_of(vault, first), "a message to oneself has no note")
        assert "messages.sendReaction" not in methods(served, 0), "nothing is sent that nobody asked for"
        (served.home / "config.toml").write_text('[watch]\nanswer = "👌"\n')
        eventually(lambda: status(vault)["notes"] == 0, "the setting was not taken up")
        eventually(lambda: status(vault)["last_look"], "the watch never looked")
        asked = len(served.log())
        second = served.control("/messages", {"chat": "me", "media": spoken})["id"]
        eventually(lambda: "messages.sendReaction" in methods(served, asked), "it was not answered")
        told = [*notes_of(vault, second), *(vault / "Telegram/Audio").glob("*.md")]
        assert any(f"{len(voice)} bytes were spoken." in path.read_text() for path in told), "answered too early"
        served.control("/messages", {"chat": served.target, "text": "Not to oneself."})
        served.control("/faults", {"faults": ["messages.sendReaction#1=error:400:PREMIUM_ACCOUNT_REQUIRED"]})
        third = served.control("/messages", {"chat": "me", "text": "Refused."})["id"]
        eventually(lambda: status(vault)["problems"], "a refusal was not told")
        assert f"message {third}" in status(vault)["problems"][0]
    with watching(served, vault, "--every", "1h"):
        assert status(vault)["problems"] == []
        with (vault / ".tobs/plugins/writes_down.py").open("a") as plugin:
            plugin.write("# changed\n")
        eventually(lambda: status(vault).get("problems"), "a plugin that is not trusted any more was not named")
        assert "plugin writes_down" in status(vault)["problems"][0] and "not trusted" in status(vault)["problems"][0]
    assert methods(served, 0).count("messages.sendReaction") == 2, "nothing is answered twice"


def test_news_does_not_wait_for_a_file_that_is_being_fetched_nor_does_the_end_of_the_watch(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve("synthetic:messages=12,chats=1,media=0,seed=4"), tmp_path / "vault"
    exported(served, vault)
    served.control("/faults", {"faults": ["upload.getFile*=delay:600000"]})
    file = {"kind": "document", "data": base64.b64encode(b"at last" * 99).decode(), "name": "slow.bin"}
    with watching(served, vault, "--every", "1h"):
        slow = served.control("/messages", {"text": "With a file.", "media": file})["id"]
        eventually(lambda: "upload.getFile" in methods(served, 0), "the file is not fetched")
        new = served.control("/messages", {"text": "Meanwhile."})["id"]
        eventually(lambda: notes_of(vault, new), "news waits for a file")
        assert not list(vault.rglob("*slow.bin")) and not notes_of(vault, slow)
        assert status(vault)["state"] == "working"
    assert status(vault)["state"] == "stopped"
    served.control("/faults", {"clear": True})
    assert sync(served, vault).code == 0
    assert list(vault.rglob("*slow.bin")) and "slow.bin" in note(vault, slow)


@pytest.mark.long  # plugins are watched like templates
def test_a_plugin_that_changed_is_told_and_works_again_when_it_is_trusted_while_the_watch_is_on(
    serve: Serve, tmp_path: Path
) -> None:
    served, vault = serve("synthetic:messages=40,chats=1,media=0.3,seed=4"), tmp_path / "vault"
    (vault / ".tobs/plugins").mkdir(parents=True)
    source = WRITES_DOWN.replace('"voice"', '"document"')
    add_plugin(served, vault, "writes_down", source)
    exported(served, vault)
    written = [path for path in vault.rglob("20*.md") if "were spoken" in path.read_text()]
    assert written
    others = {name: stamp for name, stamp in stamps(vault).items() if vault / name not in written}
    with watching(served, vault, "--every", "1h"):
        changed = source.replace("were spoken", "are in it").replace('"1"', '"2"')
        (vault / ".tobs/plugins/writes_down.py").write_text(changed)
        eventually(lambda: "not trusted" in str(status(vault)["problems"]), "a stranger was not told")
        assert all("were spoken" in path.read_text() for path in written), "a stranger changed notes"
        assert served.tobs("plugins", "trust", "writes_down", "--vault", str(vault)).code == 0
        eventually(lambda: all("are in it" in path.read_text() for path in written), "trust was not taken up")
    after = stamps(vault)
    assert {name for name in others if name.split("/")[-1][:2] == "20" and after[name] != others[name]} == set()


def test_a_file_in_the_inbox_goes_through_the_media_chain_and_gets_its_note(serve: Serve, tmp_path: Path) -> None:
    served, vault = serve("synthetic:messages=12,chats=1,media=0,seed=4"), tmp_path / "vault"
    exported(served, vault)
    song = (Path(__file__).parents[1] / "data/music/chimes.mp3").read_bytes()
    with watching(served, vault, "--every", "1h"):
        inbox = vault / "Telegram/Inbox"
        (inbox / "empty.txt").touch()
        (inbox / "memo.mp3").write_bytes(song)
        eventually(lambda: not (inbox / "memo.mp3").exists(), "the file was not taken up")
        [placed] = (inbox / "media").glob("*.mp3")
        assert placed.read_bytes() == song
        [told] = inbox.rglob("20*.md")
        assert placed.name in told.read_text()
        assert list((vault / "Telegram/Audio").glob("*.md"))
        assert (inbox / "empty.txt").exists(), "what is empty may be about to be filled"
    before = stamps(vault)
    with watching(served, vault, "--every", "1h"):
        pass
    assert stamps(vault) == before, "nothing is taken up twice"
