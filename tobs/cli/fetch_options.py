"""The options that say which chats and which of their messages: the same for export and plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tobs.errors import UsageError

if TYPE_CHECKING:
    from tobs.pipeline.select.filters import FilterOptions

Targets = Annotated[
    list[str] | None,
    typer.Argument(
        help="@username, t.me link, id, part of a title, me, or folder:NAME.", metavar="TARGET...", show_default=False
    ),
]
Profile = Annotated[str | None, typer.Option(help="How hard to work: conservative, balanced, aggressive or custom.")]
Workers = Annotated[int | None, typer.Option(help="Client connections that fetch history.")]
Layout = Annotated[str | None, typer.Option(help="Notes of new chats: auto, message, day or month.")]
Media = Annotated[str | None, typer.Option(help="Kinds to download: all, or a list such as photo,audio.")]
NoMedia = Annotated[bool, typer.Option("--no-media", help="Download no media.")]
MaxSize = Annotated[str | None, typer.Option(help="Largest file to download, such as 50MB.")]
MediaLater = Annotated[bool, typer.Option("--media-later", help="Download no media now; tobs process fetches them.")]
MediaBudget = Annotated[str | None, typer.Option(help="Most bytes of media to download in this run, such as 2GB.")]
Bandwidth = Annotated[str | None, typer.Option(help="Most bytes a second for media, such as 5MB/s.")]
NoTakeout = Annotated[bool, typer.Option("--no-takeout", help="Do not ask for a takeout session.")]
AllChats = Annotated[bool, typer.Option("--all", help="Every chat of the account, archived ones too.")]
Left = Annotated[bool, typer.Option("--left", help="Channels the account has left, too (needs a takeout).")]
Exclude = Annotated[
    list[str] | None,
    typer.Option(help="Leave out a chat: @username, id, part of a title, folder:NAME. Repeatable.", metavar="CHAT"),
]
Comments = Annotated[
    bool | None,
    typer.Option("--comments/--no-comments", help="Comments under the posts of channels, too; remembered."),
]
Stories = Annotated[bool, typer.Option("--stories", help="Stories of the chats, too, those that can be seen.")]
Join = Annotated[bool, typer.Option("--join", help="Join the chats of invite links.")]
Since = Annotated[
    str | None, typer.Option(help="Only messages from then on: 2024-01-31, 2024-01-31T18:30 or 7d.", metavar="WHEN")
]
Until = Annotated[
    str | None, typer.Option(help="Only messages up to then; a date is meant to its end.", metavar="WHEN")
]
MinId = Annotated[int | None, typer.Option(help="Only messages from this id on.", metavar="ID")]
MaxId = Annotated[int | None, typer.Option(help="Only messages up to this id.", metavar="ID")]
Limit = Annotated[int | None, typer.Option(help="Only the newest N messages of each chat.", metavar="N")]
Senders = Annotated[
    list[str] | None, typer.Option("--from", help="Only messages of this sender. Repeatable.", metavar="USER")
]
Topics = Annotated[
    list[int] | None, typer.Option("--topic", help="Only messages of this forum topic. Repeatable.", metavar="ID")
]
Types = Annotated[
    list[str] | None,
    typer.Option("--type", help="Only messages of these types, such as photo,voice,text.", metavar="TYPES"),
]
Where = Annotated[
    str | None, typer.Option(help='Only messages for which this holds, such as "views > 100".', metavar="EXPR")
]


def asked_for(
    *,
    since: str | None,
    until: str | None,
    min_id: int | None,
    max_id: int | None,
    limit: int | None,
    sender: list[str] | None,
    topic: list[int] | None,
    type_: list[str] | None,
    where: str | None,
) -> FilterOptions:
    """The filters as the command line has them."""
    from tobs.pipeline.select.filters import FilterOptions

    return FilterOptions(
        since=since,
        until=until,
        min_id=min_id,
        max_id=max_id,
        limit=limit,
        senders=tuple(sender or ()),
        topics=tuple(topic or ()),
        types=tuple(type_ or ()),
        where=where,
    )


def fetch_settings(
    *,
    profile: str | None,
    workers: int | None,
    layout: str | None,
    media: str | None,
    no_media: bool,
    max_size: str | None,
    no_takeout: bool,
) -> dict[str, Any]:
    """What the options of fetching say of the settings. Raises UsageError for options that exclude each other."""
    if no_media and media is not None:
        raise UsageError("--media and --no-media exclude each other.", "Give one of them.")
    return {
        "profile": profile,
        "workers": workers,
        "layout": layout,
        "media": "none" if no_media else media,
        "max_size": max_size,
        "takeout": False if no_takeout else None,
    }
