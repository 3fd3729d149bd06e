"""The tests that judge a mutant of a module: its room's unit tests first, then what runs whole commands."""

from __future__ import annotations

from pathlib import Path

#: Unit tests of rooms that are tested elsewhere than under the room's own name.
_UNIT: dict[str, tuple[str, ...]] = {
    "tobs/plugin": ("tests/plugin",),
    "plugins": ("tests/plugin",),
    "tobs/model": ("tests/unit/model", "tests/unit/render", "tests/unit/telegram", "tests/unit/archive"),
    "tobs/errors.py": ("tests/unit/telegram", "tests/unit/vault"),
    "tobs/sources": ("tests/unit/sources",),
}

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
    """Unit tests by how near they are to a module: those called like it, those of its room, all others."""
    room = "/".join(module.split("/")[:2])
    folders = _UNIT.get(room) or _UNIT.get(module.split("/")[0]) or (f"tests/unit/{room.split('/')[1]}",)
    here = [folder for folder in folders if (root / folder).is_dir()]
    stem = Path(module).stem
    named = [path for folder in here for path in sorted((root / folder).rglob(f"test_*{stem}*.py"))]
    near = [path.relative_to(root).as_posix() for path in named]
    every = sorted(path.relative_to(root).as_posix() for path in (root / "tests/unit").iterdir() if path.is_dir())
    others = [folder for folder in every if folder not in here and any((root / folder).glob("test_*.py"))]
    return [tests for tests in (near, here, others) if tests]


def other_tests(root: Path, module: str) -> list[str]:
    """Sandbox and end-to-end tests that run a module."""
    prefix = max((one for one in _OTHERS if f"{module}/".startswith(f"{one}/")), key=len, default="tobs")
    return [f"tests/{name}" for name in _OTHERS[prefix] if (root / "tests" / name).exists()]
