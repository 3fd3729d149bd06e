"""Sizes and durations in readable form: ``50MB``, ``1.5 GiB``, ``7d``, ``15m``."""

from __future__ import annotations

import re
from datetime import datetime

_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*$", re.IGNORECASE)
_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([smhdw]?)\s*$", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_size(value: str | int) -> int:
    """Convert ``50MB`` (powers of 1000), ``50MiB`` (powers of 1024) or a number to bytes. Raises ValueError."""
    if isinstance(value, int):
        return value
    match = _SIZE.match(value)
    if match is None:
        raise ValueError(f"{value!r} is not a size; write it like 50MB or 1.5GiB")
    number, prefix, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWERS[prefix.lower()])


def parse_rate(value: str | int) -> int:
    """Convert ``5MB/s``, ``500kB`` or a number to bytes per second. Raises ValueError."""
    try:
        return parse_size(re.sub(r"\s*/\s*s\s*$", "", value, flags=re.IGNORECASE) if isinstance(value, str) else value)
    except ValueError:
        raise ValueError(f"{value!r} is not a rate; write it like 5MB/s") from None


def parse_duration(value: str | float) -> float:
    """Convert ``90``, ``15m`` or ``7d`` to seconds. Raises ValueError."""
    if isinstance(value, int | float):
        return float(value)
    match = _DURATION.match(value)
    if match is None:
        raise ValueError(f"{value!r} is not a duration; write it like 30s, 15m or 7d")
    number, unit = match.groups()
    return float(number) * _SECONDS[unit.lower()]


def format_size(size: float) -> str:
    """Format ``size`` bytes: ``1.5 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError("unreachable")


def format_moment(unix: float) -> str:
    """Format Unix seconds in the local time zone of this machine: ``2024-01-31 18:30:05 CET``."""
    return f"{datetime.fromtimestamp(unix).astimezone():%Y-%m-%d %H:%M:%S %Z}"
