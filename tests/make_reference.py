"""Writes what is generated from the code: .env.example, docs/reference and docs/plugin/reference.md. Run by
`make reference`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from tests.plugin_reference import plugin_reference
from tests.template_reference import template_reference
from tests.tl_reference import telegram_reference
from tobs.cli.common import Common
from tobs.cli.main import app
from tobs.config.describe import env_example, settings_reference

REPO = Path(__file__).parents[1]

_COMMON = frozenset(Common.__struct_fields__)


def main() -> None:
    """Write every generated file of the repository."""
    for path, text in generated().items():
        target = REPO / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def generated() -> dict[str, str]:
    """Path in the repository -> text."""
    return {
        ".env.example": env_example(),
        "docs/reference/settings.md": settings_reference(),
        "docs/reference/commands.md": commands_reference(),
        "docs/plugin/reference.md": plugin_reference(),
        "docs/reference/telegram.md": telegram_reference(),
        "docs/reference/templates.md": template_reference(),
    }


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its full name: ``plugins list``."""

    def walk(group: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from walk(command, (*path, name))
            else:
                yield " ".join((*path, name)), command

    return walk(typer.main.get_command(app), ())


def commands_reference() -> str:
    """docs/reference/commands.md."""
    lines = [
        "# Commands",
        "",
        "Made from the code by `make reference`. `tobs COMMAND --help` says the same.",
        "",
    ]
    everyone: list[Any] = []
    for name, command in commands():
        own = [parameter for parameter in command.params if parameter.name not in _COMMON]
        everyone = [parameter for parameter in command.params if parameter.name in _COMMON] or everyone
        arguments = [f"[{_value(parameter)}]" for parameter in own if _is_argument(parameter)]
        lines += [f"## `{' '.join(['tobs', name, *arguments])}`", "", " ".join((command.help or "").split()), ""]
        lines += _table(own)
    lines += ["## Every command takes", "", *_table(everyone)]
    return "\n".join(lines).rstrip() + "\n"


def _table(parameters: list[Any]) -> list[str]:
    rows = [f"| `{_spelled(parameter)}` | {_meaning(parameter)} |" for parameter in parameters]
    return ["| | |", "|---|---|", *rows, ""] if rows else []


def _is_argument(parameter: Any) -> bool:
    return not any(option.startswith("-") for option in parameter.opts)


def _spelled(parameter: Any) -> str:
    """As it is typed: ``--port INTEGER``, ``-v``, ``TARGET...``."""
    if _is_argument(parameter):
        return _value(parameter)
    names = ", ".join(parameter.opts)
    return names if parameter.is_flag or parameter.count else f"{names} {_value(parameter)}"


def _value(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _meaning(parameter: Any) -> str:
    """Its help; what it is when it is not given, where that says something; whether it may stand more than once."""
    told = " ".join((parameter.help or "").split()).replace("|", "\\|")
    if parameter.required:
        return f"{told} Needed."
    says_something = parameter.default not in (None, False, "", 0) and not _is_argument(parameter)
    return f"{told} Default: `{parameter.default}`." if says_something else told


if __name__ == "__main__":
    main()
