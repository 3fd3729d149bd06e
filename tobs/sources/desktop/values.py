"""Plain values of an export. A missing value or one of a wrong type becomes an empty value, never an error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

Json = Mapping[str, Any]


def as_int(value: Any) -> int:
    """Convert an integer, also one written as text; 0 for anything else."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else 0
    if isinstance(value, str) and value.removeprefix("-").isascii() and value.removeprefix("-").isdigit():
        return int(value[:20])
    return 0


def as_text(value: Any) -> str:
    """Return a text; empty for anything else."""
    return value if isinstance(value, str) else ""


def as_objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list; empty for anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def unix_time(value: Json, key: str, zone: tzinfo) -> int:
    """Return the Unix time of ``date`` or another key.

    It is exact in `<key>_unixtime` (since June 2022). Older exports have the local time of the exporting computer
    without offset, which is read in ``zone``. 0 if there is none.
    """
    exact = as_int(value.get(f"{key}_unixtime"))
    return exact or local_unix_time(value.get(key), zone)


def local_unix_time(value: Any, zone: tzinfo) -> int:
    """Convert a local date in ``zone`` (`2024-01-02T03:04:05`) to Unix seconds; 0 for anything else."""
    if not isinstance(value, str):
        return 0
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return 0
    # The exporter writes 1970 if there is no date.
    local = found if found.tzinfo else found.replace(tzinfo=zone)
    return max(0, int(local.timestamp())) if found.year > 1970 else 0
