"""``tobs plugins``: the plugins, and help for their authors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import msgspec
import typer

from tobs.cli.common import Common, give, stdout, takes_common
from tobs.cli.output import show_table
from tobs.errors import UsageError

if TYPE_CHECKING:
    from tobs.app.results import PluginInfo, Trial
    from tobs.model import FileKind

#: One file of each kind and more than one where kinds differ inside; they lie in the demo world.
_SAMPLES: tuple[tuple[FileKind, str], ...] = (
    ("photo", "photos/cake.jpg"),
    ("video", "video/wires.mp4"),
    ("round", "video/dial.mp4"),
    ("gif", "video/lamps.mp4"),
    ("sticker", "stickers/bell.webp"),
    ("audio", "music/chimes.mp3"),
    ("audio", "music/chimes.flac"),
    ("voice", "voice/conf-invalid.oga"),
    ("document", "files/relay-plan.pdf"),
    ("document", "files/songs.txt"),
    ("document", "files/subscribers-1931.csv"),
)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="The plugins that process media and notes.", no_args_is_help=True)
    group.command("list")(takes_common(list_plugins))
    group.command("info")(takes_common(info))
    group.command("new")(takes_common(new))
    group.command("test")(takes_common(test))
    group.command("trust")(takes_common(trust))
    group.command("run")(takes_common(run))
    app.add_typer(group, name="plugins")


def list_plugins(common: Common) -> int:
    """List the plugins in the order they run."""
    from tobs.app.plugins import list_plugins

    found = list_plugins(common.open())
    columns = ("order", "name", "version", "band", "state", "from", "summary")
    rows = [
        (info.order or "", info.name, info.version, info.band, info.state, info.origin, info.reason or info.summary)
        for info in found
    ]
    items = [msgspec.to_builtins(info) for info in found]
    give(common, {"items": items}, lambda: show_table(stdout, columns, rows))
    return 0


def info(common: Common, name: Annotated[str, typer.Argument(help="Name of the plugin.", metavar="NAME")]) -> int:
    """Show what a plugin declares, its options with their defaults, and why it does not run."""
    from tobs.app.plugins import find_plugin, list_plugins

    plugin = find_plugin(list_plugins(common.open()), name)
    give(common, plugin, lambda: _show_info(plugin))
    return 0


def _show_info(plugin: PluginInfo) -> None:
    rows: list[tuple[str, object]] = [
        ("name", plugin.name),
        ("version", plugin.version),
        ("summary", plugin.summary),
        ("state", f"{plugin.state}: {plugin.reason}" if plugin.reason else plugin.state),
        ("from", f"{plugin.origin} ({plugin.source})"),
        ("hooks", ", ".join(plugin.hooks)),
        ("handles", ", ".join(plugin.handles)),
        (
            "order",
            f"{plugin.order or 'does not run'}, band {plugin.band}, after {', '.join(plugin.after) or 'nothing'}",
        ),
    ]
    show_table(stdout, ("", ""), rows)
    if plugin.options:
        stdout.print(f"\nOptions, under \\[plugins.{plugin.name}] or as variables:", soft_wrap=True)
        prefix = f"TOBS_PLUGIN_{plugin.name.replace('-', '_').upper()}_"
        for each in plugin.options:
            kind = "secret" if each.secret else each.type
            default = "has to be given" if each.required else f"default {_as_json(each.default)}"
            # Not in columns: a narrow terminal would break the name of a variable in two.
            lines = [f"\n{each.name} ({kind}; {default})", each.description, prefix + each.name.upper()]
            stdout.print("\n  ".join(line for line in lines if line), soft_wrap=True, markup=False, highlight=False)


def _as_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def new(
    common: Common,
    name: Annotated[str, typer.Argument(help="Name: small letters, digits and hyphens.", metavar="NAME")],
    into: Annotated[
        Path | None, typer.Option(help="Folder to make it in (default: the vault's plugins, else here).", metavar="DIR")
    ] = None,
) -> int:
    """Write a working plugin with a test, as a start for your own."""
    from tobs.app.plugins import new_plugin

    made = new_plugin(common.open(), name, into)

    def people() -> None:
        folder = made.plugin.parent
        stdout.print(f"Made {made.plugin}", soft_wrap=True, markup=False)
        stdout.print(f"Try it on samples: tobs plugins test {folder}", soft_wrap=True, markup=False)
        stdout.print(f"Run its test:      pytest {made.test}", soft_wrap=True, markup=False)
        if made.in_vault:
            stdout.print(f"Let exports use it: tobs plugins trust {folder.name}", soft_wrap=True, markup=False)

    give(common, {"plugin": str(made.plugin), "test": str(made.test)}, people)
    return 0


def test(
    common: Common,
    path: Annotated[Path, typer.Argument(help="The plugin: a Python file, or a folder with __init__.py.")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files to try it on (default: samples of every kind).")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(help="Kind of these files on Telegram (default: guessed from their names).", metavar="KIND"),
    ] = None,
) -> int:
    """Run a plugin on sample files of every kind, sample messages and notes, as an export would; exit code 1 when it
    fails on one."""
    from tobs.app.plugins import try_plugin
    from tobs.model import FileKind
    from tobs.sandbox.worlds.demo.assets import DATA

    kinds: dict[str | None, FileKind] = {each: each for each in get_args(FileKind)}
    if kind not in (None, *kinds):
        raise UsageError(f"There is no kind {kind!r}.", f"Kinds are {', '.join(get_args(FileKind))}.")
    samples: list[tuple[FileKind | None, Path]] = [(sample, DATA / name) for sample, name in _SAMPLES]
    given = [(kinds.get(kind), file) for file in files or ()]
    trials = asyncio.run(try_plugin(common.open(), path, given or samples, with_samples=not given))
    give(common, {"items": trials}, lambda: _show_trials(trials, is_guessed=bool(files) and kind is None))
    return int(any(trial.outcome == "failed" for trial in trials))


def _show_trials(trials: Sequence[Trial], *, is_guessed: bool) -> None:
    rows = [
        (trial.plugin, trial.item, trial.outcome, f"{1000 * trial.seconds:.0f} ms", trial.detail[:200])
        for trial in trials
    ]
    show_table(stdout, ("plugin", "file", "outcome", "took", "what"), rows)
    if is_guessed and any(trial.outcome == "not handled" for trial in trials):
        hint = "\nThe kind of a file was guessed from its name. Name it with --kind: --kind voice for a voice message."
        stdout.print(hint, soft_wrap=True, markup=False)


def trust(
    common: Common,
    name: Annotated[str, typer.Argument(help="Name of the plugin's file or folder, without .py.", metavar="NAME")],
) -> int:
    """Let a plugin of the vault run as it is now. Read it first: it runs with your rights."""
    from tobs.app.plugins import trust_plugin

    trusted = trust_plugin(common.open(), name)
    people = f"Trusted {trusted.path} as it is now; when it changes, it has to be trusted again."
    give(common, trusted, lambda: stdout.print(people, soft_wrap=True, markup=False))
    return 0


def run(
    common: Common,
    name: Annotated[str, typer.Argument(help="Name of the plugin.", metavar="NAME")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Arguments for the plugin; put -- before those that begin with a hyphen.")
    ] = None,
) -> int:
    """Run the command of a plugin that has one, such as notify."""
    from tobs.app.plugins import run_plugin

    said = asyncio.run(run_plugin(common.open(), name, arguments or []))
    give(common, {"plugin": name, "said": said}, lambda: stdout.print(said, soft_wrap=True, markup=False))
    return 0
