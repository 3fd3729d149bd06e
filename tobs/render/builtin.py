"""The templates shipped with tobs: package data of the wheel (``tobs/_templates``) or the folder ``templates`` of a
clone.

The only module of this package that reads files; the renderers get sources through a callable.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tobs.render.templates import SUFFIX

_HERE = Path(__file__).resolve().parent.parent


@cache
def builtin_templates() -> dict[str, str]:
    """Return template sources by name (``message.md.j2``). Raises FileNotFoundError if the installation is
    incomplete.
    """
    for folder in (_HERE / "_templates", _HERE.parent / "templates"):
        found = {path.name: path.read_text("utf-8") for path in sorted(folder.glob(f"*{SUFFIX}"))}
        if found:
            return found
    raise FileNotFoundError("The templates of tobs are missing; install it again.")


def load_builtin(name: str) -> tuple[str, bool] | None:
    """Load a template shipped with tobs, as trusted; for ``Templates(load_builtin)``."""
    source = builtin_templates().get(name)
    return None if source is None else (source, True)
