"""``tobs import``: a Telegram Desktop export."""

from __future__ import annotations

import asyncio
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.markup import escape

from tobs.cli.common import Common, give, stderr, stdout, takes_common
from tobs.cli.export import give_report, tell_warnings
from tobs.cli.output import show_table
from tobs.cli.progress import show_progress
from tobs.cli.trust_prompt import ask_trust
from tobs.errors import UsageError

if TYPE_CHECKING:
    from tobs.app.context import AppContext
    from tobs.pipeline.commands.import_preview import ImportPlan


class MediaMode(StrEnum):
    """How the files of an export get into the vault."""

    copy = "copy"
    link = "link"
    move = "move"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(takes_common(import_))


def import_(
    common: Common,
    path: Annotated[
        Path, typer.Argument(help="result.json (or messages.html) of the export, its folder, or a .zip of it.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come in; change nothing.")] = False,
    media_mode: Annotated[
        MediaMode, typer.Option(help="Copy the files of the export, link them (one file, two names), or move them.")
    ] = MediaMode.copy,
    timezone: Annotated[
        str, typer.Option(help="The zone of the exporting computer, for files of before June 2022.", metavar="ZONE")
    ] = "",
    media: Annotated[str | None, typer.Option(help="Kinds of media to take over.", metavar="KINDS")] = None,
    no_media: Annotated[bool, typer.Option("--no-media", help="Take over no files.")] = False,
    max_size: Annotated[
        str | None, typer.Option(help="Take over files up to this size (default: all).", metavar="SIZE")
    ] = None,
    chat: Annotated[
        str, typer.Option(help="Which chat an export in HTML is of, which does not say it: id, @username, title.")
    ] = "",
    layout: Annotated[str | None, typer.Option(help="Layout of chats that are not in the vault yet.")] = None,
    accept_missing: Annotated[
        bool, typer.Option("--accept-missing", help="Many missing notes were deleted on purpose: leave them deleted.")
    ] = False,
) -> int:
    """Bring a Telegram Desktop export into the vault; a later export or sync of its chats goes on from there."""
    if no_media and media is not None:
        raise UsageError("--media and --no-media exclude each other.", "Give one of them.")
    from tobs.app.context import open_app_context
    from tobs.app.import_export import import_export

    context = open_app_context(
        common.settings(media="none" if no_media else media, max_size=max_size, layout=layout), verbosity=common.verbose
    )
    tell_warnings(context.warnings)
    ask_trust(common, context)
    if dry_run:
        return _plan(common, context, path, timezone, chat)
    report = asyncio.run(
        import_export(
            context,
            path,
            watch=lambda events: show_progress(events, stderr, quiet=common.quiet),
            mode=media_mode.value,
            timezone=timezone,
            any_size=max_size is None,
            chat=chat,
            accept_missing=accept_missing,
        )
    )
    return give_report(common, report)


def _plan(common: Common, context: AppContext, path: Path, timezone: str, chat: str) -> int:
    from tobs.app.import_export import plan_import

    plan = asyncio.run(plan_import(context, path, timezone=timezone, chat=chat))
    give(common, msgspec.to_builtins(plan), lambda: _show(plan))
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
        stdout.print(f"[yellow]has no place:[/] {escape(what)} ({count:,})")
    if plan.broken:
        stdout.print(f"[red]broken:[/] {escape(plan.broken)}")


def _files(files: dict[str, dict[str, int]]) -> str:
    """How many files there are, by whether the export has them."""
    counts: Counter[str] = Counter()
    for states in files.values():
        counts.update(states)
    return ", ".join(f"{count:,} {state}" for state, count in counts.items())
