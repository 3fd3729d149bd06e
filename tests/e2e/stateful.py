"""A vault that lives: Telegram and its owner change it at random, with syncs, watches and `kill -9` between.

The model knows what both did: what every message says now, which lines the owner wrote where, what they renamed,
moved, deleted. Whatever happened in whatever order, once the vault is in step each message is archived once and shown
once, each line of the owner's is in its note, each note is where they put it, and no link is broken.
"""

from __future__ import annotations

import random
import re
import signal
import sqlite3
import subprocess
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.e2e.harness import stamps, tree
from tests.e2e.in_process import serve_in_process
from tests.e2e.test_moved import broken_links
from tobs.vault.decide import read_properties

WORLD = "synthetic:messages=25,chats=2,media=0.1,seed=11"
_PATIENCE = 60.0
_TEXTS = st.sampled_from(
    [
        "hello",
        "two\nlines",
        "**bold** and [[brackets]]",
        "# heading",
        "---",
        "a ^m5",
        "> quote\n\nand more",
        "```\ncode",
    ]
)
_PLACES = st.sampled_from(["end", "middle", "property", "top"])
_PICKS = st.randoms(use_true_random=False)


class Key(NamedTuple):
    """A message of a chat."""

    chat: int
    id: int


class Shown(NamedTuple):
    """A live message in the archive: the note it is in, that note's state, and what else tells of it."""

    key: Key
    tobs_id: str
    state: str
    album: int
    model: str


