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
    columns = ("order", "name", "version", "band", "state", "from", "summary")
    rows = [
        (info.order or "", info.name, info.version, info.band, info.state, info.origin, info.reason or info.summary)
        for info in found
    ]
    items = [msgspec.to_builtins(info) for info in found]
    give(common, {"items": items}, lambda: show_table(stdout, columns, rows))
    return 0
