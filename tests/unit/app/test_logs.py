"""The log of a vault."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from loguru import logger

from tobs.app.logs import log_to_file
from tobs.config import Settings
from tobs.config.vault_paths import VaultPaths
from tobs.vault.workspace import make_workspace

FULL = Path("/dev/full")


@pytest.fixture
def workspace(tmp_path: Path) -> VaultPaths:
    return make_workspace(tmp_path / "vault", tmp_path / "home", lambda: str(UUID(int=1)))


def test_what_is_logged_stands_in_the_log(workspace: VaultPaths) -> None:
    log = log_to_file(workspace, Settings())
    with logger.contextualize(vault=str(workspace.root)):
        logger.warning("a plain {}", "sentence")
    logger.warning("of another vault")
    logger.remove(log)
    assert "WARNING" in (workspace.logs / "tobs.log").read_text()
    assert "a plain sentence" in (workspace.logs / "tobs.log").read_text()
    assert "another vault" not in (workspace.logs / "tobs.log").read_text()


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
def test_a_log_on_a_full_disk_says_nothing_and_breaks_nothing(
    workspace: VaultPaths, capfd: pytest.CaptureFixture[str]
) -> None:
    (workspace.logs / "tobs.log").symlink_to(FULL)
    log = log_to_file(workspace, Settings())
    capfd.readouterr()
    with logger.contextualize(vault=str(workspace.root)):
        logger.warning("nobody can write this down")
    logger.remove(log)
    assert "Logging error" not in capfd.readouterr().err
