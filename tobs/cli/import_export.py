"""``tobs import``: a Telegram Desktop export."""

from __future__ import annotations

import asyncio
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from msgspec import Struct
from rich.markup import escape

from tobs.cli import options
from tobs.cli.common import Common, give, stdout, takes_common
from tobs.cli.export import run_and_give
from tobs.cli.output import show_table
from tobs.model.requests import FetchOptions, ImportPlanRequest, ImportRequest

if TYPE_CHECKING:
    from tobs.app.results import ImportPlan


class MediaMode(StrEnum):
    """Ways for the files of an export to get into the vault."""

    copy = "copy"
    link = "link"
    move = "move"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(takes_common(import_))


class ImportGroup(Struct, frozen=True):
    """Options of the command."""

    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be imported; change nothing.")] = False
    media_mode: Annotated[
        MediaMode, typer.Option(help="Copy the files of the export, link them (one file, two names), or move them.")
    ] = MediaMode.copy
    timezone: Annotated[
        str,
        typer.Option(help="Time zone of the exporting computer, for exports made before June 2022.", metavar="ZONE"),
    ] = ""
    media: Annotated[str | None, typer.Option(help="Kinds of media to import.", metavar="KINDS")] = None
    no_media: Annotated[bool, typer.Option("--no-media", help="Import no files.")] = False
    max_size: Annotated[
        str | None, typer.Option(help="Import files up to this size (default: all).", metavar="SIZE")
    ] = None
    chat: Annotated[
        str, typer.Option(help="The chat of an export in HTML, which does not name it: id, @username or title.")
    ] = ""
    layout: Annotated[str | None, typer.Option(help="Layout of chats that are not in the vault yet.")] = None
    accept_missing: options.AcceptMissing = False


def import_(
    common: Common,
    own: ImportGroup,
    path: Annotated[
        Path, typer.Argument(help="result.json (or messages.html) of the export, its folder, or a .zip of it.")
    ],
) -> int:
    """Import a Telegram Desktop export into the vault; a later export or sync of its chats continues from there."""
    media = options.wanted_media(own.media, no_media=own.no_media)
    fetch = FetchOptions(media=media, max_size=own.max_size, layout=own.layout)
    if own.dry_run:
        return _plan(common, fetch, ImportPlanRequest(path=str(path), timezone=own.timezone, chat=own.chat))
    request = ImportRequest(
        path=str(path),
        media_mode=own.media_mode.value,
        timezone=own.timezone,
        chat=own.chat,
        fetch=fetch,
        accept_missing=own.accept_missing,
    )
    return run_and_give(common, request)


def _plan(common: Common, fetch: FetchOptions, request: ImportPlanRequest) -> int:
    from tobs.app.execute import execute

    context = common.open(**msgspec.structs.asdict(fetch))
    plan = asyncio.run(execute(request, context, common.events))
    give(common, plan, lambda: _show(plan))
    return 1 if plan.broken else 0


def _show(plan: ImportPlan) -> None:
    rows = [
        (
            one.title,
            one.kind,
            f"{one.messages:,}",
            f"{one.new:,}",
            f"{one.first[:10]} – {one.last[:10]}",
            _files(one.files),
        )
        for one in plan.items
    ]
    show_table(stdout, ("title", "kind", "messages", "new", "from", "to", "files"), rows)
    for what, count in plan.left_out.items():
        stdout.print(f"[yellow]cannot be imported:[/] {escape(what)} ({count:,})")
    if plan.broken:
        stdout.print(f"[red]broken:[/] {escape(plan.broken)}")


def _files(files: dict[str, dict[str, int]]) -> str:
    """Numbers of files that the export has and does not have."""
    counts: Counter[str] = Counter()
    for states in files.values():
        counts.update(states)
    return ", ".join(f"{count:,} {state}" for state, count in counts.items())
