"""``tobs backup`` and ``tobs restore``: copies of the archive."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tobs.cli.common import Common, give, stdout, takes_common
from tobs.cli.output import show_table
from tobs.config.units import format_size
from tobs.model.requests import BackupListRequest, BackupRequest, RestoreRequest

if TYPE_CHECKING:
    from tobs.app.results import BackupFacts


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
    """Copy the archive; it may be in use. Notes and attachments are not copied: they are files already."""
    from tobs.app.execute import execute

    request = BackupRequest(target=str(file or ""))
    facts = asyncio.run(execute(request, common.open(), common.events))
    give(common, facts, lambda: stdout.print(f"{facts.path}: {_content(facts)}", soft_wrap=True, markup=False))
    return 0


def restore(
    common: Common,
    file: Annotated[
        Path | None, typer.Argument(help="The backup (default: the newest of the vault's backups).", metavar="FILE")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show the backups; change nothing.")] = False,
) -> int:
    """Replace the archive by a backup. Notes stay; what they hold that the backup does not know is not lost."""
    from tobs.app.execute import execute

    context = common.open()
    if list_:
        found = asyncio.run(execute(BackupListRequest(), context, common.events))
        rows = [(facts.path, format_size(facts.size), facts.messages, facts.notes) for facts in found]
        columns = ("backup", "size", "messages", "notes")
        give(common, {"items": found}, lambda: show_table(stdout, columns, rows))
        return 0
    restored = asyncio.run(execute(RestoreRequest(source=str(file or "")), context, common.events))

    def show() -> None:
        stdout.print(
            f"{restored.backup.path} is the archive now: {_content(restored.backup)}.", soft_wrap=True, markup=False
        )
        if restored.replaced:
            stdout.print(f"The archive before it is {restored.replaced}.", soft_wrap=True, markup=False)
        for remark in restored.remarks:
            stdout.print(remark, soft_wrap=True, markup=False)

    give(common, restored, show)
    return 0


def _content(facts: BackupFacts) -> str:
    return f"{facts.messages:,} messages, {facts.notes:,} notes, {format_size(facts.size)}"
