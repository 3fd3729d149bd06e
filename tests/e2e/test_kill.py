"""``kill -9`` at any moment, then the same command: the vault an undisturbed run would have made."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.e2e import kill_steps
from tests.e2e.conftest import Serve, ServeInProcess
from tests.e2e.harness import Served, stamps, tree

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


def _much_happens(served: Served, vault: Path) -> None:
    """On Telegram and in the vault."""
    served.control("/messages", {"text": "New words.", "count": 4})
    for message_id in range(18, 22):
        served.control("/edit", {"id": message_id, "text": f"Edited {message_id} again"})
    served.control("/delete", {"ids": [3, 4]})
    served.control("/pin", {"id": 8})
    served.control("/title", {"title": "Another title"})
    notes = {int(path.name.split()[1]): path for path in (vault / "Telegram").rglob("20*.md")}
    notes[20].write_text(notes[20].read_text() + "\nMy words.\n")
    (vault / "Mine").mkdir()
    notes[21].rename(vault / "Mine/Twenty-one.md")
    notes[9].rename(notes[9].with_name("Nine.md"))
    notes[30].unlink()


def _comments_come(served: Served, vault: Path) -> None:
    made = served.control("/topics", {"chat": "@garden_guild", "title": "Bees"})["id"]
    served.control("/messages", {"chat": "@garden_guild", "text": "Buzz.", "thread": made})
    served.control("/comments", {"chat": "@garden_post", "post": 2, "text": "Late to the party."})
    served.control("/messages", {"chat": "@garden_post", "text": "A new post."})


def _long_ago(served: Served, vault: Path) -> None:
    _much_happens(served, vault)
    served.control("/messages", {"text": "Many more.", "count": 150})
    served.control("/forget", {})


SMALL = "synthetic:messages=40,chats=1,media=0.1,seed=4"
Happening = Callable[[Served, Path], None]


def test_a_sync_that_is_killed_after_any_step_ends_with_the_same_vault(
    in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    _kill_sync(in_process_world, tmp_path, SMALL, _much_happens, is_short=True)


@pytest.mark.long  # one run and another for each of a hundred steps
@pytest.mark.parametrize(
    ("world", "happening"), [(SMALL, _much_happens), (SMALL, _long_ago), ("community", _comments_come)]
)
def test_a_sync_that_is_killed_after_each_step_ends_with_the_same_vault(
    world: str, happening: Happening, in_process_world: ServeInProcess, tmp_path: Path
) -> None:
    _kill_sync(in_process_world, tmp_path, world, happening)


def _kill_sync(
    in_process_world: ServeInProcess, tmp_path: Path, world: str, happening: Happening, *, is_short: bool = False
) -> None:
    served, vault = in_process_world(world), tmp_path / "before"
    comments = ("--comments",) if world == "community" else ()
    done = served.tobs("export", *served.ready["targets"], *comments, "--layout", "message", "--vault", str(vault))
    assert done.code == 0, done.stderr
    with (vault / ".tobs/config.toml").open("a") as config:
        config.write("digest = true\n")
    happening(served, vault)

    def sync(name: str, last: int) -> subprocess.CompletedProcess[str]:
        shutil.copytree(vault, tmp_path / name)
        command = [sys.executable, kill_steps.__file__, str(last), "sync", "--vault", str(tmp_path / name), "-q"]
        return subprocess.run(command, env=served.environment(), capture_output=True, text=True, check=False)

    undisturbed = sync("whole", 0)
    assert undisturbed.returncode == 0, undisturbed.stderr
    whole, steps = tree(tmp_path / "whole"), range(1, int(undisturbed.stderr.split()[-1]))
    # The first is when something is recorded and no note written, the last when nearly all is done.
    for last in [5, random.Random(SEED).choice(steps), steps[-3]] if is_short else steps:
        name = f"killed{last}"
        assert sync(name, last).returncode == -signal.SIGKILL
        done = served.tobs("sync", "--vault", str(tmp_path / name))
        assert done.code == 0, done.stderr
        killed, before = tree(tmp_path / name), stamps(tmp_path / name)
        assert sorted(killed) == sorted(whole), f"killed after step {last}"
        assert [path for path in whole if killed[path] != whole[path]] == [], f"killed after step {last}"
        served.tobs("sync", "--vault", str(tmp_path / name))
        assert stamps(tmp_path / name) == before, f"killed after step {last}"


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
