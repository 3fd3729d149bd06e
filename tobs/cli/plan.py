"""``tobs plan``: what an export would do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from tobs.cli import options
from tobs.cli.common import Common, give, stderr, stdout, takes_common
from tobs.cli.export import settings_of
from tobs.cli.output import show_table
from tobs.config.units import format_size
from tobs.model.requests import PlanRequest

if TYPE_CHECKING:
    from tobs.app.results import ChatEstimate, CommentsEstimate, MediaEstimate, Plan


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan")(takes_common(plan))


def plan(
    common: Common,
    fetch: options.FetchGroup,
    chats: options.ChatGroup,
    messages: options.MessageGroup,
    targets: options.Targets = None,
) -> int:
    """Show what an export would do; costs a few requests a chat and changes nothing."""
    from tobs.app.execute import execute

    request = PlanRequest(chats=chats.request(targets), messages=messages.request(), fetch=fetch.request())
    found = asyncio.run(execute(request, common.open(**settings_of(request)), common.events))
    give(common, found, lambda: _show(found))
    return 1 if found.problems else 0


def _show(found: Plan) -> None:
    """Show the plan: a line a chat, the sums, and their basis."""
    columns = ("chat", "kind", "messages", "new", "media", "download", "requests", "time")
    show_table(stdout, columns, (_row(item) for item in found.items))
    size = f"at least {format_size(_known(found))}" if found.bytes is None else f"about {format_size(found.bytes)}"
    stdout.print(
        f"[bold]In all:[/] {found.new:,} new messages, {found.requests:,} requests, {size} of media, "
        f"{_time(found.seconds)}.",
        soft_wrap=True,
    )
    for item in (item for item in found.items if item.messages):
        kinds = ", ".join(f"{count} {kind}" for kind, count in item.kinds.items())
        stdout.print(f"{item.title}: {kinds}; about {item.notes} notes.", soft_wrap=True, markup=False)
    if found.takeout:
        stdout.print(f"A takeout session would be asked for ({', '.join(found.takeout)}).", soft_wrap=True)
    for item in (item for item in found.items if item.kind not in ("comments", "stories")):
        stdout.print(f"{item.folder}: layout {item.layout}, {item.layout_reason}.", soft_wrap=True, markup=False)
    for item in found.items:
        if item.comments is not None:
            stdout.print(f"{item.title}: {_comments(item.comments)}.", soft_wrap=True, markup=False)
    for problem in found.problems:
        stderr.print(f"tobs: {problem.item}: {problem.reason}", soft_wrap=True, markup=False)


def _comments(comments: CommentsEstimate) -> str:
    group = "an unknown number of" if comments.messages is None else f"{comments.messages:,}"
    known = f"its discussion group has {group} messages, {comments.archived:,} comments are in the vault"
    return f"{known}; the comments would be fetched" if comments.wanted else f"{known}; --comments would fetch them"


def _known(found: Plan) -> int:
    """Bytes of the media whose size is known (of those not archived yet)."""
    return sum(one.bytes or 0 for item in found.items if item.new for one in item.media.values() if one.wanted)


def _row(item: ChatEstimate) -> tuple[object, ...]:
    media = ", ".join(_media(kind, one) for kind, one in item.media.items())
    size = "?" if item.bytes is None else format_size(item.bytes)
    messages = f"{item.messages}" if item.exact else f"~{item.messages}"
    return (item.title, item.kind, messages, item.new, media, size, item.requests, _time(item.seconds))


def _media(kind: str, media: MediaEstimate) -> str:
    size = "size not known" if media.bytes is None else format_size(media.bytes)
    return f"{media.count} {kind} ({size})" if media.wanted else f"{media.count} {kind} (not wanted)"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
