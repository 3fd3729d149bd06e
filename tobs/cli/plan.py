"""``tobs plan``: what an export would do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from tobs.cli.common import Common, give, stderr, stdout, takes_common
from tobs.cli.show import show_table
from tobs.config.units import format_size

if TYPE_CHECKING:
    from tobs.pipeline.estimate import ChatEstimate, Plan


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan")(takes_common(plan))


def plan(
    common: Common,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            help="@username, t.me link, id, part of a title, me, or folder:NAME.",
            metavar="TARGET...",
            show_default=False,
        ),
    ] = None,
    all_chats: Annotated[bool, typer.Option("--all", help="Every chat of the account, archived ones too.")] = False,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Leave out a chat: @username, id, part of a title, folder:NAME. Repeatable.", metavar="CHAT"),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="How hard to work: conservative, balanced, aggressive or custom.")
    ] = None,
    media: Annotated[str | None, typer.Option(help="Kinds to download: all, or a list such as photo,audio.")] = None,
    max_size: Annotated[str | None, typer.Option(help="Largest file to download, such as 50MB.")] = None,
) -> int:
    """Tell what an export would do; costs a few requests a chat and changes nothing."""
    from tobs.app.export import Choice
    from tobs.app.export import plan as make_plan
    from tobs.app.workplace import open_workplace

    place = open_workplace(common.settings(profile=profile, media=media, max_size=max_size), verbosity=common.verbose)
    choice = Choice(all=all_chats, exclude=exclude or ())
    wanted = targets or ([] if all_chats else list(place.settings.targets))
    found = asyncio.run(make_plan(place, wanted, choice))
    give(common, found, lambda: _show(found))
    return 1 if found.problems else 0


def _show(found: Plan) -> None:
    """The plan for people: a line a chat, the sum, and what it rests on."""
    columns = ("chat", "kind", "messages", "new", "media", "download", "requests", "time")
    show_table(stdout, columns, (_row(item) for item in found.items))
    size = f"at least {format_size(_known(found))}" if found.bytes is None else f"about {format_size(found.bytes)}"
    stdout.print(
        f"[bold]In all:[/] {found.new:,} new messages, {found.requests:,} requests, {size} of media, "
        f"{_time(found.seconds)}.",
        soft_wrap=True,
    )
    if found.takeout:
        stdout.print(f"A takeout session would be asked for ({', '.join(found.takeout)}).", soft_wrap=True)
    for item in found.items:
        stdout.print(f"{item.folder}: layout {item.layout}, {item.layout_reason}.", soft_wrap=True, markup=False)
    for problem in found.problems:
        stderr.print(f"tobs: {problem.item}: {problem.reason}", soft_wrap=True, markup=False)


def _known(found: Plan) -> int:
    """Bytes of the media whose size can be told (of those not archived yet)."""
    return sum(one.bytes or 0 for item in found.items if item.new for one in item.media.values() if one.wanted)


def _row(item: ChatEstimate) -> tuple[object, ...]:
    media = ", ".join(f"{one.count} {kind}" for kind, one in item.media.items())
    size = "?" if item.bytes is None else format_size(item.bytes)
    return (item.title, item.kind, item.messages, item.new, media, size, item.requests, _time(item.seconds))


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
