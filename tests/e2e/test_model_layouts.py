"""A vault that lives (``test_model``), laid out anew now and then: no word of its owner is lost, no link broken."""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from tests.e2e import judge
from tests.e2e.harness import stamps
from tests.e2e.judge import Vault
from tests.e2e.stateful import LivingVault
from tests.e2e.test_model import Likely, play

_LAYOUTS = ("message", "day", "month")
_PICKS = st.randoms(use_true_random=False)


class LivingLayouts(LivingVault):
    """A life with changes of layout. The owner also links to notes, from a note and a canvas of their own."""

    def __init__(self) -> None:
        super().__init__()
        #: Lines of notes of earlier layouts: in the note that has the messages now, or in one kept beside it.
        self.kept: list[str] = []

    @property
    def mine(self) -> Path:
        return self.vault / "Diary" / "Mine.md"

    @property
    def board(self) -> Path:
        return self.vault / "Board.canvas"

    @rule(pick=_PICKS)
    def link(self, pick: random.Random) -> None:
        """The owner links to a message, or to all of a day, and shows it on a canvas."""
        _, path = self._note(pick)
        blocks = re.findall(r" (\^m\d+)$", path.read_text(), re.MULTILINE)
        part = f"#{pick.choice(blocks)}" if blocks and pick.random() < 0.7 else ""
        target = path.relative_to(self.vault).as_posix()
        self.mine.parent.mkdir(exist_ok=True)
        with self.mine.open("a") as file:
            file.write(f"[[{target.removesuffix('.md')}{part}]] and [x](<../{target}{part}>)\n")
        nodes = json.loads(self.board.read_text())["nodes"] if self.board.exists() else []
        node = {"id": f"{len(nodes)}", "type": "file", "file": target} | ({"subpath": part} if part else {})
        self.board.write_text(json.dumps({"nodes": [*nodes, node], "edges": []}, indent="\t"))

    def _is_linked(self, path: Path) -> bool:
        """Whether the owner links to a note, or tobs did in one that is theirs now."""
        name = path.relative_to(self.vault).as_posix().removesuffix(".md")
        ours = set(self._notes().values())
        return any(name in other.read_text() for other in self.vault.rglob("*.md") if other not in ours)

    # Obsidian would follow with the owner's links; here nobody does.

    @rule(pick=_PICKS, how=st.sampled_from(["rename", "move", "back"]))
    def move(self, pick: random.Random, how: str) -> None:
        seed = pick.random()
        if not self._is_linked(self._note(random.Random(seed))[1]):
            super().move(random.Random(seed), how)

    @rule(pick=_PICKS)
    def rename_in_obsidian(self, pick: random.Random) -> None:
        seed = pick.random()
        if not self._is_linked(self._note(random.Random(seed))[1]):
            super().rename_in_obsidian(random.Random(seed))

    @rule(chat=st.integers(0, 1))
    def move_folder(self, chat: int) -> None:
        note = self._notes().get(str(self.chats[chat]))
        if note is not None and not self._is_linked(note.parent):
            super().move_folder(chat)

    @precondition(lambda self: len(self.deleted) < 3)
    @rule(pick=_PICKS)
    def remove(self, pick: random.Random) -> None:
        self.in_step()
        seed = pick.random()
        _, path = self._note(random.Random(seed))
        if not self._is_linked(path):
            text = path.read_text()
            self.kept = [line for line in self.kept if line not in text]
            super().remove(random.Random(seed))

    @precondition(lambda self: self.watch is None)
    @rule(layout=st.sampled_from(_LAYOUTS), is_stopped=st.booleans())
    def lay_out(self, layout: str, is_stopped: bool) -> None:
        self.in_step()
        if is_stopped:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("tobs.pipeline.session.run_session.finish_relayouts", lambda context: None)
                self.tobs("render", "--layout", layout)
        self.tobs("render", "--layout", layout, "--accept-missing")
        self.layout = layout
        self.kept += [line for lines in self.wrote.values() for line in lines]
        self.wrote, self.put = {}, {}
        before = stamps(self.vault)
        again = self.tobs("render", "--layout", layout)
        assert again["notes"]["created"] == again["notes"]["updated"] == 0 and again["rendering"]["layouts"] == []
        assert stamps(self.vault) == before, "a second render writes nothing"
        self._check()

    def _check(self) -> None:
        super()._check()
        read = Vault(self.vault)
        text = "\n".join(read.notes.values()).split("\n")
        assert [line for line in self.kept if line not in text] == []
        assert [fault for fault in judge.link_faults(read) if "not there yet" not in fault] == []
        if self.mine.exists():
            pointed = re.findall(r"\]\(<([^<>]+?)(?:#\^(\w+))?>\)", self.mine.read_text())
            shown = [
                (node["file"], node.get("subpath", "").removeprefix("#^"))
                for node in json.loads(self.board.read_text())["nodes"]
            ]
            paths = [(path.removeprefix("../"), block) for path, block in pointed]
            assert paths == shown
            lost = [path for path, block in shown if f" ^{block}\n" not in f" ^\n{read.notes.get(path, '')}\n"]
            assert lost == []
        assert [item for item in self.tobs("verify")["items"] if item["kind"] != "copy"] == []


def likely(machine: LivingLayouts, draw: random.Random) -> Likely:
    """What a life of this kind has besides."""
    return {
        lambda: machine.lay_out(draw.choice(_LAYOUTS), draw.random() < 0.3) if machine.watch is None else None: 3,
        lambda: machine.link(draw): 2,
    }


def test_a_vault_lives_in_one_layout_after_the_other() -> None:
    living = LivingLayouts()
    try:
        play(living, seed=3, steps=6, besides=likely)
    finally:
        living.teardown()


@pytest.mark.long  # every life serves a world of its own
@pytest.mark.parametrize("seed", range(4, 4 + int(os.environ.get("TOBS_MODEL_RUNS", "4"))))
def test_a_vault_lives_long_in_one_layout_after_the_other(seed: int) -> None:
    living = LivingLayouts()
    try:
        play(living, seed, steps=40, besides=likely)
    finally:
        living.teardown()


@pytest.mark.long  # as above
def test_whatever_happens_in_a_vault_that_is_laid_out_anew() -> None:
    examples = int(os.environ.get("TOBS_MODEL_RUNS", "4"))
    run_state_machine_as_test(LivingLayouts, settings=settings(max_examples=examples, stateful_step_count=25))
