"""Two runs in one process, side by side: each vault is what a run in a process of its own makes."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from tests.e2e.conftest import Serve
from tobs.app.context import open_app_context
from tobs.app.events import Events
from tobs.app.execute import execute
from tobs.model.report import RunReport
from tobs.model.requests import ChatSelection, ExportRequest, FetchOptions

LAYOUTS = ("message", "day")


def files_of(vault: Path) -> dict[str, bytes]:
    """The files of a vault that its owner sees, by path."""
    paths = [path for path in vault.rglob("*") if path.is_file() and ".tobs" not in path.relative_to(vault).parts]
    return {path.relative_to(vault).as_posix(): path.read_bytes() for path in paths}


async def both(folder: Path, target: str) -> tuple[RunReport, RunReport]:
    """Export the same chat into two vaults at the same time, each in a layout of its own."""

    async def one(layout: str) -> RunReport:
        context = open_app_context({"vault": str(folder / layout)}, cwd=folder)
        request = ExportRequest(ChatSelection((target,)), fetch=FetchOptions(layout=layout))
        return await execute(request, context, Events())

    first, second = await asyncio.gather(*(one(layout) for layout in LAYOUTS))
    return first, second


def test_two_exports_in_one_process_make_what_two_processes_make(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve("demo")
    apart, together = tmp_path / "apart", tmp_path / "together"
    together.mkdir()
    for layout in LAYOUTS:
        done = served.tobs("export", served.target, "--layout", layout, "--vault", str(apart / layout))
        assert done.code == 0, done.stderr
    for name, value in served.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TOBS_LOG_LEVEL", "debug")
    before = threading.active_count()
    reports = asyncio.run(both(together, served.target))
    assert [report.exit_code for report in reports] == [0, 0]
    assert reports[0].run_id != reports[1].run_id
    for layout in LAYOUTS:
        assert files_of(together / layout) == files_of(apart / layout)
    first, second = (set((together / layout / ".tobs/logs/tobs.log").read_text().splitlines()) for layout in LAYOUTS)
    assert first and second and not first & second, "each log is of its own run"
    assert threading.active_count() <= before, "a run leaves no thread behind"
