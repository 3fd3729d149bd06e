"""``kill -9`` at any moment, then the same command: the vault an undisturbed run would have made."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.harness import Served, tree

SEED = 20261121


#: A note each, so that a kill finds many.
MESSAGES = ("--layout", "message")


def _export(served: Served, vault: Path, options: Sequence[str]) -> list[str]:
    options = options if "--layout" in options else (*MESSAGES, *options)
    return ["export", *served.ready["targets"], "--profile", "aggressive", "--vault", str(vault), *options]


def _killed_then_finished(
    served: Served, vault: Path, undisturbed: float, moments: list[float], options: Sequence[str]
) -> None:
    for moment in moments:
        process = served.start(*_export(served, vault, options))
        time.sleep(moment * undisturbed)
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = served.tobs(*_export(served, vault, options))
    assert done.code == 0, done.stderr


def test_a_killed_export_ends_with_the_same_vault(serve: Serve, tmp_path: Path) -> None:
    _kill_test(serve, tmp_path, "synthetic:messages=20000,chats=1,media=0.002,seed=11", runs=3)


@pytest.mark.long
def test_an_export_killed_at_many_moments_ends_with_the_same_vault(serve: Serve, tmp_path: Path) -> None:
    """Slow because each of 12 runs exports 20,000 messages, some of them after three kills."""
    _kill_test(serve, tmp_path, "synthetic:messages=20000,chats=1,media=0.005,seed=12", runs=12)


@pytest.mark.long
@pytest.mark.parametrize("layout", ["day", "month"])
def test_notes_of_days_and_months_survive_kills_too(layout: str, serve: Serve, tmp_path: Path) -> None:
    """Slow because each of 8 runs exports 20,000 messages, some of them after three kills."""
    world = "synthetic:messages=20000,chats=2,media=0.005,seed=15"
    _kill_test(serve, tmp_path, world, runs=8, options=("--layout", layout), least=100)


@pytest.mark.long
def test_a_change_of_layout_killed_at_many_moments_ends_with_the_same_vault(serve: Serve, tmp_path: Path) -> None:
    """Slow because each of 12 runs lays 5,000 messages out anew, some of them after three kills."""
    served = serve("synthetic:messages=5000,chats=2,media=0.005,seed=16")
    done = served.tobs(*_export(served, tmp_path / "before", ()))
    assert done.code == 0, done.stderr
    notes = sorted((tmp_path / "before" / "Telegram").rglob("20*.md"))
    for number, note in enumerate(notes[:: len(notes) // 20]):
        note.write_text(f"{note.read_text(encoding='utf-8')}\nMy words {number}.\n", encoding="utf-8")
    links = "".join(f"- [[{note.relative_to(tmp_path / 'before').as_posix()[:-3]}]]\n" for note in notes[::40])
    (tmp_path / "before" / "Mine.md").write_text(links, encoding="utf-8")

    def render(vault: Path) -> list[str]:
        return ["render", "--layout", "day", "--vault", str(vault)]

    shutil.copytree(tmp_path / "before", tmp_path / "whole")
    started = time.monotonic()
    done = served.tobs(*render(tmp_path / "whole"))
    undisturbed = time.monotonic() - started
    assert done.code == 0, done.stderr
    whole = tree(tmp_path / "whole")
    chance = random.Random(SEED)
    for run in range(12):
        moments = [chance.uniform(0.1, 0.95) for _ in range(chance.randint(1, 3))]
        print(f"seed {SEED}, run {run}: killed at {moments} of {undisturbed:.1f} s")  # noqa: T201 - to replay it
        vault = tmp_path / f"killed{run}"
        shutil.copytree(tmp_path / "before", vault)
        for moment in moments:
            process = served.start(*render(vault))
            time.sleep(moment * undisturbed)
            process.send_signal(signal.SIGKILL)
            process.wait()
        done = served.tobs(*render(vault))
        assert done.code == 0, done.stderr
        assert sorted(tree(vault)) == sorted(whole)
        assert [name for name, data in tree(vault).items() if data != whole[name]] == []


#: What each message is asked for, and what leaves an interval of ids.
BY_CONTENT = ("--where", "id % 3 == 0 or type == 'photo'")
BY_IDS = ("--min-id", "700", "--max-id", "2600")


def test_a_killed_run_with_filters_ends_with_the_same_vault(serve: Serve, tmp_path: Path) -> None:
    world = "synthetic:messages=1500,chats=1,media=0.02,seed=13"
    _kill_test(serve, tmp_path, world, runs=1, options=BY_CONTENT, least=500)


@pytest.mark.long
@pytest.mark.parametrize("options", [BY_CONTENT, BY_IDS, (*BY_CONTENT, "--limit", "400")])
def test_a_run_with_filters_killed_at_many_moments_ends_with_the_same_vault(
    options: Sequence[str], serve: Serve, tmp_path: Path
) -> None:
    """Slow because each of 8 runs is killed up to three times. A run without filters then brings the rest."""
    world = "synthetic:messages=3000,chats=1,media=0.02,seed=14"
    served = _kill_test(serve, tmp_path, world, runs=8, options=options, least=300)
    done = served.tobs(*_export(served, tmp_path / "all", ()))
    assert done.code == 0, done.stderr
    for name in ("whole", "killed0"):
        done = served.tobs(*_export(served, tmp_path / name, ()))
        assert done.code == 0, done.stderr
    assert tree(tmp_path / "killed0") == tree(tmp_path / "whole")
    # A file that two messages share has the name of the one that came first: with a filter, maybe another.
    notes = [sorted(path for path in tree(tmp_path / name) if path.endswith(".md")) for name in ("whole", "all")]
    assert notes[0] == notes[1]


def _kill_test(
    serve: Serve, tmp_path: Path, world: str, *, runs: int, options: Sequence[str] = (), least: int = 20_000
) -> Served:
    served = serve(world)
    started = time.monotonic()
    done = served.tobs(*_export(served, tmp_path / "whole", options))
    undisturbed = time.monotonic() - started
    assert done.code == 0, done.stderr
    whole = tree(tmp_path / "whole")
    assert len(whole) >= least
    chance = random.Random(SEED)
    for run in range(runs):
        moments = [chance.uniform(0.1, 0.95) for _ in range(chance.randint(1, 3))]
        print(f"seed {SEED}, run {run}: killed at {moments} of {undisturbed:.1f} s")  # noqa: T201 - to replay it
        vault = tmp_path / f"killed{run}"
        _killed_then_finished(served, vault, undisturbed, moments, options)
        killed = tree(vault)
        assert sorted(killed) == sorted(whole)
        assert [name for name in whole if killed[name] != whole[name]] == []
    return served
