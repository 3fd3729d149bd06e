"""The machine tobs runs on: its environment, its time zone, and TOBS_HOME, the private folder of the user (0700)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import available_timezones

import platformdirs
from tzlocal import get_localzone_name

from tobs.errors import ConfigError


def environment() -> Mapping[str, str]:
    """Return the environment of the process. Only this package reads it."""
    return os.environ


def local_timezone() -> str:
    """Return the IANA name of the machine's time zone; UTC if it has none or an unknown one."""
    try:
        name = get_localzone_name()
    except (LookupError, OSError, ValueError):
        return "UTC"
    return name if name in available_timezones() else "UTC"


def home_folder(env: Mapping[str, str]) -> Path:
    """Return ``TOBS_HOME``, or the platform's data folder for tobs."""
    named = env.get("TOBS_HOME", "")
    return Path(named).expanduser() if named else Path(platformdirs.user_data_dir("tobs", appauthor=False))


def make_home(home: Path) -> Path:
    """Create ``home`` with its folders, readable by its owner only. Raises ConfigError."""
    try:
        for folder in (home, home / "sessions", home / "accounts"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
    except OSError as error:
        raise ConfigError(
            f"The folder {home} cannot be used: {error.strerror}.", "Set TOBS_HOME to a folder you can write to."
        ) from error
    return home


def write_private(path: Path, text: str) -> None:
    """Write ``text`` atomically to a file that only its owner can read."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
