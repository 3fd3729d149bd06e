"""Lives of a vault: some drawn from a seed, full from the first, and others by hypothesis (tests/e2e/stateful.py)."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Mapping
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.e2e.stateful import Key, LivingMonths, LivingVault

Machine = TypeVar("Machine", bound=LivingVault)
Likely = Mapping[Callable[[], object], int]


def play(
    machine: Machine, seed: int, steps: int, besides: Callable[[Machine, random.Random], Likely] = lambda *_: {}
) -> None:
    """A life drawn from ``seed``. Hypothesis draws few rules in few examples; this one is full from the first.
    ``besides``: what may happen in a life of this kind that others do not have, and how likely it is."""
    draw = random.Random(seed)
    posted: list[Key] = []
    texts, places = ["hello", "two\nlines", "# heading", "> quote\n\nand more"], ["end", "middle", "property", "top"]

    def post() -> None:
        posted.append(machine.post(draw.choice(texts), draw.randint(0, 20), draw.randint(0, 1)))

    def both() -> None:
        machine.both(draw.choice(posted), draw.choice(texts), draw, draw.choice(places))

    def move() -> None:
        machine.move(draw, draw.choice(["rename", "move", "back"]))

    def watch() -> None:
        if machine.watch is None:
            machine.watch_begins()
        else:
            machine.watch_ends(draw.choice([signal.SIGTERM, signal.SIGKILL]))

    def alone(step: str) -> None:
        if machine.watch is None:
            getattr(machine, step)()

    likely: dict[Callable[[], object], int] = {
        post: 4,
        both: 4,
        move: 2,
        watch: 2,
        lambda: machine.rename_in_obsidian(draw): 1,
        lambda: machine.move_folder(draw.randint(0, 1)): 1,
        lambda: machine.edit(draw.choice(posted), draw.choice(texts)): 2,
        lambda: machine.delete(draw.choice(posted)): 1,
        lambda: machine.react(draw.choice(posted), draw.randint(1, 9)): 1,
        lambda: machine.write(draw, draw.choice(places)): 3,
        lambda: machine.line_ends(draw): 1,
        lambda: machine.remove(draw) if len(machine.deleted) < 3 else None: 1,
        lambda: machine.killed(draw.uniform(0.2, 1.5)) if machine.watch is None else None: 1,
        machine.lose_connections: 1,
        lambda: alone("sync"): 1,
        lambda: alone("sync_counters"): 1,
        machine.in_step: 2,
        **besides(machine, draw),
    }
    machine.first_export()
    first = [post, post, both, watch, post, move, both, watch]
    for step in [*first, *draw.choices(list(likely), list(likely.values()), k=steps), machine.in_step]:
        step()
        machine.no_temporary_file_is_visible()
    if machine.watch is not None:
        machine.watch_ends(signal.SIGTERM)
    machine.sync_counters()


@pytest.mark.parametrize("machine", [LivingVault, LivingMonths])
def test_a_vault_lives(machine: type[LivingVault]) -> None:
    living = machine()
    try:
        play(living, seed=1, steps=6)
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
