"""What a library says about a file it cannot read, as a report can tell it."""

from __future__ import annotations

import re

_MOST = 200
_PLACE = re.compile(r""":?\s*(['"])(?:/|[A-Za-z]:[\\/])[^'"]*\1""")


def reason_of(error: Exception) -> str:
    """``error`` on one short line, without the place of the file: it lies in a folder that is gone when it is read."""
    name = type(error).__name__
    said = getattr(error, "strerror", None) or str(error) or (name if name.lower() != "error" else "it is damaged")
    return " ".join(_PLACE.sub("", str(said)).split())[:_MOST]