class LivingVault(RuleBasedStateMachine):
    """What may happen to a vault, and what holds all the same."""

    layout = "message"
    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="tobs-model-")))
        self.served = self.stack.enter_context(serve_in_process(folder / "sandbox", WORLD))
        self.vault = folder / "vault"
        self.chats: list[int] = []
        self.says: dict[Key, str] = {}  # a word that only the newest text of a message has
        self.reactions: dict[Key, int] = {}
        self.wrote: dict[str, list[str]] = {}
        self.put: dict[str, Path] = {}
        self.deleted: set[str] = set()
        self.dropped: set[Key] = set()
        self.count = 0
        self.is_synced = True
        self.watch: subprocess.Popen[bytes] | None = None

    def teardown(self) -> None:
        if self.watch is not None:
            self.watch.kill()
            self.watch.wait()
        self.stack.close()

    @initialize()
    def first_export(self) -> None:
        self.tobs("export", *self.served.ready["targets"], "--layout", self.layout)
        self.chats = [chat["chat"] for chat in self.served.control("/state")["chats"]]
        assert len(self.chats) == 2

    def tobs(self, *arguments: str) -> Any:
        """What a command told as JSON; it may have left something undone, but not have failed."""
        done = self.served.tobs(*arguments, "--vault", str(self.vault), "--json")
        assert done.code in (0, 1), done
        return done.json

    # Telegram's side

    def _new_text(self, text: str) -> tuple[str, str]:
        """``text`` with a word that is nowhere else, and this word."""
        self.count += 1
        word = f"word{self.count}x"
        return f"{text} {word}", word

    @rule(target=messages, text=_TEXTS, reply=st.integers(0, 20), chat=st.integers(0, 1))
    def post(self, text: str, reply: int, chat: int) -> Key:
        self.is_synced = False
        text, word = self._new_text(text)
        fields = {"chat": self.chats[chat], "text": text, "reply_to": reply}
        key = Key(self.chats[chat], self.served.control("/messages", fields)["id"])
        self.says[key] = word
        return key

    @rule(message=messages, text=_TEXTS)
    def edit(self, message: Key, text: str) -> None:
        if message not in self.dropped:
            self.is_synced = False
            text, self.says[message] = self._new_text(text)
            self.served.control("/edit", {"chat": message.chat, "id": message.id, "text": text})

    @rule(message=messages)
    def delete(self, message: Key) -> None:
        self.is_synced = False
        self.dropped.add(message)
        self.served.control("/delete", {"chat": message.chat, "ids": [message.id]})

    @rule(message=messages, count=st.integers(1, 9))
    def react(self, message: Key, count: int) -> None:
        if message not in self.dropped:
            self.served.control("/react", {"chat": message.chat, "id": message.id, "emoji": "👍", "count": count})
            self.reactions[message] = count

    @rule()
    def lose_connections(self) -> None:
        self.served.control("/drop", {})

    # The owner's side

    @rule(pick=_PICKS, where=_PLACES)
    def write(self, pick: random.Random, where: str) -> None:
        self._write(*self._note(pick), pick, where)

    @rule(message=messages, text=_TEXTS, pick=_PICKS, where=_PLACES)
    def both(self, message: Key, text: str, pick: random.Random, where: str) -> None:
        """Its owner writes into the note of a message that is edited before tobs sees either."""
        self.in_step()
        shown = {one.key: one for one in self._shown()}.get(message)
        path = self._notes().get(shown.tobs_id) if shown else None
        if shown and path:
            self._write(shown.tobs_id, path, pick, where)
        self.edit(message, text)
        self.in_step()

    def _write(self, tobs_id: str, path: Path, pick: random.Random, where: str) -> None:
        self.count += 1
        line = f"mine{self.count}: yes" if where == "property" else f"My line {self.count}, [[not there yet]]."
        text = path.read_bytes().decode()
        end = "\r\n" if "\r\n" in text else "\n"
        head, _, body = text.replace("\r\n", "\n").partition("\n---\n")
        if where == "property":
            head += f"\n{line}"
        elif where == "end":
            body += f"\n{line}\n"
        elif where == "top":
            body = f"\n{line}\n{body}"
        else:
            blocks = body.split("\n\n")
            blocks.insert(pick.randint(0, len(blocks)), line)
            body = "\n\n".join(blocks)
        path.write_bytes(f"{head}\n---\n{body}".replace("\n", end).encode())
        self.wrote.setdefault(tobs_id, []).append(line)

    @rule(pick=_PICKS)
    def line_ends(self, pick: random.Random) -> None:
        _, path = self._note(pick)
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    @rule(pick=_PICKS, how=st.sampled_from(["rename", "move", "back"]))
    def move(self, pick: random.Random, how: str) -> None:
        tobs_id, path = self._note(pick)
        self.count += 1
        target = {
            "rename": path.with_name(f"Renamed {self.count}.md"),
            "move": self.vault / "Kept" / f"{pick.randint(0, 3)}" / path.name,
            "back": self.vault / "Telegram" / path.name,
        }[how]
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        self.put[tobs_id] = target

    @rule(pick=_PICKS)
    def rename_in_obsidian(self, pick: random.Random) -> None:
        """Obsidian renames a note and writes every link to it anew; the properties of one of them in its own way."""
        tobs_id, path = self._note(pick)
        self.count += 1
        target = path.with_name(f"Called {self.count}.md")
        before, after = (one.relative_to(self.vault).as_posix().removesuffix(".md") for one in (path, target))
        path.rename(target)
        self.put[tobs_id] = target
        link = re.compile(rf"\[\[{re.escape(before)}(?=[\]|#])")
        for note in self._notes().values():
            text = note.read_bytes().decode()
            if (changed := link.sub(f"[[{after}", text)) != text:
                note.write_bytes(changed.encode())
        self.is_synced = False
        self.in_step()  # moved again without Obsidian, links would name a place that tobs never heard of

    @rule(chat=st.integers(0, 1))
    def move_folder(self, chat: int) -> None:
        """The whole folder of a chat gets another name."""
        note = self._notes().get(str(self.chats[chat]))
        if note is None or not re.fullmatch(r"Synthetic.*|Chat \d+", note.parent.name):
            return
        self.count += 1
        before, after = note.parent, note.parent.with_name(f"Chat {self.count}")
        before.rename(after)
        for tobs_id, path in self.put.items():
            if path.is_relative_to(before):
                self.put[tobs_id] = after / path.relative_to(before)

    @precondition(lambda self: len(self.deleted) < 3)
    @rule(pick=_PICKS)
    def remove(self, pick: random.Random) -> None:
        self.in_step()  # several at once would be a vault that is not all there
        tobs_id, path = self._note(pick)
        path.unlink()
        self.is_synced = False
        self.deleted.add(tobs_id)
        self.wrote.pop(tobs_id, None)
        self.put.pop(tobs_id, None)
        self.in_step()

    # What keeps it in step

    @precondition(lambda self: self.watch is None)
    @rule(seconds=st.floats(0.2, 1.5))
    def killed(self, seconds: float) -> None:
        """A sync that is killed at any moment; what it did not do, the next one does."""
        process = self.served.start("sync", "--accept-missing", "--vault", str(self.vault))
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.is_synced = False

    @precondition(lambda self: self.watch is None)
    @rule()
    def watch_begins(self) -> None:
        """From here on a watch does what syncs did."""
        self.watch = self.served.start("watch", "--vault", str(self.vault), "--every", "1h")

    @precondition(lambda self: self.watch is not None)
    @rule(how=st.sampled_from([signal.SIGTERM, signal.SIGKILL]))
    def watch_ends(self, how: signal.Signals) -> None:
        assert self.watch is not None
        self.watch.send_signal(how)
        code = self.watch.wait(_PATIENCE)
        # SIGTERM before Python has come to tobs's own handler ends it as it ends every process.
        assert code in (0, 130, -signal.SIGTERM) if how is signal.SIGTERM else code == -how, code
        self.watch, self.is_synced = None, False

    @rule()
    def in_step(self) -> None:
        """What happened so far is in the vault: by the watch that is on, or by a sync."""
        if self.watch is None:
            if not self.is_synced:
                self.sync()
            return
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._check()
            except (AssertionError, FileNotFoundError) as wrong:
                if time.monotonic() > deadline or self.watch.poll() is not None:
                    told = sorted((self.vault / ".tobs").glob("watch.json"))
                    raise AssertionError(f"not in step: {[path.read_text() for path in told]}") from wrong
                time.sleep(0.1)

    @precondition(lambda self: self.watch is None)
    @rule()
    def sync(self) -> None:
        done = self.tobs("sync", "--accept-missing", "--accept-deletions")
        assert done["problems"] == [], done["problems"]
        before = stamps(self.vault)
        again = self.tobs("sync")
        changed = [name for name, stamp in stamps(self.vault).items() if before.get(name) != stamp]
        assert changed == [] and before.keys() == stamps(self.vault).keys(), f"a second sync writes nothing {changed}"
        assert again["notes"] == dict.fromkeys(again["notes"], 0)
        self.is_synced = True
        self._check()

    @precondition(lambda self: self.watch is None)
    @rule()
    def sync_counters(self) -> None:
        """Reactions come where they are asked for, and are in the notes then."""
        self.tobs("sync", "--accept-missing", "--accept-deletions", "--counters")
        self.sync()
        notes, lines = self._notes(), dict[Key, str]()
        for one in self._shown():
            if one.key in self.reactions and one.key not in self.dropped:
                assert f'"count":{self.reactions[one.key]}' in one.model.replace(" ", ""), one
                if one.tobs_id in notes and not self.wrote.get(one.tobs_id):
                    lines[one.key] = notes[one.tobs_id].read_bytes().decode()
        wrong = [(key, text) for key, text in lines.items() if f"👍 {self.reactions[key]}" not in text]
        assert not wrong, wrong

    # What must hold

    def _check(self) -> None:
        notes, texts = self._notes(), dict[str, str]()
        for tobs_id, path in notes.items():
            texts[tobs_id] = path.read_bytes().decode().replace("\r\n", "\n")
        for tobs_id, lines in self.wrote.items():
            assert tobs_id in notes, f"the owner's note {tobs_id} is gone"
            there = texts[tobs_id].split("\n")
            assert [line for line in lines if line not in there] == [], (tobs_id, texts[tobs_id])
        for tobs_id, path in self.put.items():
            assert notes.get(tobs_id) == path
        assert not self.deleted & notes.keys()
        self._check_messages(texts)
        broken = broken_links(self.vault, besides=("not there yet",))
        assert not broken, broken

    def _check_messages(self, texts: dict[str, str]) -> None:
        """Every live message is in the archive once and shown once, as it is now."""
        shown = self._shown()
        served = {chat["chat"]: chat["messages"] for chat in self.served.control("/state")["chats"]}
        keys = [one.key for one in shown]
        assert len(keys) == len(set(keys)) and not self.dropped & set(keys)
        assert {chat: sum(key.chat == chat for key in keys) for chat in served} == served
        for one in shown:
            assert self.says.get(one.key, "") in one.model, one
            if one.state == "deleted":
                assert one.tobs_id in self.deleted, one
                continue
            assert one.state == "written" and one.tobs_id in texts, one
            assert self.says.get(one.key, "") in texts[one.tobs_id], (one, texts[one.tobs_id])
            if self.layout != "message" and one.album in (0, one.key.id):
                block = re.compile(rf" \^m{one.key.id}$", re.MULTILINE)
                assert len(block.findall(texts[one.tobs_id])) == 1, (one, texts[one.tobs_id])

    @invariant()
    def no_temporary_file_is_visible(self) -> None:
        if self.is_synced and self.watch is None and self.vault.exists():
            assert [name for name in tree(self.vault) if ".tobs-" in name] == []

    def _shown(self) -> list[Shown]:
        with closing(sqlite3.connect(self.vault / ".tobs" / "archive.db")) as archive:
            rows = archive.execute(
                "SELECT m.chat_id, m.id, coalesce(n.tobs_id, ''), coalesce(n.state, ''),"
                " coalesce(r.block_id, m.id), m.model FROM messages m JOIN message_rows r USING (account, chat_id, id)"
                " LEFT JOIN notes n ON n.id = m.note_id ORDER BY 1, 2"
            ).fetchall()
        return [Shown(Key(chat, id), tobs_id, state, album, model) for chat, id, tobs_id, state, album, model in rows]

    def _notes(self) -> dict[str, Path]:
        """The notes of the vault by their ids; each is there once."""
        visible = (
            path for path in self.vault.rglob("*.md") if not re.search(r"/\.", path.as_posix()[len(str(self.vault)) :])
        )
        marked = [(read_properties(path.read_bytes().decode().replace("\r\n", "\n")).tobs_id, path) for path in visible]
        found = {tobs_id: path for tobs_id, path in marked if tobs_id}
        assert len(found) == sum(1 for tobs_id, _ in marked if tobs_id), "a note is there twice"
        return found

    def _note(self, pick: random.Random) -> tuple[str, Path]:
        """A note of messages that the owner has not deleted."""
        notes = {tobs_id: path for tobs_id, path in self._notes().items() if re.fullmatch(r"-?\d+/[\d-]+", tobs_id)}
        return pick.choice(sorted(notes.items()))


class LivingMonths(LivingVault):
    """The same with a note for each month."""

    layout = "month"
