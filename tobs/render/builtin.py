"""The templates tobs brings: package data of the wheel (``tobs/_templates``), the folder ``templates`` of a clone.

The one module of this room that reads files; the renderers get sources through a callable.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tobs.render.templates import SUFFIX

_HERE = Path(__file__).resolve().parent.parent


@cache
def builtin_templates() -> dict[str, str]:
    """Name (``message.md.j2``) to source. Raises FileNotFoundError where tobs is not installed whole."""
    for folder in (_HERE / "_templates", _HERE.parent / "templates"):
        found = {path.name: path.read_text("utf-8") for path in sorted(folder.glob(f"*{SUFFIX}"))}
        if found:
            return found
    raise FileNotFoundError("The templates of tobs are missing; install it again.")


def load_builtin(name: str) -> tuple[str, bool] | None:
    """``Templates(load_builtin)``: only what tobs brings, trusted."""
    source = builtin_templates().get(name)
    return None if source is None else (source, True)
