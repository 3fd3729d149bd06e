"""``tobs config``: the settings and where each came from."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from tobs.cli.common import Common, give, stdout, takes_common
from tobs.cli.output import show_table
from tobs.config.units import format_size
from tobs.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="The settings and where each came from.", no_args_is_help=True)
    group.command("show")(takes_common(show))
    group.command("trust")(takes_common(trust))
    app.add_typer(group, name="config")


def show(
    common: Common,
    profile: Annotated[str | None, typer.Option(help="Show what this profile means on this machine.")] = None,
    workers: Annotated[int | None, typer.Option(help="Client connections that fetch history.")] = None,
) -> int:
    """Print every setting, its layer, and what the profile means on this machine."""
    from tobs.config.describe import setting_rows

    context = common.open(profile=profile, workers=workers)
    rows = setting_rows(context.loaded)
    values = msgspec.structs.asdict(context.profile)
    result: dict[str, Any] = {
        "profile": values,
        "machine": msgspec.structs.asdict(context.machine),
        "vault": str(context.vault),
        "home": str(context.home),
        "items": rows,
    }

    def people() -> None:
        shown = {**values, "memory": format_size(context.profile.memory)}
        here = f"{context.machine.cpus} CPUs and {format_size(context.machine.memory)} of memory"
        stdout.print(f"profile {context.profile.name} on {here}")
        show_table(stdout, ("value", "here"), list(shown.items())[1:])
        stdout.print()
        show_table(stdout, ("setting", "value", "from"), ((r["name"], r["value"], r["origin"]) for r in rows))

    give(common, result, people)
    return 0


def trust(common: Common) -> int:
    """Trust the vault's own configuration as it is now, so that all of its settings count."""
    from tobs.config import TrustStore

    context = common.open()
    path = context.paths.config
    if not path.is_file():
        raise UsageError(f"{path} does not exist.", "There is nothing to trust.")
    digest = TrustStore(context.home).add(path)
    give(common, {"path": str(path), "sha256": digest}, lambda: stdout.print(f"Trusted {path}.", soft_wrap=True))
    return 0
