"""What exports and syncs cost: rates against bare Telethon, the gain of workers, a run with nothing new, memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.harness import TOBS, Served

ROUNDS = 3


def median(measure: Callable[[], float]) -> float:
    """The median of a few rounds."""
    return statistics.median(measure() for _ in range(ROUNDS))


def export_rate(world: Served, folder: Path, workers: int) -> float:
    """Messages a second of an export into a new vault, one note a message, from the start of the command to its end.

    The vault stays until all is measured: ext4 remembers for minutes which inodes were freed and steps over each of
    them, so that a file made after 50,000 were deleted costs several times as much.
    """
    vault = folder / f"vault-{time.monotonic_ns()}"
    seconds = export_seconds(world, vault, workers, "--layout", "message")
    again = world.tobs("export", world.target, "--vault", str(vault), "--json", "-q").json
    assert again["ok"], "the second run must find nothing wrong"
    messages = sum(1 for _ in (vault / "Telegram").rglob("20*.md"))
    return messages / seconds


def export_seconds(world: Served, vault: Path, workers: int, *options: str) -> float:
    """Seconds a whole export command takes, with the profile of the main job and so many workers."""
    started = time.perf_counter()
    command = (
        *("export", world.target, "--profile", "aggressive", "--workers", str(workers)),
        *("--vault", str(vault), "-q", *options),
    )
    done = world.tobs(*command, timeout=900)
    assert done.code == 0, done.stderr
    return time.perf_counter() - started


def measured(world: Served, *arguments: str) -> tuple[float, float]:
    """(seconds of CPU, megabytes of the largest process) of one command."""
    process = subprocess.Popen([*TOBS, *arguments], env=world.environment(), cwd=world.home)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def peak_megabytes(world: Served, vault: Path) -> float:
    """The largest resident size any process of an export had."""
    command = ("export", world.target, "--profile", "aggressive", "--layout", "message", "--vault", str(vault), "-q")
    return measured(world, *command)[1]


def idle_sync_seconds(world: Served, vault: Path) -> float:
    """Seconds of CPU that a sync with nothing new takes in a vault where ``world`` was exported."""
    export_seconds(world, vault, 4)
    return min(measured(world, "sync", "--vault", str(vault), "-q")[0] for _ in range(ROUNDS))
