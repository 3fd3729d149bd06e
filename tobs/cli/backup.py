"""``tobs backup`` and ``tobs restore``: copies of the archive."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tobs.cli.common import Common, give, stdout, takes_common
from tobs.cli.output import show_table
from tobs.config.units import format_size

if TYPE_CHECKING:
    from tobs.archive import BackupFacts


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(takes_common(backup))
    app.command("restore")(takes_common(restore))


def backup(
    common: Common,
    file: Annotated[
        Path | None, typer.Argument(help="File or folder (default: the vault's backups).", metavar="FILE")
    ] = None,
) -> int:
    """Copy the archive while it is in use. Notes and attachments are not in it: they are files already."""
    from tobs.app.backup import back_up
    from tobs.app.context import open_app_context

    facts = back_up(open_app_context(common.settings(), verbosity=common.verbose), file)
    give(common, facts, lambda: stdout.print(f"{facts.path}: {_told(facts)}", soft_wrap=True, markup=False))
    return 0


def restore(
    common: Common,
    file: Annotated[
        Path | None, typer.Argument(help="The backup (default: the newest of the vault's backups).", metavar="FILE")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show the backups there are, and change nothing.")] = False,
) -> int:
    """Put a backup of the archive back. Notes stay as they are; what they say that it does not know is kept."""
    from tobs.app.backup import list_backups
    from tobs.app.backup import restore as put_back
    from tobs.app.context import open_app_context

    context = open_app_context(common.settings(), verbosity=common.verbose)
    if list_:
        found = list_backups(context)
        rows = [(facts.path, format_size(facts.size), facts.messages, facts.notes) for facts in found]
        columns = ("backup", "size", "messages", "notes")
        give(common, {"items": found}, lambda: show_table(stdout, columns, rows))
        return 0
    restored = asyncio.run(put_back(context, file))

    def show() -> None:
        stdout.print(
            f"{restored.backup.path} is the archive now: {_told(restored.backup)}.", soft_wrap=True, markup=False
        )
        if restored.replaced:
            stdout.print(f"The one before is kept as {restored.replaced}.", soft_wrap=True, markup=False)
        for remark in restored.remarks:
            stdout.print(remark, soft_wrap=True, markup=False)

    give(common, restored, show)
    return 0


def _told(facts: BackupFacts) -> str:
    return f"{facts.messages:,} messages, {facts.notes:,} notes, {format_size(facts.size)}"
