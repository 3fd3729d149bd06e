"""Dates of TL objects."""

from __future__ import annotations

from typing import Any


def unix(value: Any) -> int:
    """Unix seconds of a TL date: a number as our reader gives it, a datetime as Telethon's does; 0 for none."""
    if value is None:
        return 0
    if type(value) is int:
        return value
    return int(value.timestamp())
