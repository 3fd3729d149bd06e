"""Something to work with: an archive, an empty vault, a staging folder and a report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pipeline_builders import started, workbench

from tobs.pipeline.context.report import ReportBuilder
from tobs.pipeline.context.run_context import RunContext


@pytest.fixture
def report() -> ReportBuilder:
    return started()


@pytest.fixture
def context(tmp_path: Path, report: ReportBuilder) -> Iterator[RunContext]:
    with workbench(tmp_path, report) as opened:
        yield opened
