"""Options that every command takes, groups of options that commands share, and the output of results."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import msgspec
import typer
from msgspec import Struct
from rich.markup import escape

from tobs.cli.invocation import CommandFailed, Invocation
from tobs.cli.output import stderr as stderr
from tobs.cli.output import stdout as stdout
from tobs.errors import Interrupted, TobsError, UsageError

if TYPE_CHECKING:
    from tobs.app.context import AppContext
    from tobs.app.events import Events
    from tobs.app.results import ReportBuilder


class Common(Struct, frozen=True):
    """Values of the options that every command takes, and the ``invocation`` they belong to."""

    vault: Path | None = None
    account: str | None = None
    json: bool = False
    report: Path | None = None
    verbose: int = 0
    quiet: bool = False
    invocation: Invocation = msgspec.field(default_factory=Invocation)

    def open(self, **settings: Any) -> AppContext:
        """Open the context of the command, with these ``settings`` (None: not given), and show its warnings. Raises
        ConfigError."""
        from tobs.app.context import open_app_context
        from tobs.app.logs import log_to_stderr
        from tobs.cli.prompt import TerminalPrompt

        log_to_stderr(self.verbose)
        given = {"vault": str(self.vault) if self.vault else None, "account": self.account, **settings}
        prompt = TerminalPrompt(may_confirm=not self.quiet)
        context = open_app_context(given, cwd=Path.cwd(), prompt=prompt)
        for warning in context.warnings:
            stderr.print(f"[yellow]tobs:[/] {escape(warning)}", soft_wrap=True)
        return context

    @property
    def events(self) -> Events:
        """Consumers that show on stderr what happens."""
        return self.events_shown(progress=not self.quiet)

    def events_shown(self, *, progress: bool) -> Events:
        """Consumers that show on stderr what happens, with or without the progress of the run."""
        from tobs.app.events import Events
        from tobs.cli.progress import show_progress

        def show(report: ReportBuilder) -> AbstractAsyncContextManager[None]:
            self.invocation.run = report
            return show_progress(report.events, stderr, quiet=not progress)

        return Events(show, self.say)

    def say(self, text: str) -> None:
        """Show a sentence while the command is at work."""
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
        int, typer.Option("--verbose", "-v", count=True, help="Show the log; -vv with tracebacks.", show_default=False)
    ],
    "quiet": Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only results and errors.")],
}


def takes_common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the common options, and one option for each field of a parameter that is a struct.

    The function gets a ``Common`` as its first argument, and structs of options as they were given. It returns the
    exit code (None: 0). An error leaves the command as CommandFailed.
    """
    hints = get_type_hints(function, include_extras=True)
    own = list(inspect.signature(function).parameters.values())[1:]
    groups = {each.name: hints[each.name] for each in own if _is_group(hints[each.name])}
    shared = [_parameter(name, kind, getattr(Common(), name)) for name, kind in _OPTIONS.items()]
    context = _parameter("typer_context", typer.Context, inspect.Parameter.empty)
    parameters = [context, *_expand(own, hints), *shared]

    @functools.wraps(function)
    def command(typer_context: typer.Context, **values: Any) -> None:
        options = {name: values.pop(name) for name in _OPTIONS}
        invocation = Invocation.of(typer_context, values, json=options["json"], report=options["report"])
        for name, group in groups.items():
            values[name] = group(**{field: values.pop(field) for field in group.__struct_fields__})
        try:
            if options["quiet"] and options["verbose"]:
                raise UsageError("--quiet and --verbose exclude each other.", "Give one of them.")
            code = function(Common(**options, invocation=invocation), **values)
        except (KeyboardInterrupt, EOFError, typer.Abort) as error:
            stopped = Interrupted("Stopped.", "What was fetched is kept; the same command continues from here.")
            raise CommandFailed(stopped, invocation) from error
        except TobsError as error:
            raise CommandFailed(error, invocation) from error
        if code:
            raise typer.Exit(code)

    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _is_group(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _expand(parameters: list[inspect.Parameter], hints: dict[str, Any]) -> Iterator[inspect.Parameter]:
    """The parameters, with the fields of a struct in its place."""
    for parameter in parameters:
        kind = hints[parameter.name]
        if _is_group(kind):
            fields = get_type_hints(kind, include_extras=True)
            for name, default in msgspec.structs.asdict(kind()).items():
                yield _parameter(name, fields[name], default)
        else:
            yield _parameter(parameter.name, kind, parameter.default)


def _parameter(name: str, kind: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def print_json(value: Any) -> None:
    """Print the one JSON document of ``--json``."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def write_report(path: Path, value: Any) -> None:
    """Write the file of ``--report``. Raises UsageError if it cannot be written."""
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
    except OSError as error:
        raise UsageError(
            f"The report {path} cannot be written: {error.strerror}.", "Name a file in a folder that exists."
        ) from error


def give(common: Common, value: Any, show: Callable[[], None]) -> None:
    """Output a result: into the report file if there is one, then as JSON or shown to people."""
    if common.report is not None:
        write_report(common.report, value)
    if common.json:
        print_json(value)
    elif not common.quiet:
        show()
