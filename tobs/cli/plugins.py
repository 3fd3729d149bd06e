"""``tobs plugins``: what runs in the media chain."""

from __future__ import annotations

import msgspec
import typer

from tobs.cli.common import Common, give, stdout, takes_common
from tobs.cli.show import show_table


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="The plugins that process media and notes.", no_args_is_help=True)
    group.command("list")(takes_common(list_plugins))
    app.add_typer(group, name="plugins")


def list_plugins(common: Common) -> int:
    """List the plugins in the order they run."""
    from tobs import app as tobs_app

    place = tobs_app.open_workplace(common.settings(), verbosity=common.verbose)
    found = tobs_app.list_plugins(place)
    rows = [msgspec.to_builtins(plugin) for plugin in found]
    columns = tuple(rows[0]) if rows else ("name",)
    give(
        common,
        {"items": rows},
        lambda: show_table(stdout, columns, ([_cell(row[name]) for name in columns] for row in rows)),
    )
    return 0


def _cell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
