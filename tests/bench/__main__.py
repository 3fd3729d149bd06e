"""``make bench``: what an export costs, as ratios of rates measured in one run on one machine.

The sandbox, the yardstick (stock Telethon) and tobs run in processes of their own, as in real use. Rates are medians
of several rounds, so that the machine's other work does not decide; on a machine that is busy they are still low.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.bare import bare_rate
from tests.bench.plugins import PLAIN, plugin_lines
from tests.e2e.harness import TOBS, Served, sandbox

FAST = "synthetic:messages=50000,chats=1,media=0,seed=1"
FAR = "synthetic:messages=40000,chats=1,media=0,seed=1"
AGAIN = "synthetic:messages=20000,chats=1,media=0,seed=1"
BIG = "synthetic:messages={count},chats=1,media=0,seed=1"
ROUNDS = 3


def main() -> None:
    """Run every measurement and print a line for each."""
    # On a user's machine tobs is compiled once, not at every start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="tobs-bench-") as name:
        folder = Path(name)
        say("at 0 ms latency, 50,000 messages")
        with served(folder / "fast", FAST) as fast:
            bare = median(lambda: asyncio.run(bare_rate(fast)))
            say(f"  bare Telethon getHistory, 1 client           {bare:9,.0f} messages/s   1.00")
            for workers in (1, 8):
                rate = median(lambda workers=workers: export_rate(fast, folder, workers))  # type: ignore[misc]
                say(
                    f"  export with {workers} workers, one note a message   {rate:9,.0f} messages/s   {rate / bare:.2f}"
                )
        say("at 250 ms latency, 40,000 messages")
        with served(folder / "far", FAR, "--latency", "250") as far:
            one = export_rate(far, folder, 1)
            say(f"  export with 1 worker                         {one:9,.0f} messages/s   1.0")
            eight = export_rate(far, folder, 8)
            say(f"  export with 8 workers                        {eight:9,.0f} messages/s   {eight / one:.1f}")
            bare = asyncio.run(bare_rate(far, clients=8))
            say(f"  bare Telethon, 8 clients                     {bare:9,.0f} messages/s")
        say("a second run of an export of 20,000 messages, nothing new")
        with served(folder / "again", AGAIN) as again:
            export_seconds(again, folder / "again-vault", 4)
            say(f"  {export_seconds(again, folder / 'again-vault', 4):.2f} s, interpreter start included")
        say("plugins")
        with served(folder / "plain", PLAIN) as plain:
            for line in plugin_lines(plain, folder):
                say(line)
        say("peak memory of an export (the process and the largest beside it)")
        for count in (20_000, 200_000):
            with served(folder / f"memory{count}", BIG.format(count=count)) as world:
                say(f"  {count:7,} messages: {peak_megabytes(world, folder / f'vault{count}'):.0f} MB")


def say(line: str) -> None:
    """A line of the result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def served(folder: Path, world: str, *options: str):  # type: ignore[no-untyped-def]
    """A sandbox whose person is logged in."""
    from contextlib import contextmanager

    @contextmanager
    def logged_in():  # type: ignore[no-untyped-def]
        with sandbox(folder, world, *options) as running:
            running.login()
            yield running

    return logged_in()


def median(measure: Callable[[], float]) -> float:
    """The median of a few rounds."""
    return statistics.median(measure() for _ in range(ROUNDS))


def export_rate(world: Served, folder: Path, workers: int) -> float:
    """Messages a second of an export into a new vault, from the start of the command to its end.

    The vault stays until all is measured: ext4 remembers for minutes which inodes were freed and steps over each of
    them, so that a file made after 50,000 were deleted costs several times as much.
    """
    vault = folder / f"vault-{time.monotonic_ns()}"
    seconds = export_seconds(world, vault, workers)
    count = int(world.tobs("export", world.target, "--vault", str(vault), "--json", "-q").json["ok"])
    assert count, "the second run must find nothing wrong"
    messages = sum(1 for _ in (vault / "Telegram").rglob("20*.md"))
    return messages / seconds


def export_seconds(world: Served, vault: Path, workers: int) -> float:
    """Seconds a whole export command takes."""
    started = time.perf_counter()
    done = world.tobs("export", world.target, "--workers", str(workers), "--vault", str(vault), "-q", timeout=900)
    assert done.code == 0, done.stderr
    return time.perf_counter() - started


def peak_megabytes(world: Served, vault: Path) -> float:
    """The largest resident size any process of an export had."""
    process = subprocess.Popen(
        [*TOBS, "export", world.target, "--profile", "aggressive", "--vault", str(vault), "-q"],
        env=world.environment(),
        cwd=world.home,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss / 1000


if __name__ == "__main__":
    main()
