"""The wheel carries everything tobs needs: built here, looked into, not installed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from zipfile import ZipFile

import pytest

from tests.architecture.source import REPO


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    """The wheel of this working tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(REPO)]
    if find_spec("hatchling"):
        command += ["--no-build-isolation"]  # needs no network
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    with ZipFile(path) as opened:
        yield opened


def _files(folder: str, pattern: str) -> set[str]:
    return {path.relative_to(REPO / folder).as_posix() for path in (REPO / folder).rglob(pattern) if path.is_file()}


def test_it_carries_the_templates_the_plugins_and_the_data(wheel: ZipFile) -> None:
    names = set(wheel.namelist())
    assert {f"tobs/_templates/{name}" for name in _files("templates", "*.j2")} <= names
    assert {f"tobs_plugins/{name}" for name in _files("plugins/tobs_plugins", "*.py")} <= names
    assert {f"tobs/{name}" for name in _files("tobs", "*.py")} <= names
    data = {name for name in _files("tobs", "*") if "__pycache__" not in name and not name.endswith(".py")}
    assert {f"tobs/{name}" for name in data if "_templates" not in name} <= names


def test_it_carries_nothing_else(wheel: ZipFile) -> None:
    roots = {name.split("/")[0] for name in wheel.namelist()}
    assert {root for root in roots if not root.endswith(".dist-info")} == {"tobs", "tobs_plugins"}
    assert [name for name in wheel.namelist() if "__pycache__" in name or name.endswith((".db", ".session"))] == []


def test_it_has_the_command_the_plugins_and_the_licence(wheel: ZipFile) -> None:
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    entries = wheel.read(f"{info}/entry_points.txt").decode()
    assert "tobs = tobs.cli.main:main" in entries
    for plugin in (REPO / "plugins" / "tobs_plugins").iterdir():
        if (plugin / "plugin.py").exists():
            assert f"{plugin.name.replace('_', '-')} = tobs_plugins.{plugin.name}" in entries
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
    assert "License-Expression: MIT" in wheel.read(f"{info}/METADATA").decode()
