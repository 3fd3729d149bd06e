"""A desk to work at: an archive, an empty vault and a staging folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tobs.archive import open_archive
from tobs.pipeline.context.report import Reporter
from tobs.pipeline.context.run_context import Desk, Studio
from tobs.render.builtin import load_builtin
from tobs.render.templates import Templates
from tobs.render.views import RenderOptions


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    root, staging = tmp_path / "vault", tmp_path / "staging"
    root.mkdir()
    staging.mkdir()
    zone = ZoneInfo("UTC")
    with open_archive(tmp_path / "archive.db", clock=lambda: 0.0) as archive:
        studio = Studio(archive, 1, root, zone, RenderOptions(timezone=zone), Templates(load_builtin))
        yield Desk(studio, staging, "message", Reporter("1", "export", (), lambda: 0.0), 100)
