"""Something to work with: an archive, an empty vault and a staging folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pipeline_builders import workbench

from tobs.pipeline.context.run_context import RunContext


@pytest.fixture
def context(tmp_path: Path) -> Iterator[RunContext]:
    with workbench(tmp_path) as opened:
        yield opened
