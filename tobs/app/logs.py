"""Where the log goes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from loguru import logger

if TYPE_CHECKING:
    from tobs.config import Settings
    from tobs.vault.workspace import Workspace


def log_to_stderr(verbosity: int) -> None:
    """Warnings are the run report's; with ``verbosity`` 1 or 2 the log is shown on standard error."""
    logger.remove()
    if verbosity:
        level = "DEBUG" if verbosity > 1 else "INFO"
        logger.add(
            sys.stderr, level=level, format="{time:HH:mm:ss} {level: <7} {message}", backtrace=False, diagnose=False
        )


def log_to_file(workspace: Workspace, settings: Settings) -> int:
    """A log under ``.tobs/logs``, kept small. ``diagnose`` stays off: it would print the values of variables."""
    return logger.add(
        workspace.logs / "tobs.log",
        level=settings.log_level.upper(),
        rotation="5 MB",
        retention=5,
        backtrace=False,
        diagnose=False,
    )
