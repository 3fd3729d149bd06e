"""Copies of the tree in which mutants are made, and the tests that judge them there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.util import cache_from_source
from pathlib import Path
from typing import ClassVar, NamedTuple

from tests.mutants.mutations import Mutation
from tests.mutants.selection import other_tests, unit_tests

REPO = Path(__file__).parents[2]
#: Seconds that tests get beyond twice what they need: a mutant that never ends counts as killed.
LONGER = 30.0


class Mutant(NamedTuple):
    """A mutation of the module at ``path`` (from the root of the repository): ``was`` is what stands there, in a
    ``line`` of the module."""

    path: str
    mutation: Mutation
    was: str
    line: str

    @property
    def description(self) -> str:
        """The place and the change in one line."""
        return f"{self.path}:{self.mutation.line}: {self.was!r} -> {self.mutation.new!r} in: {self.line}"


class Verdict(NamedTuple):
    """``killed_by`` is ``unit``, ``others``, or empty for a mutant that survived; ``test`` is the first that failed."""

    mutant: Mutant
    killed_by: str
    test: str


class Broken(Exception):
    """The tests do not pass without a mutant."""


class Copy:
    """A copy of what git knows of the tree, in which one mutant is at a time."""

    #: What tests need without a mutant is measured once for all copies.
    _seconds: ClassVar[dict[tuple[str, ...], float]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, folder: Path) -> None:
        self.root = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPO,
            capture_output=True,
            check=True,
        ).stdout
        for name in filter(None, listed.decode().split("\0")):
            source, target = REPO / name, folder / name
            if source.exists() or source.is_symlink():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)
        modules = REPO / "tests" / "js" / "node_modules"
        if modules.is_dir():
            (folder / "tests" / "js" / "node_modules").symlink_to(modules)
        where = self._run([sys.executable, "-c", "import tobs; print(tobs.__file__)"], 60).stdout
        if Path(where.strip()).parents[1] != folder:
            raise Broken(f"tests in {folder} would import {where.strip()}")

    def judge(self, mutant: Mutant, *, unit_within: float, only_unit: bool = False) -> Verdict:
        """Run the unit tests on a mutant (for ``unit_within`` seconds at most), then the others that are about its
        module. Raises Broken."""
        tiers = [("unit", tests, unit_within) for tests in unit_tests(self.root, mutant.path)]
        if not only_unit:
            others = other_tests(self.root, mutant.path)
            tiers.append(("others", others, 2 * self.seconds_of(others) + LONGER))
        module = self.root / mutant.path
        text = module.read_text(encoding="utf-8")
        try:
            _write(module, mutant.mutation.applied(text))
            for name, tests, limit in tiers:
                failed = self._failing(tests, limit)
                if failed:
                    return Verdict(mutant, name, failed)
        finally:
            _write(module, text)
        return Verdict(mutant, "", "")

    def seconds_of(self, tests: Sequence[str]) -> float:
        """How long ``tests`` take, which have to pass without a mutant. Raises Broken."""
        with self._lock:
            known = self._seconds.get(tuple(tests))
            if known is None:
                began = time.monotonic()
                if failed := self._failing(tests, 1800):
                    raise Broken(f"without a mutant: {failed}")
                known = self._seconds[tuple(tests)] = time.monotonic() - began
        return known

    def _failing(self, tests: Sequence[str], limit: float) -> str:
        """The first of ``tests`` that fails; empty when all pass."""
        if not tests:
            return ""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *tests]
        try:
            done = self._run(command, limit)
        except subprocess.TimeoutExpired:
            return "it took too long"
        if done.returncode == 0:
            return ""
        told = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        if told:
            return told[0].partition(" ")[2].partition(" - ")[0]
        return f"pytest ended with {done.returncode}: {' '.join(done.stdout.splitlines()[-3:])}"

    def _run(self, command: Sequence[str], limit: float) -> subprocess.CompletedProcess[str]:
        environment: Mapping[str, str] = os.environ | {
            "PYTHONPATH": os.pathsep.join((str(self.root), str(self.root / "plugins")))
        }
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        try:
            out, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.communicate()
            raise
        return subprocess.CompletedProcess(command, process.returncode, out, "")


def _write(module: Path, text: str) -> None:
    """Write a module so that no compiled form of another text is taken for it."""
    module.write_text(text, encoding="utf-8")
    Path(cache_from_source(str(module))).unlink(missing_ok=True)
