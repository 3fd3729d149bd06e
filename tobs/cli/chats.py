"""``tobs chats``: the chats of the account."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from tobs.cli.common import Common, give, stderr, stdout, takes_common
from tobs.cli.output import show_table
from tobs.model.requests import ChatsRequest


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("chats")(takes_common(chats))


def chats(
    common: Common,
    pattern: Annotated[str | None, typer.Argument(help="Part of a title or username.", metavar="PATTERN")] = None,
    count: Annotated[
        int, typer.Option(help="Count the messages of the first N chats; a request each.", min=0, metavar="N")
    ] = 100,
) -> int:
    """List the chats of the account, newest first."""
    from tobs.app.execute import execute

    request = ChatsRequest(pattern=pattern or "", counted=count)
    found = asyncio.run(execute(request, common.open(), common.events))
    rows = [
        {"id": chat.id, "kind": chat.kind, "title": chat.title, "username": chat.username, "messages": chat.count}
        for chat in found
    ]
    columns = ("id", "kind", "title", "username", "messages")
    give(common, rows, lambda: show_table(stdout, columns, ([row[name] for name in columns] for row in rows)))
    if len(found) > count and not (common.quiet or common.json):
        stderr.print(f"Messages are counted for the first {count} chats: name a PATTERN, or give --count.")
    return 0
