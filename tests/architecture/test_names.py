"""Public names and docstrings follow the glossary: its table of names that are not used is read from the page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from tests.architecture.source import MODULES, REPO, name_of

GLOSSARY = (REPO / "docs" / "dev" / "glossary.md").read_text(encoding="utf-8")

#: ``RunContext``, ``run_context`` and ``HTMLPage`` cut into words.
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")

#: A docstring begins with a verb or a noun phrase, not with one of these words.
_QUESTION = re.compile(r"(what|who|whose|where|whether|those|which|how|one|that|if|as)\b", re.IGNORECASE)


def rows(heading: str) -> list[list[str]]:
    """The cells of the table rows below a heading or sentence of the glossary, up to the next heading or table."""
    lines = GLOSSARY.split(heading, 1)[1].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|---"))
    cells = []
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        cells.append([cell.strip() for cell in line.strip("|").split("|")])
    return cells


def banned() -> list[tuple[list[str], bool]]:
    """Return the words of each banned name; the flag says that only the whole name is banned."""
    return [
        (name.split("_"), "(whole name)" in cell)
        for cell, _ in rows("## Names that are not used")
        for name in re.findall(r"`([^`]+)`", cell)
    ]


def words_of(name: str) -> list[str]:
    """The words of a name in lower case."""
    return [word.lower() for word in _WORD.findall(name)]


def is_banned(name: str) -> bool:
    """Report whether a name contains a banned one."""
    words = words_of(name)
    for pattern, is_whole in banned():
        if is_whole and len(words) != len(pattern):
            continue
        for at in range(len(words) - len(pattern) + 1):
            if all(map(fnmatchcase, words[at : at + len(pattern)], pattern)):
                return True
    return False


def definitions(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """A module, its classes and its functions, methods and nested ones included, each with its name."""
    tree = ast.parse(path.read_bytes())
    yield path.parent.name if path.stem == "__init__" else path.stem, tree
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node


def test_the_glossary_has_entries_in_every_table() -> None:
    assert len(banned()) > 40
    assert all(instead and not is_banned(instead) for _, instead in rows("## Names that are not used"))
    terms = re.findall(r"^\| ([a-z][^|`]*) \| ([^|]+) \|$", GLOSSARY, re.MULTILINE)
    assert len(terms) > 60


def test_banned_names_are_recognized() -> None:
    assert [
        name for name in ("Desk", "ChatPlace", "press_notes", "by_heart", "MendedNote", "way") if is_banned(name)
    ] == [
        "Desk",
        "ChatPlace",
        "press_notes",
        "by_heart",
        "MendedNote",
        "way",
    ]
    assert not any(map(is_banned, ("express", "three_way", "RunContext", "place", "heart")))


def test_no_public_name_is_a_banned_one() -> None:
    allowed = {re.sub(r"`", "", cell) for cell, _ in rows("Exceptions, because")}
    found = {
        f"{name_of(path)}: {name}"
        for path in MODULES
        for name, _ in definitions(path)
        if not name.startswith("_") and is_banned(name)
    }
    assert sorted(found - allowed) == [], "docs/dev/glossary.md says what to use instead"
    assert sorted(allowed - found) == [], "an exception of the glossary that nothing needs"


def test_no_docstring_begins_with_a_question_word() -> None:
    found = [
        f"{name_of(path)}:{getattr(node, 'lineno', 1)}: {text.splitlines()[0]}"
        for path in MODULES
        for _, node in definitions(path)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if (text := ast.get_docstring(node)) and _QUESTION.match(text)
    ]
    assert found == [], f"{len(found)} docstrings"
