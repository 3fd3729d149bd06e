"""Entry point: the commands, and every error as one line, an exit code and, with --json, a document."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

import typer

from tobs import __version__
from tobs.cli import (
    backup,
    chats,
    config,
    demo,
    export,
    import_export,
    login,
    plan,
    plugins,
    process,
    render,
    sandbox,
    sync,
    undo,
    vault,
    verify,
    watch,
)
from tobs.cli.common import print_json, stderr, write_report
from tobs.cli.invocation import CommandFailed, Invocation, command_of
from tobs.errors import Interrupted, TobsError, UsageError

#: The parser's error for a command line that is wrong; typer names its subclasses alone.
_CommandLineError: Any = typer.BadParameter.__bases__[0]

app = typer.Typer(
    name="tobs",
    help="Your Telegram in your Obsidian vault: complete, readable, linked, up to date, and yours.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS = (
    demo,
    login,
    chats,
    plan,
    export,
    import_export,
    sync,
    watch,
    render,
    process,
    verify,
    undo,
    backup,
    vault,
    plugins,
    config,
    sandbox,
)
for module in _COMMANDS:
    module.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tobs {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Options before a command."""


def main() -> None:
    """Run the command line; never returns."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; its exit code (0, 1, 2, 3, 4, 5 or 130)."""
    # SIGTERM, which stops services and containers, means the same as Ctrl-C: end in order, keep the state. A shell that
    # starts something in the background makes it ignore Ctrl-C, and so it would ignore SIGTERM too.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = app(args=[_not_an_option(argument) for argument in arguments], standalone_mode=False)
    except SystemExit as error:  # the completion of a shell
        return error.code if isinstance(error.code, int) else 2
    except typer.Abort:  # Ctrl-C before the command began
        return _end(Interrupted("Stopped."), Invocation(json="--json" in arguments), arguments)
    except CommandFailed as failed:
        return _end(failed.error, failed.invocation, arguments)
    except _CommandLineError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # the help is printed
            return UsageError.exit_code
        return _end(_usage_error(error), _invocation_of(error, arguments), arguments)
    return code if isinstance(code, int) else 0


def _not_an_option(argument: str) -> str:
    """The marked id of a channel or group (-1001234567890) is a target, not options; targets are stripped."""
    return f" {argument}" if argument[:1] == "-" and argument[1:].isdigit() else argument


def _usage_error(error: Any) -> UsageError:
    """An error of the parser of the command line, as one of tobs."""
    command = " ".join(["tobs", *command_of(error.ctx).split()])
    message = error.format_message().replace(": Value error, ", ": ").rstrip(".")
    return UsageError(message if message.endswith("?") else f"{message}.", f"See `{command} --help`.")


def _invocation_of(error: Any, arguments: Sequence[str]) -> Invocation:
    """The call that the parser refused: the outputs are read from the ``arguments`` themselves."""
    options = list(takewhile(lambda argument: argument != "--", arguments))
    report = next((each.removeprefix("--report=") for each in options if each.startswith("--report=")), "")
    for name, value in pairwise(options):
        report = value if name == "--report" else report
    return Invocation(command_of(error.ctx), json="--json" in options, report=Path(report) if report else None)


def _end(error: TobsError, invocation: Invocation, arguments: Sequence[str]) -> int:
    """Show an error that ends the command: a line for people, and the JSON document if one was asked for."""
    if "-vv" in arguments:
        stderr.print("".join(traceback.format_exception(error)), markup=False, end="")
    _show_error(error)
    document = invocation.document(error)
    if invocation.report is not None:
        try:
            write_report(invocation.report, document)
        except UsageError as unwritable:
            if error.message != unwritable.message:  # it is the error itself
                _show_error(unwritable)
    if invocation.json:
        print_json(document)
    return error.exit_code


def _show_error(error: TobsError) -> None:
    """Show in one line what is wrong and what to do, and the details below it."""
    message = error.message if error.message.endswith(("?", "!")) else f"{error.message.rstrip('.')}."
    line = f"[bold red]tobs:[/] {_plain(message)} {_plain(error.remedy)}"
    stderr.print(line.rstrip(), soft_wrap=True)
    if error.detail:
        stderr.print(error.detail, markup=False, soft_wrap=True)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(" ".join(text.split()))
