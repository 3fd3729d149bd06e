"""A vault that lives: Telegram and its owner change it at random, and after every sync all that must hold does.

The owner's side knows what they did: which lines they wrote where, what they renamed, moved, deleted. After a sync each
message is archived once, each line of theirs is in its note, each note is where they put it, no link is broken, and a
second sync writes nothing.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.e2e.harness import stamps
from tests.e2e.near import near
from tests.e2e.test_moved import broken_links
from tobs.vault.decide import read_marks

WORLD = "synthetic:messages=25,chats=1,media=0.1,seed=11"
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

_WHERE = st.sampled_from(["end", "middle", "property", "top"])


class LivingVault(RuleBasedStateMachine):
    """What may happen between two syncs."""

    layout = "message"
    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="tobs-model-")))
        self.served = self.stack.enter_context(near(folder / "sandbox", WORLD))
        self.vault = folder / "vault"
        self.wrote: dict[str, list[str]] = {}
        self.put: dict[str, Path] = {}
        self.deleted: set[str] = set()
        self.dropped: set[int] = set()
        self.count = 0
        self.is_synced = True

    def teardown(self) -> None:
        self.stack.close()

    @initialize()
    def first_export(self) -> None:
        self.tobs("export", self.served.target, "--layout", self.layout)

    def tobs(self, *arguments: str) -> Any:
        """What a command told as JSON; it may have left something undone, but not have failed."""
        done = self.served.tobs(*arguments, "--vault", str(self.vault), "--json")
        assert done.code in (0, 1), done
        return done.json

    # Telegram's side

    @rule(target=messages, text=_TEXTS, reply=st.integers(0, 20))
    def post(self, text: str, reply: int) -> int:
        self.is_synced = False
        number: int = self.served.control("/messages", {"text": text, "reply_to": reply})["id"]
        return number

    @rule(message=messages, text=_TEXTS)
    def edit(self, message: int, text: str) -> None:
        if message not in self.dropped:
            self.is_synced = False
            self.served.control("/edit", {"id": message, "text": f"{text} edited"})

    @rule(message=messages)
    def delete(self, message: int) -> None:
        self.is_synced = False
        self.dropped.add(message)
        self.served.control("/delete", {"ids": [message]})

    @rule(message=messages)
    def react(self, message: int) -> None:
        if message not in self.dropped:
            self.served.control("/react", {"id": message, "emoji": "👍", "count": 3})

    # The owner's side

    @rule(pick=st.randoms(use_true_random=False), where=_WHERE)
    def write(self, pick: random.Random, where: str) -> None:
        self._write(*self._note(pick), pick, where)

    @rule(message=messages, text=_TEXTS, pick=st.randoms(use_true_random=False), where=_WHERE)
    def both(self, message: int, text: str, pick: random.Random, where: str) -> None:
        """Its owner writes into the note of a message that is edited, before they sync."""
        if not self.is_synced:
            self.sync()
        name = re.compile(rf" \^m{message}$", re.MULTILINE) if self.layout == "month" else None
        for tobs_id, path in self._notes().items():
            if tobs_id.endswith(f"/{message}") or (name and name.search(path.read_text())):
                self._write(tobs_id, path, pick, where)
        self.edit(message, text)
        self.sync()

    def _write(self, tobs_id: str, path: Path, pick: random.Random, where: str) -> None:
        self.count += 1
        line = f"mine{self.count}: yes" if where == "property" else f"My line {self.count}, [[not there yet]]."
        head, _, body = path.read_text().partition("\n---\n")
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
        path.write_text(f"{head}\n---\n{body}")
        self.wrote.setdefault(tobs_id, []).append(line)

    @rule(pick=st.randoms(use_true_random=False))
    def line_ends(self, pick: random.Random) -> None:
        _, path = self._note(pick)
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    @rule(pick=st.randoms(use_true_random=False), how=st.sampled_from(["rename", "move", "back"]))
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

    @precondition(lambda self: len(self.deleted) < 3)
    @rule(pick=st.randoms(use_true_random=False))
    def remove(self, pick: random.Random) -> None:
        tobs_id, path = self._note(pick)
        path.unlink()
        self.deleted.add(tobs_id)
        self.wrote.pop(tobs_id, None)
        self.put.pop(tobs_id, None)

    @rule(seconds=st.floats(0.2, 1.5))
    def killed(self, seconds: float) -> None:
        """A sync that is killed at any moment; what it did not do, the next one does."""
        process = self.served.start("sync", "--accept-missing", "--vault", str(self.vault))
        try:
            process.wait(seconds)
        except Exception:  # noqa: BLE001 -- still at work: that is what it is killed for
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.is_synced = False

    @rule()
    def sync(self) -> None:
        done = self.tobs("sync", "--accept-missing", "--accept-deletions")
        assert done["problems"] == [], done["problems"]
        before = stamps(self.vault)
        again = self.tobs("sync")
        assert again["notes"] == dict.fromkeys(again["notes"], 0)
        assert stamps(self.vault) == before, "a second sync writes nothing"
        self.is_synced = True
        self._check()

    # What must hold

    def _check(self) -> None:
        notes = self._notes()
        for tobs_id, lines in self.wrote.items():
            if tobs_id not in notes:
                raise AssertionError(f"the owner's note {tobs_id} is gone")
            text = notes[tobs_id].read_bytes().decode().replace("\r\n", "\n").split("\n")
            assert [line for line in lines if line not in text] == [], (tobs_id, notes[tobs_id].read_text())
        for tobs_id, path in self.put.items():
            assert notes.get(tobs_id) == path
        assert not self.deleted & notes.keys()
        assert broken_links(self.vault, besides=("not there yet",)) == []
        with sqlite3.connect(self.vault / ".tobs" / "archive.db") as archive:
            ids = [row[0] for row in archive.execute("SELECT id FROM messages ORDER BY id")]
        archive.close()
        served = self.served.control("/state")["chats"]
        assert len(ids) == len(set(ids)) == next(chat["messages"] for chat in served)
        assert not self.dropped & set(ids)

    @invariant()
    def no_temporary_file_is_visible(self) -> None:
        if self.is_synced and self.vault.exists():
            assert list((self.vault / "Telegram").rglob(".tobs-*")) == []

    def _notes(self) -> dict[str, Path]:
        """The notes of the vault by their ids."""
        visible = (
            path for path in self.vault.rglob("*.md") if not re.search(r"/\.", path.as_posix()[len(str(self.vault)) :])
        )
        marked = ((read_marks(path.read_bytes().decode().replace("\r\n", "\n")).tobs_id, path) for path in visible)
        return {tobs_id: path for tobs_id, path in marked if tobs_id}

    def _note(self, pick: random.Random) -> tuple[str, Path]:
        """A note of messages that the owner has not deleted."""
        notes = {tobs_id: path for tobs_id, path in self._notes().items() if re.fullmatch(r"-?\d+/[\d-]+", tobs_id)}
        return pick.choice(sorted(notes.items()))


class LivingMonths(LivingVault):
    """The same with a note for each month."""

    layout = "month"


def play(machine: LivingVault, seed: int, steps: int) -> None:
    """A life drawn from ``seed``. Hypothesis draws few rules in few examples; this one is full from the first."""
    draw = random.Random(seed)
    posted: list[int] = []
    texts, places = ["hello", "two\nlines", "# heading", "> quote\n\nand more"], ["end", "middle", "property", "top"]

    def post() -> None:
        posted.append(machine.post(draw.choice(texts), draw.randint(0, 20)))

    def both() -> None:
        text = f"{draw.choice(texts)} {draw.random()}"
        machine.both(draw.choice(posted), text, draw, draw.choice(places))

    def move() -> None:
        machine.move(draw, draw.choice(["rename", "move", "back"]))

    likely = {
        post: 4,
        both: 4,
        move: 3,
        lambda: machine.edit(draw.choice(posted), draw.choice(texts)): 2,
        lambda: machine.delete(draw.choice(posted)): 1,
        lambda: machine.react(draw.choice(posted)): 1,
        lambda: machine.write(draw, draw.choice(places)): 3,
        lambda: machine.line_ends(draw): 1,
        lambda: machine.remove(draw) if len(machine.deleted) < 3 else None: 1,
        lambda: machine.killed(draw.uniform(0.2, 1.5)): 1,
        machine.sync: 2,
    }
    machine.first_export()
    for step in [
        post,
        post,
        both,
        move,
        both,
        *draw.choices(list(likely), list(likely.values()), k=steps),
        machine.sync,
    ]:
        step()
        machine.no_temporary_file_is_visible()


@pytest.mark.parametrize("machine", [LivingVault, LivingMonths])
def test_a_vault_lives(machine: type[LivingVault]) -> None:
    living = machine()
    try:
        play(living, seed=1, steps=8)
    finally:
        living.teardown()


@pytest.mark.long  # every life serves a world of its own
@pytest.mark.parametrize("machine", [LivingVault, LivingMonths])
@pytest.mark.parametrize("seed", range(2, 2 + int(os.environ.get("TOBS_MODEL_RUNS", "4"))))
def test_a_vault_lives_long(machine: type[LivingVault], seed: int) -> None:
    living = machine()
    try:
        play(living, seed, steps=40)
    finally:
        living.teardown()


@pytest.mark.long  # as above
@pytest.mark.parametrize("machine", [LivingVault, LivingMonths])
def test_whatever_happens_in_a_vault(machine: type[LivingVault]) -> None:
    examples = int(os.environ.get("TOBS_MODEL_RUNS", "4"))
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=25))
