"""Memory has a bound: it does not grow with the number of messages (invariant 7)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.harness import TOBS, Served

#: Runs a command and prints the peak of its size. Linux counts for a new process what the one that started it holds,
#: so the one that starts it has to be small.
_MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_megabytes(served: Served, vault: Path, *options: str) -> float:
    """The largest resident size the exporting process, or one it started, had."""
    export = [*TOBS, "export", served.target, "--profile", "aggressive", "--vault", str(vault), "-q", *options]
    measured = subprocess.run(
        [sys.executable, "-c", _MEASURE, *export],
        env=served.environment(),
        cwd=served.home,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(measured.stdout.splitlines()[-1]) / 1000


def test_memory_does_not_grow_with_the_messages(serve: Serve, tmp_path: Path) -> None:
    layout = ("--layout", "message")
    few = peak_megabytes(serve("synthetic:messages=4000,chats=1,media=0,seed=2"), tmp_path / "few", *layout)
    many = peak_megabytes(serve("synthetic:messages=16000,chats=1,media=0,seed=2"), tmp_path / "many", *layout)
    assert many < 300
    assert many - few < 40, f"{few:.0f} MB for 4,000 messages, {many:.0f} MB for 16,000"


@pytest.mark.long
@pytest.mark.parametrize("layout", ["message", "day"])
def test_200000_messages_stay_under_300_megabytes(layout: str, serve: Serve, tmp_path: Path) -> None:
    """Slow because 250,000 messages are brought."""
    many, few = (
        peak_megabytes(
            serve(f"synthetic:messages={messages},chats=1,media=0,seed=2"), tmp_path / f"{messages}", "--layout", layout
        )
        for messages in (200_000, 50_000)
    )
    assert many < 300
    assert many - few < 40, f"{few:.0f} MB for 50,000 messages, {many:.0f} MB for 200,000"
