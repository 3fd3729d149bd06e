"""Destinations of the log: standard error and a file in the vault."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from loguru import logger

if TYPE_CHECKING:
    from tobs.config import Settings
    from tobs.config.vault_paths import VaultPaths

_LOG_SIZE, _LOGS_KEPT = 5_000_000, 5


def log_to_stderr(verbosity: int) -> None:
    """Show the log on standard error, with ``verbosity`` 1 or 2; warnings are in the run report."""
    logger.remove()
    if verbosity:
        level = "DEBUG" if verbosity > 1 else "INFO"
        logger.add(
            sys.stderr, level=level, format="{time:HH:mm:ss} {level: <7} {message}", backtrace=False, diagnose=False
        )


class _LogFile(RotatingFileHandler):
    """A log file whose write errors, such as a full disk, are ignored: the run itself reports them."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Ignore the error."""

    def close(self) -> None:
        """Close the file and drop what could not be written."""
        with suppress(OSError):
            super().close()


def log_to_file(paths: VaultPaths, settings: Settings) -> int:
    """Log the run of one vault into a small file under ``.tobs/logs``; runs of other vaults in this process have logs
    of their own. ``diagnose`` stays off: it would print the values of variables."""
    vault = str(paths.root)
    return logger.add(
        _LogFile(paths.logs / "tobs.log", maxBytes=_LOG_SIZE, backupCount=_LOGS_KEPT, encoding="utf-8", delay=True),
        level=settings.log_level.upper(),
        filter=lambda record: record["extra"].get("vault") == vault,
        backtrace=False,
        diagnose=False,
    )
