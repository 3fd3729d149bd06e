"""The recorder of golden trees: it notices every change, writes what was found, and fails when it wrote."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).parents[2]
TEST = """
import json, pathlib
from tests.golden.test_golden import require_agreed

def test_tree(snapshot):
    found = json.loads((pathlib.Path(__file__).parent / "found.json").read_text())
    require_agreed(snapshot, "demo", {name: text.encode() for name, text in found.items()})
"""


def run(folder: Path, found: str, *options: str) -> tuple[int, str]:
    """Compare a tree with the agreed one in a pytest of its own; its exit code and what it says."""
    (folder / "test_tree.py").write_text(TEST)
    (folder / "found.json").write_text(found)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(REPO / "pyproject.toml")]
    command += [f"--rootdir={folder}", f"--override-ini=pythonpath={REPO}", *options, str(folder / "test_tree.py")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_a_tree_is_recorded_with_a_failure_and_agreed_on_from_then_on(tmp_path: Path) -> None:
    found = '{"a.md": "one", "b/c.md": "two"}'
    code, told = run(tmp_path, found)
    assert code == 1 and not (tmp_path / "demo").exists(), told
    code, told = run(tmp_path, found, "--snapshot-update")
    assert code == 1 and "recorded; read `git diff" in told, told
    assert (tmp_path / "demo" / "b" / "c.md").read_text() == "two"
    for options in ((), ("--snapshot-update",)):
        code, told = run(tmp_path, found, *options)
        assert code == 0, told
    # What came, went or changed is told, and nothing is written unless that is asked for.
    code, told = run(tmp_path, '{"a.md": "other", "d.md": "three"}')
    assert code == 1 and (tmp_path / "demo" / "a.md").read_text() == "one"
    for line in ("came: d.md", "went: b/c.md", "changed: a.md", "-one", "+other"):
        assert line in told, told
    code, told = run(tmp_path, '{"a.md": "other", "d.md": "three"}', "--snapshot-update")
    assert code == 1 and sorted(path.name for path in (tmp_path / "demo").iterdir()) == ["a.md", "d.md"], told
