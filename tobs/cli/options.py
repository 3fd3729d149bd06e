"""Options that several commands share, each written once: groups that become requests, and single options.

A command names a group as a parameter; ``takes_common`` gives it an option for each field.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
import typer
from msgspec import Struct

from tobs.errors import UsageError
from tobs.model.requests import ChatSelection, FetchOptions, MessageFilter

Targets = Annotated[
    list[str] | None,
    typer.Argument(
        help="@username, t.me link, id, part of a title, me, or folder:NAME.", metavar="TARGET...", show_default=False
    ),
]
ArchivedTargets = Annotated[
    list[str] | None,
    typer.Argument(
        help="Chats of the vault: @username, id, title or a part of it, t.me link, me (default: all).",
        metavar="TARGET...",
        show_default=False,
    ),
]
SyncedTargets = Annotated[
    list[str] | None,
    typer.Argument(
        help="Chats of the vault: @username, id, title or a part of it, me (default: all that were exported).",
        metavar="TARGET...",
        show_default=False,
    ),
]
MediaBudget = Annotated[str | None, typer.Option(help="Most bytes of media to download in this run, such as 2GB.")]
Bandwidth = Annotated[str | None, typer.Option(help="Most bytes a second for media, such as 5MB/s.")]
Strict = Annotated[bool, typer.Option("--strict", help="End the run when a plugin fails.")]
AcceptMissing = Annotated[
    bool, typer.Option("--accept-missing", help="Continue although many notes are missing: you deleted them yourself.")
]


T = TypeVar("T", bound=Struct)


class FetchGroup(Struct, frozen=True):
    """Settings of fetching, for one run."""

    profile: Annotated[
        str | None, typer.Option(help="How hard to work: conservative, balanced, aggressive or custom.")
    ] = None
    workers: Annotated[int | None, typer.Option(help="Client connections that fetch history.")] = None
    layout: Annotated[str | None, typer.Option(help="Notes of new chats: auto, message, day or month.")] = None
    media: Annotated[str | None, typer.Option(help="Kinds to download: all, or a list such as photo,audio.")] = None
    no_media: Annotated[bool, typer.Option("--no-media", help="Download no media.")] = False
    max_size: Annotated[str | None, typer.Option(help="Largest file to download, such as 50MB.")] = None
    no_takeout: Annotated[bool, typer.Option("--no-takeout", help="Do not ask for a takeout session.")] = False

    def request(self, **more: Any) -> FetchOptions:
        """The options as they stand in a request, with ``more`` of them. Raises UsageError for two that exclude each
        other."""
        return FetchOptions(
            profile=self.profile,
            workers=self.workers,
            layout=self.layout,
            media=wanted_media(self.media, no_media=self.no_media),
            max_size=self.max_size,
            takeout=False if self.no_takeout else None,
            **more,
        )


class ChatGroup(Struct, frozen=True):
    """The choice of chats beside the targets."""

    all: Annotated[bool, typer.Option("--all", help="Every chat of the account, archived ones too.")] = False
    left: Annotated[bool, typer.Option("--left", help="Channels the account has left, too (needs a takeout).")] = False
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Leave out a chat: @username, id, part of a title, folder:NAME. Repeatable.", metavar="CHAT"),
    ] = None
    comments: Annotated[
        bool | None,
        typer.Option("--comments/--no-comments", help="Comments under the posts of channels, too; remembered."),
    ] = None
    stories: Annotated[bool, typer.Option("--stories", help="Stories of the chats, too, those that can be seen.")] = (
        False
    )

    def request(self, targets: list[str] | None, *, join: bool = False) -> ChatSelection:
        """The choice as it stands in a request."""
        return _request_part(self, ChatSelection, targets=tuple(targets or ()), join=join)


class MessageGroup(Struct, frozen=True):
    """Filters for messages."""

    since: Annotated[
        str | None, typer.Option(help="Only messages since then: 2024-01-31, 2024-01-31T18:30 or 7d.", metavar="WHEN")
    ] = None
    until: Annotated[
        str | None, typer.Option(help="Only messages until then; the whole day of a date is included.", metavar="WHEN")
    ] = None
    min_id: Annotated[int | None, typer.Option(help="Only messages from this id on.", metavar="ID")] = None
    max_id: Annotated[int | None, typer.Option(help="Only messages up to this id.", metavar="ID")] = None
    limit: Annotated[int | None, typer.Option(help="Only the newest N messages of each chat.", metavar="N")] = None
    senders: Annotated[
        list[str] | None, typer.Option("--from", help="Only messages of this sender. Repeatable.", metavar="USER")
    ] = None
    topics: Annotated[
        list[int] | None, typer.Option("--topic", help="Only messages of this forum topic. Repeatable.", metavar="ID")
    ] = None
    types: Annotated[
        list[str] | None,
        typer.Option("--type", help="Only messages of these types, such as photo,voice,text.", metavar="TYPES"),
    ] = None
    where: Annotated[
        str | None,
        typer.Option(help='Only messages for which this is true, such as "views > 100".', metavar="EXPR"),
    ] = None

    def request(self) -> MessageFilter:
        """The filters as they stand in a request."""
        return _request_part(self, MessageFilter)


def wanted_media(media: str | None, *, no_media: bool) -> str | None:
    """The setting that --media and --no-media stand for. Raises UsageError for both."""
    if no_media and media is not None:
        raise UsageError("--media and --no-media exclude each other.", "Give one of them.")
    return "none" if no_media else media


def _request_part(group: Struct, kind: type[T], **more: Any) -> T:
    """A part of a request with the fields of ``group``, which has the same names; lists become tuples."""
    repeated = {name for name, default in msgspec.structs.asdict(kind()).items() if default == ()}
    given = msgspec.structs.asdict(group)
    return kind(**{name: tuple(value or ()) if name in repeated else value for name, value in given.items()}, **more)
