"""Files that the owner dropped into the inbox folder, as messages of a chat that only this vault has."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from tobs.errors import TransferFailed
from tobs.model import Chat, FileItem, FileKind, Message, MessageKey, Page
from tobs.model.mime import type_of_name
from tobs.sources.source import Gap, Source

#: The id of the inbox: that of a user Telegram never had.
INBOX: Final = 1
INBOX_CHAT: Final = Chat(INBOX, "saved", "Inbox")

_PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp", "image/heic"})
_VOICES = frozenset({"audio/ogg", "audio/opus"})


def inbox_message(message_id: int, path: Path, *, size: int, changed: float, sender: int) -> Message:
    """The message that stands for a dropped file, dated when it was last changed (Unix seconds)."""
    mime = type_of_name(path.name) or "application/octet-stream"
    item = FileItem(_kind(mime), mime=mime, size=size, name=path.name, path=path.name)
    return Message(chat_id=INBOX, id=message_id, date=int(changed), sender_id=sender, media=item, out=True)


def inbox_source(folder: Path) -> Source:
    """The files of the inbox at ``folder``; there is nothing to walk."""

    async def walk(
        chat_id: int, gaps: Sequence[Gap], on_page: Callable[[Page], Awaitable[None]], *, count: int = 0
    ) -> None:
        return

    async def fetch_file(
        item: FileItem,
        key: MessageKey,
        part: Path,
        *,
        offset: int = 0,
        on_progress: Callable[[int], None] | None = None,
    ) -> int:
        try:
            return await asyncio.to_thread(_copy, folder / Path(item.path).name, part)
        except OSError as error:
            raise TransferFailed(f"{item.path} is not in the inbox any more.", retryable=False) from error

    return Source(walk=walk, fetch_file=fetch_file, name="inbox")


def _copy(path: Path, part: Path) -> int:
    shutil.copyfile(path, part)
    return part.stat().st_size


def _kind(mime: str) -> FileKind:
    """What Telegram would call such a file."""
    if mime in _PHOTOS:
        return "photo"
    if mime in _VOICES:
        return "voice"
    kind = mime.partition("/")[0]
    return "video" if kind == "video" else "audio" if kind == "audio" else "document"
