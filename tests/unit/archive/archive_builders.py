"""Small pages, messages and decisions for the archive's tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tobs.archive import MediaDecision
from tobs.model import FileItem, Message, Page, RemoteFile

ACCOUNT = 7
CHANNEL = -1000000000005
PRIVATE = 42


def message(message_id: int, text: str = "hello", *, chat_id: int = CHANNEL, **fields: Any) -> Message:
    """A message a minute after the one before it."""
    fields.setdefault("date", 1_600_000_000 + 60 * message_id)
    return Message(chat_id=chat_id, id=message_id, text=text, **fields)


def photo(file_id: int, *, reference: bytes = b"ref") -> FileItem:
    """A photo that lies on data centre 2."""
    remote = RemoteFile("photo", file_id, 99, reference, 2, "y")
    return FileItem("photo", mime="image/jpeg", size=1000, remote=remote)


def page(messages: Iterable[Message], *, low: int = 1, high: int = 100, **fields: Any) -> Page:
    """A page of the chat its messages are of."""
    messages = tuple(messages)
    chat_id = messages[0].chat_id if messages else CHANNEL
    return Page(chat_id, low, high, messages, **fields)


def want_all(message: Message, item: FileItem) -> MediaDecision:
    """Every file is wanted."""
    return MediaDecision("wanted")


def want_none(message: Message, item: FileItem) -> MediaDecision:
    """No file is wanted."""
    return MediaDecision("skipped", "not asked for")
