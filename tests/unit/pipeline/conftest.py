"""A desk to work at: an archive, an empty vault and a staging folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tobs.archive import open_archive
from tobs.pipeline.context.report import ReportBuilder, start_report
from tobs.pipeline.context.run_context import RenderContext, RunContext, TransferMeter
from tobs.render.builtin import load_builtin
from tobs.render.templates import Templates
from tobs.render.views import RenderOptions


@pytest.fixture
def report() -> ReportBuilder:
    """The report of a run in which time stands still."""
    return start_report("1", "export", (), lambda: 0.0)


@pytest.fixture
def context(tmp_path: Path, report: ReportBuilder) -> Iterator[RunContext]:
    root, staging = tmp_path / "vault", tmp_path / "staging"
    root.mkdir()
    staging.mkdir()
    zone = ZoneInfo("UTC")
    with open_archive(tmp_path / "archive.db", clock=lambda: 0.0) as archive:
        render_context = RenderContext(archive, 1, root, zone, RenderOptions(timezone=zone), Templates(load_builtin))
        yield RunContext(render_context, staging, "message", report.events, TransferMeter(), 100)
