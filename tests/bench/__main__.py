"""``make bench``: what tobs costs, as ratios of rates measured in one run on one machine.

The sandbox, the yardstick (stock Telethon) and tobs run in processes of their own, as in real use. Rates are medians
of several rounds, so that the machine's other work does not decide; on a machine that is busy they are still low.
``python -m tests.bench notes import`` measures some things only.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import notes
from tests.bench.bare import bare_rate
from tests.bench.exports import export_rate, export_seconds, idle_sync_seconds, median, peak_megabytes
from tests.bench.imports import MESSAGES, import_cost, write_export
from tests.bench.plugins import PLAIN, plugin_lines
from tests.e2e.harness import Served, sandbox

WORLD = "synthetic:messages={count},chats=1,media=0,seed=1"


def main() -> None:
    """Run the measurements that are asked for (all of them without arguments) and print a line for each."""
    # On a user's machine tobs is compiled once, not at every start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    wanted = sys.argv[1:] or list(_SECTIONS)
    with tempfile.TemporaryDirectory(prefix="tobs-bench-") as folder:
        for name in wanted:
            (Path(folder) / name).mkdir()
            _SECTIONS[name](Path(folder) / name)


def near(folder: Path) -> None:
    """Rates without latency."""
    say("at 0 ms latency, 100,000 messages")
    with served(folder, 100_000) as world:
        bare = median(lambda: asyncio.run(bare_rate(world)))
        say(f"  bare Telethon getHistory, 1 client           {bare:9,.0f} messages/s   1.00")
        for workers in (1, 8):
            rate = median(lambda workers=workers: export_rate(world, folder, workers))  # type: ignore[misc]
            say(f"  export with {workers} workers, one note a message   {rate:9,.0f} messages/s   {rate / bare:.2f}")


def far(folder: Path) -> None:
    """Rates with the latency of another continent."""
    say("at 250 ms latency, 40,000 messages")
    with served(folder, 40_000, "--latency", "250") as world:
        one = export_rate(world, folder, 1)
        say(f"  export with 1 worker                         {one:9,.0f} messages/s   1.0")
        eight = export_rate(world, folder, 8)
        say(f"  export with 8 workers                        {eight:9,.0f} messages/s   {eight / one:.1f}")
        bare = asyncio.run(bare_rate(world, clients=8))
        say(f"  bare Telethon, 8 clients                     {bare:9,.0f} messages/s")


def again(folder: Path) -> None:
    """A run with nothing new."""
    say("a second run of an export of 20,000 messages, nothing new")
    with served(folder, 20_000) as world:
        export_seconds(world, folder / "vault", 4)
        say(f"  {export_seconds(world, folder / 'vault', 4):.2f} s, interpreter start included")


def memory(folder: Path) -> None:
    """Peak memory."""
    say("peak memory of an export (the process and the largest beside it)")
    for count in (20_000, 200_000):
        with served(folder / str(count), count) as world:
            say(f"  {count:7,} messages: {peak_megabytes(world, folder / f'vault{count}'):.0f} MB")


def note(folder: Path) -> None:
    """A note."""
    with served(folder, notes.MESSAGES) as world:
        say(f"a note with its front matter: {notes.note_microseconds(world, folder):.0f} µs of CPU")


def sync(folder: Path) -> None:
    """A sync with nothing new, in a large vault and in a small one (which is imports and the way to Telegram)."""
    say("a sync with nothing new")
    for count in (100, 100_000):
        with served(folder / str(count), count) as world:
            say(f"  {count:7,} messages: {idle_sync_seconds(world, folder / f'vault{count}'):.2f} s of CPU")


def imports(folder: Path) -> None:
    """A Telegram Desktop export."""
    say(f"an import of {MESSAGES:,} messages, recorded and rendered")
    export = write_export(folder / "result.json")
    for told, options in (("in the layout chosen by itself", ()), ("one note a message", ("--layout", "message"))):
        seconds, megabytes = import_cost(folder, export, *options)
        say(f"  {told}: {seconds:.1f} s of CPU, {megabytes:.0f} MB")


def plugins(folder: Path) -> None:
    """The media chain."""
    say("plugins")
    with sandbox(folder / "sandbox", PLAIN) as world:
        world.login()
        for line in plugin_lines(world, folder):
            say(line)


_SECTIONS: dict[str, Callable[[Path], None]] = {
    "near": near,
    "far": far,
    "again": again,
    "sync": sync,
    "note": note,
    "import": imports,
    "plugins": plugins,
    "memory": memory,
}


@contextmanager
def served(folder: Path, messages: int, *options: str) -> Iterator[Served]:
    """A chat of so many messages, whose person is logged in."""
    with sandbox(folder / "sandbox", WORLD.format(count=messages), *options) as running:
        running.login()
        yield running


def say(line: str) -> None:
    """A line of the result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
