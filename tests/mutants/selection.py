"""The tests that judge a mutant of a module: its room's unit tests first, then what runs whole commands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

#: Where unit tests are.
_UNIT = ("tests/unit", "tests/plugin")

#: Sandbox and end-to-end tests by what they are about, the most particular prefix counts.
_OTHERS: dict[str, tuple[str, ...]] = {
    "tobs": ("e2e/test_export.py", "e2e/test_sync.py", "golden"),
    "tobs/app": ("e2e/test_chats.py", "e2e/test_bad_input.py", "e2e/test_plan.py", "e2e/test_backup.py"),
    "tobs/cli": ("e2e/test_chats.py", "e2e/test_bad_input.py", "e2e/test_plan.py", "e2e/test_login.py"),
    "tobs/archive": ("e2e/test_export.py", "e2e/test_sync.py", "e2e/test_moved.py", "e2e/test_backup.py"),
    "tobs/config": ("e2e/test_bad_input.py", "e2e/test_chats.py"),
    "tobs/media": ("e2e/test_media.py", "e2e/test_plugins.py", "e2e/test_in_place.py"),
    "tobs/plugin": ("e2e/test_plugins.py", "e2e/test_plugin_hooks.py", "e2e/test_shipped_plugins.py"),
    "plugins": ("e2e/test_shipped_plugins.py",),
    "tobs/render": ("golden", "e2e/test_kinds.py", "e2e/test_people.py", "e2e/test_vault_judged.py"),
    "tobs/vault": ("e2e/test_moved.py", "e2e/test_merge.py", "e2e/test_relayout.py", "e2e/test_model.py"),
    "tobs/sources": ("e2e/test_import.py", "e2e/test_stories.py", "e2e/test_watch.py"),
    "tobs/telegram": (
        "sandbox/test_telegram_history.py",
        "sandbox/test_telegram_chats.py",
        "sandbox/test_telegram_files.py",
        "sandbox/test_telegram_faults.py",
        "sandbox/test_telegram_faults_flood.py",
        "sandbox/test_telegram_faults_network.py",
        "sandbox/test_telegram_login.py",
        "sandbox/test_telegram_login_ways.py",
        "sandbox/test_telegram_takeout.py",
        "sandbox/test_telegram_topics.py",
        "sandbox/test_telegram_updates.py",
    ),
    "tobs/pipeline": ("e2e/test_export.py", "e2e/test_sync.py", "e2e/test_model.py", "e2e/test_media.py"),
    "tobs/pipeline/commands": (
        "e2e/test_export.py",
        "e2e/test_import.py",
        "e2e/test_sync.py",
        "e2e/test_process.py",
        "e2e/test_render.py",
        "e2e/test_verify.py",
        "e2e/test_undo.py",
        "e2e/test_plan.py",
    ),
    "tobs/pipeline/fetch": ("e2e/test_comments.py", "e2e/test_stories.py", "e2e/test_export.py", "e2e/test_import.py"),
    "tobs/pipeline/media": ("e2e/test_media.py", "e2e/test_in_place.py", "e2e/test_process.py"),
    "tobs/pipeline/notes": (
        "e2e/test_export.py",
        "e2e/test_model.py",
        "e2e/test_layouts.py",
        "e2e/test_relayout.py",
        "e2e/test_render.py",
        "e2e/test_moved.py",
        "e2e/test_topics.py",
        "e2e/test_plugin_hooks.py",
        "golden",
    ),
    "tobs/pipeline/select": ("e2e/test_chats.py", "e2e/test_plan.py", "e2e/test_bad_input.py"),
    "tobs/pipeline/sync": ("e2e/test_sync.py", "e2e/test_model.py", "e2e/test_comments.py"),
    "tobs/pipeline/watch": ("e2e/test_watch.py", "e2e/test_watch_polls.py"),
}


def unit_tests(root: Path, module: str) -> list[list[str]]:
    """Unit tests that can reach a module, by how near they are to it: those called like it, those of its room, all
    others."""
    room, stem = module.split("/")[-2 if module.count("/") == 1 else 1].removesuffix(".py"), Path(module).stem
    tests = [path for folder in _UNIT for path in sorted((root / folder).rglob("test_*.py"))]
    reached = [path for path in tests if root / module in _reached(root, path)]
    tiers: list[list[str]] = [[], [], []]
    for path in reached:
        name = path.relative_to(root).as_posix()
        in_room = room in name.split("/")[1:-1]
        tiers[0 if in_room and stem in path.stem else 1 if in_room else 2].append(name)
    return [tier for tier in tiers if tier]


def other_tests(root: Path, module: str) -> list[str]:
    """Sandbox and end-to-end tests that run a module."""
    prefix = max((one for one in _OTHERS if f"{module}/".startswith(f"{one}/")), key=len, default="tobs")
    return [f"tests/{name}" for name in _OTHERS[prefix] if (root / "tests" / name).exists()]


@cache
def _reached(root: Path, test: Path) -> frozenset[Path]:
    """Every module that is imported when a test runs, by whatever it imports."""
    seen: set[Path] = set()
    pending = [test, *(folder / "conftest.py" for folder in test.parents if root in (folder, *folder.parents))]
    while pending:
        path = pending.pop()
        if path not in seen and _is_file(path):
            seen.add(path)
            pending += _imported(root, path)
    return frozenset(seen)


@cache
def _imported(root: Path, path: Path) -> tuple[Path, ...]:
    """The files that a module names: in imports, and in texts, by which processes are started."""
    names = dict.fromkeys(_names(ast.parse(path.read_bytes())))
    files = dict.fromkeys(file for name in names for file in _files(root, path.parent, name))
    return tuple(file for file in files if _is_file(file))


@cache
def _is_file(path: Path) -> bool:
    return path.is_file()


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("tobs"):
            yield node.value


def _files(root: Path, folder: Path, name: str) -> Iterator[Path]:
    if not name.replace(".", "").isidentifier():
        return
    parts = name.split(".")
    for base in (root, root / "plugins", folder):
        for end in range(1, len(parts) + 1):
            module = base.joinpath(*parts[:end])
            yield from (module.with_suffix(".py"), module / "__init__.py")
