"""The entry point: collects the commands, and turns every error into one line and an exit code."""

from __future__ import annotations

import signal
import sys
import traceback

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
from tobs.cli.common import stderr
from tobs.errors import TobsError

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
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and leave."
    ),
) -> None:
    """Options before any command."""


def main() -> None:
    """Run the command line; never returns."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; its exit code (0, 1, 2, 3, 4, 5 or 130)."""
    # Who stops services and containers means the same as Ctrl-C: end in order, keep the state. A shell that starts
    # something in the background has it ignore Ctrl-C, and so it would ignore SIGTERM too.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        app(args=[_not_an_option(argument) for argument in arguments])
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 2
    except TobsError as error:
        return _end(error)
    return 0


def _not_an_option(argument: str) -> str:
    """The marked id of a channel or group (-1001234567890) is a target, not options; targets are stripped."""
    return f" {argument}" if argument[:1] == "-" and argument[1:].isdigit() else argument


def _end(error: TobsError) -> int:
    if "-vv" in sys.argv:
        stderr.print(traceback.format_exc(), markup=False, end="")
    _tell(error.message.rstrip("."), error.remedy)
    if error.detail:
        stderr.print(error.detail, markup=False, soft_wrap=True)
    return error.exit_code


def _tell(message: str, remedy: str) -> None:
    """One line: what is wrong, and what to do."""
    stderr.print(f"[bold red]tobs:[/] {_plain(message)}. {_plain(remedy)}".rstrip(), soft_wrap=True)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(" ".join(text.split()))
