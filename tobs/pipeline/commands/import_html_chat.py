"""The chat of an export in HTML: the file has only its name, so the vault or the owner has to identify it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tobs.archive import open_archive
from tobs.errors import UsageError
from tobs.model import Chat, ChatKind, is_channel_id
from tobs.pipeline.select.archived_chats import stored_account
from tobs.pipeline.select.selection import fits


def chat_of_html(title: str, asked: str, *, archive_path: Path, account_name: str) -> Chat:
    """The chat ``asked`` for (an id, or what fits one of the vault), else the one of the vault called ``title``.

    Raises UsageError where neither tells a chat.
    """
    known = _known(archive_path, account_name)
    if asked.lstrip("-").isdigit():
        marked = int(asked)
        return next((chat for chat in known if chat.id == marked), Chat(marked, _kind(marked), title))
    found = [chat for chat in known if (fits(asked, chat) if asked else chat.title == title)]
    if len(found) != 1:
        raise UsageError(
            f"An export in HTML does not say which chat it is, and {asked or title!r} is not one chat of this vault.",
            "Give its id with --chat (tobs chats lists them), or export the chat as machine-readable JSON.",
        )
    return found[0]


def _known(archive_path: Path, account_name: str) -> Sequence[Chat]:
    if not archive_path.exists():
        return ()
    archive = open_archive(archive_path, clock=lambda: 0.0, read_only=True, accept_older=True)
    try:
        return list(archive.chats.all(stored_account(archive, account_name)))
    finally:
        archive.close()


def _kind(marked: int) -> ChatKind:
    return "supergroup" if is_channel_id(marked) else "group" if marked < 0 else "private"
