"""``tobs plan``: what an export would do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from tobs.cli import fetch_options
from tobs.cli.common import Common, give, stderr, stdout, takes_common
from tobs.cli.export import tell_warnings
from tobs.cli.output import show_table
from tobs.config.units import format_size

if TYPE_CHECKING:
    from tobs.pipeline.commands.estimate import ChatEstimate, CommentsEstimate, MediaEstimate, Plan


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("plan")(takes_common(plan))


def plan(
    common: Common,
    targets: fetch_options.Targets = None,
    profile: fetch_options.Profile = None,
    workers: fetch_options.Workers = None,
    layout: fetch_options.Layout = None,
    media: fetch_options.Media = None,
    no_media: fetch_options.NoMedia = False,
    max_size: fetch_options.MaxSize = None,
    no_takeout: fetch_options.NoTakeout = False,
    all_chats: fetch_options.AllChats = False,
    left: fetch_options.Left = False,
    exclude: fetch_options.Exclude = None,
    comments: fetch_options.Comments = None,
    stories: fetch_options.Stories = False,
    since: fetch_options.Since = None,
    until: fetch_options.Until = None,
    min_id: fetch_options.MinId = None,
    max_id: fetch_options.MaxId = None,
    limit: fetch_options.Limit = None,
    sender: fetch_options.Senders = None,
    topic: fetch_options.Topics = None,
    type_: fetch_options.Types = None,
    where: fetch_options.Where = None,
) -> int:
    """Tell what an export would do; costs a few requests a chat and changes nothing."""
    from tobs.app.context import open_app_context
    from tobs.app.export import Choice
    from tobs.app.export import plan as make_plan

    asked = fetch_options.asked_for(
        since=since,
        until=until,
        min_id=min_id,
        max_id=max_id,
        limit=limit,
        sender=sender,
        topic=topic,
        type_=type_,
        where=where,
    )
    settings = fetch_options.fetch_settings(
        profile=profile,
        workers=workers,
        layout=layout,
        media=media,
        no_media=no_media,
        max_size=max_size,
        no_takeout=no_takeout,
    )
    context = open_app_context(common.settings(**settings), verbosity=common.verbose)
    tell_warnings(context.warnings)
    choice = Choice(all=all_chats, left=left, exclude=exclude or (), comments=comments, stories=stories, asked=asked)
    wanted = targets or ([] if all_chats or left else list(context.settings.targets))
    found = asyncio.run(make_plan(context, wanted, choice, say=common.say))
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
    told = f"its discussion group has {group} messages, {comments.archived:,} comments are in the vault"
    return f"{told}; the comments would be brought" if comments.wanted else f"{told}; --comments would bring them"


def _known(found: Plan) -> int:
    """Bytes of the media whose size can be told (of those not archived yet)."""
    return sum(one.bytes or 0 for item in found.items if item.new for one in item.media.values() if one.wanted)


def _row(item: ChatEstimate) -> tuple[object, ...]:
    media = ", ".join(_told(kind, one) for kind, one in item.media.items())
    size = "?" if item.bytes is None else format_size(item.bytes)
    messages = f"{item.messages}" if item.exact else f"~{item.messages}"
    return (item.title, item.kind, messages, item.new, media, size, item.requests, _time(item.seconds))


def _told(kind: str, media: MediaEstimate) -> str:
    size = "size not known" if media.bytes is None else format_size(media.bytes)
    return f"{media.count} {kind} ({size})" if media.wanted else f"{media.count} {kind} (not wanted)"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
