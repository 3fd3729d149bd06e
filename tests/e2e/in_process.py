"""Sandbox and commands in this process: the same real parts over real TCP, without starting Python for each of them.

What ends a process (signals, limits, `kill -9`) needs a process of its own: ``tests.e2e.harness``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

from tests.e2e.harness import Done, Served
from tobs.cli.main import run
from tobs.sandbox import SandboxOptions, open_world
from tobs.sandbox import serve as serve_world

_STARTS_WITHIN = 60.0


class InProcess(Served):
    """A sandbox in a thread of this process; its commands run in this thread."""

    def tobs(self, *arguments: str, cwd: Path | None = None, timeout: float = 0, **env: str) -> Done:
        """Run one command to its end. There is no ``cwd`` and no ``timeout`` here."""
        assert cwd is None
        out, err = StringIO(), StringIO()
        with variables(self.environment() | env), redirect_stdout(out), redirect_stderr(err):
            code = run(list(arguments))
        return Done(code, out.getvalue(), err.getvalue())


@contextmanager
def variables(tobs: Mapping[str, str]) -> Iterator[None]:
    """The environment with just these variables of tobs."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOBS_")}
    with mock.patch.dict(os.environ, clean | tobs, clear=True):
        yield


@contextmanager
def serve_in_process(folder: Path, world: str) -> Iterator[InProcess]:
    """Serve ``world`` and log its person in; ``folder`` becomes their home."""
    with serving(folder, world) as (ready, home):
        served = InProcess(ready, home)
        served.login()
        yield served


@contextmanager
def serving(folder: Path, world: str, *options: str) -> Iterator[tuple[dict[str, Any], Path]]:
    """Serve ``world`` from a thread of this process, with the ``options`` of `tobs sandbox serve`; what its ready file
    says, and a home."""
    home, ready_file = folder / "home", folder / "ready.json"
    home.mkdir(parents=True)
    is_ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    failed: list[BaseException] = []

    async def serve() -> None:
        async with serve_world(open_world(world), _options(options), ready_file=ready_file):
            is_ready.set()
            await stop.wait()

    def work() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            loop.close()
            is_ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert is_ready.wait(_STARTS_WITHIN) and not failed, failed
        yield json.loads(ready_file.read_text()), home
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)
        thread.join(_STARTS_WITHIN)


def _options(given: Sequence[str]) -> SandboxOptions:
    """The options of `tobs sandbox serve` that tests use."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--dcs", type=int, default=1)
    parser.add_argument("--bandwidth", type=int, default=0)
    parser.add_argument("--code", default=SandboxOptions().code)
    parser.add_argument("--password", default="")
    parser.add_argument("--hint", default="")
    parser.add_argument("--takeout-delay", type=int, default=0)
    parser.add_argument("--split-ranges", type=int, default=1)
    parser.add_argument("--cdn", action="store_true")
    asked = vars(parser.parse_args(given))
    return SandboxOptions(latency=asked.pop("latency") / 1000, faults=tuple(asked.pop("fault")), **asked)
