from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tobs.archive import Archive, open_archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with open_archive(tmp_path / "archive.db", clock=lambda: 1_700_000_000.0) as opened:
        yield opened
