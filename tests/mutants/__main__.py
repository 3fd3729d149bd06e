"""``make mutants``: whether the tests notice small errors in the code.

A sample of mutants is made, each in a copy of the tree, never in place: a comparison turned, a condition negated, a
statement left out. The unit tests are run on it, then sandbox and end-to-end tests that are about its module. A mutant
that no test notices survived: either a test is missing, or the change means nothing (then it belongs into
``equivalent.txt``, with the reason).

    python -m tests.mutants --seed 1 --count 120
    python -m tests.mutants --modules tobs/pipeline --count 60 --only-unit

Two libraries were looked at, mutmut 3.8 and cosmic-ray 8.7. mutmut runs all tests in one process and forks it for each
mutant, while half of ours start commands, workers and servers of their own; cosmic-ray changes files in place. Neither
draws a seeded sample, or tells what unit tests kill from what others do.
"""

from __future__ import annotations

import argparse
import json
import queue
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.judging import LONGER, REPO, Copy, Mutant, Verdict
from tests.mutants.mutations import mutations
from tests.mutants.selection import unit_tests

_EQUIVALENT = Path(__file__).with_name("equivalent.txt")
#: Of all real mutants, and of those of pipeline/: at least so many (percent) are to be killed, by unit tests, too.
_GOALS = {"killed": 92, "killed by unit tests": 75, "pipeline, killed by unit tests": 60}


def main() -> int:
    """Judge the sample that is asked for; 0 when the goals are reached."""
    asked = _options()
    known = equivalents()
    sample = draw(candidates(asked.modules, known), asked.count, asked.seed)
    say(f"{len(sample)} mutants, seed {asked.seed}")
    began = time.monotonic()
    verdicts = judge(sample, asked.jobs, only_unit=asked.only_unit, minutes=asked.minutes)
    for line in report(verdicts):
        say(line)
    say(f"{time.monotonic() - began:.0f} s")
    if asked.report:
        asked.report.write_text(json.dumps([_row(one) for one in verdicts], indent=1) + "\n")
    reached = shares(verdicts)
    wanted = {name: share for name, share in _GOALS.items() if not asked.only_unit or "unit" in name}
    return 0 if all(reached.get(name, 100) >= share for name, share in wanted.items()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another sample")
    parser.add_argument("--count", type=int, default=120, help="mutants to be judged")
    parser.add_argument("--modules", nargs="*", default=["tobs"], help="files, or folders, of the code")
    parser.add_argument(
        "--jobs", type=int, default=2, help="copies of the tree, in which mutants are judged side by side"
    )
    parser.add_argument("--minutes", type=float, default=0, help="begin with no further mutant after so long (0: all)")
    parser.add_argument("--only-unit", action="store_true", help="without sandbox and end-to-end tests")
    parser.add_argument("--report", type=Path, help="write every verdict as JSON")
    return parser.parse_args()


def candidates(modules: Sequence[str], known: set[tuple[str, str, str]]) -> list[Mutant]:
    """Every mutant of ``modules`` that is not known to mean nothing."""
    paths = [
        path for name in modules for path in ([REPO / name] if name.endswith(".py") else (REPO / name).rglob("*.py"))
    ]
    names = sorted({path.relative_to(REPO).as_posix() for path in paths if "sandbox" not in path.parts})
    found = []
    for name in names:
        text = (REPO / name).read_text(encoding="utf-8")
        lines = ["", *text.splitlines()]
        for mutation in mutations(text):
            line, was = lines[mutation.line].strip(), " ".join(text[mutation.start : mutation.end].split())
            if (name, line, mutation.new) not in known:
                found.append(Mutant(name, mutation, was, line))
    return found


def equivalents() -> set[tuple[str, str, str]]:
    """Mutants that mean nothing: module, its line, what would stand there instead."""
    lines = _EQUIVALENT.read_text(encoding="utf-8").splitlines()
    told = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {(path, line, new) for path, line, new, _ in told}


def draw(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """``count`` of ``mutants``, the same for the same seed and code. Each place is drawn once."""
    places: defaultdict[tuple[str, int], list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        places[mutant.path, mutant.mutation.line].append(mutant)
    chosen, drawn = random.Random(seed), list[Mutant]()
    for place in chosen.sample(sorted(places), len(places)):
        if len(drawn) == count:
            break
        mutant = chosen.choice(places[place])
        if mutant.mutation.compiles((REPO / mutant.path).read_text(encoding="utf-8")):
            drawn.append(mutant)
    return drawn


def judge(sample: Sequence[Mutant], jobs: int, *, only_unit: bool, minutes: float) -> list[Verdict]:
    """The verdicts on ``sample``, told as they come."""
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for mutant in sample:
        waiting.put(mutant)
    verdicts: list[Verdict] = []
    errors: list[BaseException] = []
    needed = sorted({test for one in sample for tests in unit_tests(REPO, one.path) for test in tests})
    ends = time.monotonic() + minutes * 60 if minutes else float("inf")

    def work(folder: Path) -> None:
        try:
            copy = Copy(folder)
            within = 2 * copy.seconds_of(needed) + LONGER
            while not errors and time.monotonic() < ends:
                verdict = copy.judge(waiting.get_nowait(), unit_within=within, only_unit=only_unit)
                verdicts.append(verdict)
                told = f"killed by {verdict.killed_by} ({verdict.test})" if verdict.killed_by else "SURVIVED"
                say(f"{len(verdicts):4} {told}: {verdict.mutant.description}")
        except queue.Empty:
            return
        except BaseException as error:
            errors.append(error)
            raise

    with tempfile.TemporaryDirectory(prefix="tobs-mutants-") as folder:
        threads = [threading.Thread(target=work, args=(Path(folder) / str(number),)) for number in range(jobs)]
        for number, thread in enumerate(threads):
            (Path(folder) / str(number)).mkdir()
            thread.start()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
    return verdicts


def shares(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """How many were killed, in percent, by what the goals are about."""

    def share(of: Sequence[Verdict], *by: str) -> float:
        return 100 * sum(one.killed_by in by for one in of) / len(of)

    found = {}
    if verdicts:
        found["killed"] = share(verdicts, "unit", "others")
        found["killed by unit tests"] = share(verdicts, "unit")
    if pipeline := [one for one in verdicts if one.mutant.path.startswith("tobs/pipeline/")]:
        found["pipeline, killed by unit tests"] = share(pipeline, "unit")
    return found


def report(verdicts: Sequence[Verdict]) -> list[str]:
    """A table by room, the survivors, and how it stands with the goals."""
    rooms: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        rooms["/".join(verdict.mutant.path.split("/")[:2])].append(verdict)
    lines = ["", f"{'room':20} mutants   unit others survived"]
    for room in sorted(rooms):
        by = [sum(one.killed_by == name for one in rooms[room]) for name in ("unit", "others", "")]
        lines.append(f"{room:20} {len(rooms[room]):7} {by[0]:6} {by[1]:6} {by[2]:8}")
    lines += ["", "survived:"]
    lines += sorted(f"  {one.mutant.description}" for one in verdicts if not one.killed_by)
    lines.append("")
    lines += [f"{name}: {share:.0f} % (goal {_GOALS[name]} %)" for name, share in shares(verdicts).items()]
    return lines


def _row(verdict: Verdict) -> dict[str, str]:
    return {"mutant": verdict.mutant.description, "killed_by": verdict.killed_by, "test": verdict.test}


def say(line: str) -> None:
    """A line of the result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
