"""The time zone of this machine, for the first run of a vault."""

from __future__ import annotations

from zoneinfo import available_timezones

from tzlocal import get_localzone_name


def local_timezone() -> str:
    """The IANA name of the machine's time zone; UTC where it has none that is known."""
    try:
        name = get_localzone_name()
    except (LookupError, OSError, ValueError):
        return "UTC"
    return name if name in available_timezones() else "UTC"
