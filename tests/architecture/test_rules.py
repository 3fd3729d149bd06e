"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.architecture.source import MODULES, REPO, calls, name_of, names_in

#: Names of values that nobody but their owner may see (invariant 10).
SECRET = re.compile(
    r"api_hash|password|passwd|secret|token|auth_key$|key_pem|phone|^code$|login_code|^ask_|credentials|environ", re.I
)


def test_the_rooms_know_only_the_rooms_below_them() -> None:
    # In a process of its own: import-linter reads the configuration of the folder it is started in.
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=REPO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_is_longer_than_500_lines() -> None:
    lengths = {name_of(path): len(path.read_bytes().splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > 500} == {}


def test_no_secret_is_logged() -> None:
    logged = [
        f"{name_of(path)}:{call.lineno}: {name}"
        for path in MODULES
        for call in calls(path)
        if _is_logging(call)
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]
        for name in names_in(argument)
        if SECRET.search(name)
    ]
    assert logged == []


def test_no_secret_is_in_the_text_of_an_error() -> None:
    told = [
        f"{name_of(path)}:{node.lineno}: {name}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Raise) and node.exc is not None
        for text in ast.walk(node.exc)
        if isinstance(text, ast.FormattedValue)
        for name in names_in(text)
        # A phone number may be a target: who typed it may read it again.
        if SECRET.search(name) and name != "phone"
    ]
    assert told == []


def test_loguru_never_prints_the_values_of_variables() -> None:
    sinks = [
        call
        for path in MODULES
        for call in calls(path)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "add" and names_in(call.func.value) == {"logger"}
    ]
    assert sinks
    for sink in sinks:
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in sink.keywords}
        assert options["diagnose"] == "False"


def test_only_config_reads_the_environment() -> None:
    readers = {
        name_of(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
    }
    # The worker of a plugin forgets the environment it was started with; it does not look at it.
    assert {name for name in readers if not name.startswith("tobs/config/")} <= {"tobs/plugin/worker.py"}


def test_nothing_committed_names_this_machine() -> None:
    tracked = _tracked()
    home = str(Path.home())
    found = [
        name_of(path)
        for path in tracked
        if path.suffix in (".py", ".md", ".toml", ".j2", ".json", ".yml", "") and path.stat().st_size < 1_000_000
        for text in [path.read_text(encoding="utf-8", errors="replace")]
        if f"{REPO}/" in text or (len(home) > len("/root") and f"{home}/" in text)
    ]
    assert found == []


def test_no_file_in_git_is_a_link() -> None:
    # A checkout on Windows turns a link into a text file with the path it leads to.
    assert [line for line in _git_files("--stage") if line.startswith("120000 ")] == []


def _is_logging(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and "logger" in names_in(call.func.value)


def _tracked() -> list[Path]:
    """What git would commit; without git, everything that is not made."""
    paths = [REPO / name for name in _git_files("--cached", "--others", "--exclude-standard")]
    return [path for path in paths if path.is_file()] or list(MODULES)


def _git_files(*options: str) -> list[str]:
    """The lines of ``git ls-files``; none without git."""
    done = subprocess.run(
        ["git", "ls-files", "-z", *options],
        cwd=REPO,
        capture_output=True,
        check=False,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
    )
    return [os.fsdecode(line) for line in done.stdout.split(b"\0") if line]
