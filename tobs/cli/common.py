"""What every command takes: vault, account, output, verbosity. And how results and errors are printed."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import msgspec
import typer
from msgspec import Struct
from rich.console import Console
from rich.markup import escape

from tobs.errors import Interrupted, UsageError

#: Everything but results goes here; stdout is for what a script reads.
stderr = Console(stderr=True, highlight=False)
stdout = Console(highlight=False)


class Common(Struct, frozen=True):
    """The options every command takes."""

    vault: Path | None = None
    account: str | None = None
    json: bool = False
    report: Path | None = None
    verbose: int = 0
    quiet: bool = False

    def settings(self, **more: Any) -> dict[str, Any]:
        """What the command line says of the settings (None: nothing)."""
        return {"vault": str(self.vault) if self.vault else None, "account": self.account, **more}

    def say(self, text: str) -> None:
        """Tell something while the command is at work."""
        if not self.quiet:
            stderr.print(f"[yellow]tobs:[/] {escape(text)}", soft_wrap=True)


_OPTIONS: dict[str, Any] = {
    "vault": Annotated[
        Path | None,
        typer.Option(
            "--vault", help="Folder of the vault (default: the nearest one above, else ./vault).", metavar="DIR"
        ),
    ],
    "account": Annotated[str | None, typer.Option("--account", help="Account to use.", metavar="NAME")],
    "json": Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")],
    "report": Annotated[
        Path | None, typer.Option("--report", help="Write the result as JSON to FILE.", metavar="FILE")
    ],
    "verbose": Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="Tell more; -vv with tracebacks.", show_default=False)
    ],
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only results and errors.")],
}


def takes_common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the common options; they reach it as its first argument, a ``Common``. What it returns is
    the exit code (None: 0)."""
    signature = inspect.signature(function)
    hints = get_type_hints(function, include_extras=True)
    own = [
        parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in list(signature.parameters.values())[1:]
    ]
    shared = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=msgspec.structs.asdict(Common())[name], annotation=kind
        )
        for name, kind in _OPTIONS.items()
    ]

    @functools.wraps(function)
    def command(**values: Any) -> None:
        common = Common(**{name: values.pop(name) for name in _OPTIONS})
        if common.quiet and common.verbose:
            raise UsageError("--quiet and --verbose exclude each other.", "Give one of them.")
        try:
            code = function(common, **values)
        except KeyboardInterrupt as error:
            raise Interrupted("Stopped.", "What was fetched is kept; the same command goes on from here.") from error
        if code:
            raise typer.Exit(code)

    command.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *shared]}
    return command


def print_json(value: Any) -> None:
    """The one JSON document of ``--json``."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def write_report(path: Path, value: Any) -> None:
    """``--report FILE``. Raises UsageError when FILE cannot be written."""
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
    except OSError as error:
        raise UsageError(
            f"The report {path} cannot be written: {error.strerror}.", "Name a file in a folder that exists."
        ) from error


def give(common: Common, value: Any, show: Callable[[], None]) -> None:
    """Hand a result out: to the report file when asked for, as JSON, or shown for people."""
    if common.report is not None:
        write_report(common.report, value)
    if common.json:
        print_json(value)
    elif not common.quiet:
        show()
