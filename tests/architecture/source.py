"""The source of the repository, as the tests of its architecture read it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

REPO = Path(__file__).parents[2]

MODULES = sorted(
    path for folder in ("tobs", "plugins") for path in (REPO / folder).rglob("*.py") if "__pycache__" not in path.parts
)
PAGES = [
    *sorted(REPO.glob("*.md")),
    *(path for path in sorted((REPO / "docs").rglob("*.md"))),
    *(path for path in sorted((REPO / "plugins").rglob("*.md"))),
]


def name_of(path: Path) -> str:
    """The path inside the repository, for messages."""
    return path.relative_to(REPO).as_posix()


def calls(path: Path) -> Iterator[ast.Call]:
    """Every call in a module."""
    return (node for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call))


def names_in(node: ast.AST) -> set[str]:
    """The names and attributes an expression reads."""
    return {
        part.id if isinstance(part, ast.Name) else part.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Name | ast.Attribute)
    }


def anchors(markdown: str) -> set[str]:
    """The anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", markdown, flags=re.S | re.M), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
