"""The page on adding things is true: its sections are applied to a copy of the code, and their tests pass there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.architecture.source import REPO

PAGE = (REPO / "docs" / "dev" / "how-to-add.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (An? .+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))

#: Folders that a change of the page may touch or that its tests import.
_COPIED = ("tobs", "plugins", "templates")


class Block(NamedTuple):
    """A code block of the page: a change (``diff``) or a new file (``py``), with the path in its first line."""

    kind: str
    path: str
    text: str


def blocks(section: str) -> list[Block]:
    """Return the changes and new files of a section, in order."""
    found = re.findall(r"^```(diff|py)\n(?:---|#) (\S+)\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return [Block(kind, path, text) for kind, path, text in found]


def changed(text: str, diff: str) -> str:
    """Apply a diff: lines with ``-`` are removed, lines with ``+`` are new, each hunk must fit in one place."""
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        lines = hunk.splitlines()
        if not lines:
            continue
        old = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
        new = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
        assert f"\n{text}".count(f"\n{old}") == 1, f"these lines must be in the file once:\n{old}"
        text = f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:]
    return text


def applied(section: str, tree: Path) -> list[str]:
    """Apply a section to the tree; return the paths of its tests."""
    tests = []
    for block in blocks(section):
        path = tree / block.path
        if block.kind == "diff":
            path.write_text(changed(path.read_text(encoding="utf-8"), block.text), encoding="utf-8")
        else:
            assert not path.exists(), f"{block.path} is no new file"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        tests += [block.path] if path.name.startswith("test_") else []
    return tests


def test_the_page_has_a_section_for_each_kind() -> None:
    assert list(SECTIONS) == ["A setting", "A command", "A message kind", "A source"]
    assert all("\n# tests/" in section for section in SECTIONS.values()), "a section ends with a test"


def test_what_the_page_adds_works(tmp_path: Path) -> None:
    for name in _COPIED:
        shutil.copytree(REPO / name, tmp_path / name, ignore=shutil.ignore_patterns("sandbox"))
    (tmp_path / "tobs" / "sandbox").symlink_to(REPO / "tobs" / "sandbox")
    tests = [path for section in SECTIONS.values() for path in applied(section, tmp_path)]
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", "."]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(tmp_path / "plugins")))},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]
