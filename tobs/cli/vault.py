"""``tobs vault``: where the files of a vault lie, and the move of its archive."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Annotated

import typer
from msgspec.structs import asdict

from tobs.cli.common import Common, give, stdout, takes_common
from tobs.cli.output import show_table
from tobs.model.requests import MoveArchiveRequest, VaultPathsRequest


class Place(StrEnum):
    """Places of an archive."""

    home = "home"
    vault = "vault"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    family = typer.Typer(help="Show where the files of a vault lie, and move its archive.", no_args_is_help=True)
    family.command("paths")(takes_common(paths))
    family.command("move-archive")(takes_common(move_archive))
    app.add_typer(family, name="vault")


def paths(common: Common) -> int:
    """Show where the archive and the other files of the vault lie, and which service syncs its folder."""
    from tobs.app.execute import execute

    shown = asyncio.run(execute(VaultPathsRequest(), common.open(), common.events))
    give(common, shown, lambda: show_table(stdout, ("name", "value"), list(asdict(shown).items())))
    return 0


def move_archive(
    common: Common,
    to: Annotated[
        Place,
        typer.Option("--to", help="home: under TOBS_HOME, where nothing syncs it. vault: into .tobs of the vault."),
    ] = Place.home,
) -> int:
    """Move the archive with its backups. The new copy is checked before the old one is removed."""
    from tobs.app.archive_place import describe
    from tobs.app.execute import execute

    moved = asyncio.run(execute(MoveArchiveRequest(to.value), common.open(), common.events))

    def show() -> None:
        for line in describe(moved):
            stdout.print(line, soft_wrap=True, markup=False)

    give(common, moved, show)
    return 0
