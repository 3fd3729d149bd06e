"""The context of a run: an archive, an empty vault and a staging folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pipeline_builders import started, workbench

from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext


@pytest.fixture
def report() -> ReportBuilder:
    """The report of a run in which time stands still."""
    return started()


@pytest.fixture
def context(tmp_path: Path, report: ReportBuilder) -> Iterator[RunContext]:
    with workbench(tmp_path, report) as opened:
        yield opened
