"""What plugins cost: a processor that does nothing, the chain around it, and the chain of an export without media."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.harness import TOBS, Served, sandbox
from tobs.archive import open_archive
from tobs.media.chain import Chain, Incoming
from tobs.model import FileItem, Message
from tobs.pipeline.context.adapters import ArchiveResults
from tobs.pipeline.context.archive_thread import ArchiveThread
from tobs.plugin import Item
from tobs.plugin.host import Host, HostLimits
from tobs.plugin.loading import load_class
from tobs.plugin.processor import Processor
from tobs.plugin.protocol import PluginRef

_NOOP = """
from tobs.plugin import Item, NoConfig, Plugin


class Noop(Plugin[NoConfig]):
    name = "noop"
    version = "1"
    handles = frozenset({"document"})
    batch = 100

    def process(self, item: Item) -> None:
        return None
"""
MESSAGES = 20_000
PLAIN = f"synthetic:messages={MESSAGES},chats=1,media=0,seed=1"

_BATCH = 100
_ROUNDS = 50


def plugin_lines(world: Served, folder: Path) -> Iterator[str]:
    """The lines of the benchmark; ``world`` has a chat without media."""
    bare, whole = asyncio.run(noop_microseconds(folder / "noop"))
    yield f"  a processor that does nothing, batches of 100: {bare:.0f} µs an item, {whole:.0f} µs with the chain"
    without, having = chain_share(world, folder)
    told = f"{without:.2f} s of CPU without plugins, {having:.2f} s with all of tobs's: {having / without - 1:+.1%}"
    yield f"  an export of {MESSAGES:,} messages without media: {told}"


async def noop_microseconds(folder: Path) -> tuple[float, float]:
    """Microseconds an item of a batch of 100 takes: through a worker process alone, and through the chain with the
    archive around it. The best of many rounds: the machine's other work is not meant."""
    processor = _noop(folder)
    async with Host(env=os.environ, limits=HostLimits(cpu=1)) as host, ArchiveThread() as archive_thread:
        items = [_item(number) for number in range(_BATCH)]
        bare = []
        for _ in range(_ROUNDS):
            started = time.perf_counter()
            await host.run(processor, items)
            bare.append(time.perf_counter() - started)
        archive = await archive_thread(open_archive, folder / "archive.db", clock=time.time)
        chain = Chain([processor], host, ArchiveResults(archive, archive_thread), staging=folder / "staging")
        whole = []
        for round_number in range(_ROUNDS):
            files = [_incoming(folder, _BATCH * round_number + number) for number in range(_BATCH)]
            started = time.perf_counter()
            await chain.run(files)
            whole.append(time.perf_counter() - started)
        await archive_thread(archive.close)
    return 1e6 * min(bare) / _BATCH, 1e6 * min(whole) / _BATCH


def chain_share(world: Served, folder: Path) -> tuple[float, float]:
    """CPU seconds of an export without any plugin and with all that come with tobs, of a chat that has no media. The
    best of three, taken in turns."""
    names = [one["name"] for one in world.tobs("plugins", "list", "--json").json["items"]]
    without, having = [], []
    for round_number in range(3):
        without.append(_cpu_seconds(world, folder / f"without{round_number}", TOBS_PLUGINS_OFF=",".join(names)))
        having.append(_cpu_seconds(world, folder / f"having{round_number}"))
    return min(without), min(having)


def _cpu_seconds(world: Served, vault: Path, **env: str) -> float:
    process = subprocess.Popen(
        [*TOBS, "export", world.target, "--vault", str(vault), "-q"], env=world.environment() | env, cwd=world.home
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    shutil.rmtree(vault)
    return usage.ru_utime + usage.ru_stime


def _noop(folder: Path) -> Processor:
    folder.mkdir(parents=True)
    source = folder / "noop.py"
    source.write_text(_NOOP)
    ref = PluginRef("bench_noop", "Noop", str(source))
    plugin = load_class(ref)
    return Processor.of(plugin(plugin.config_type()), ref)


def _item(number: int) -> Item:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return Item(Path(f"/nowhere/{number}.txt"), "document", "text/plain", digest, 10, Path("/nowhere/work"), "a file")


def _incoming(folder: Path, number: int) -> Incoming:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    item = FileItem("document", mime="text/plain", size=10, name=f"{number}.txt")
    message = Message(chat_id=-1, id=number + 1, date=0, media=item)
    return Incoming(folder / f"{number}.txt", digest, 10, item, message, "Chat", f"{number}.txt of message {number}")


def main() -> None:
    """Only this part of the benchmark."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="tobs-bench-") as name:
        folder = Path(name)
        with sandbox(folder / "plain", PLAIN) as world:
            world.login()
            for line in plugin_lines(world, folder):
                sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
