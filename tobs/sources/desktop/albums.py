"""Albums: the export does not contain album ids. Adjacent messages of one sender and one second are joined.

This is an inference, marked by a negative album id; live data replaces it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from tobs.model import FileItem, Message
from tobs.sources.desktop.messages import ExportedMessage

#: Largest number of messages in an album.
MAX_ALBUM = 10
# Kinds that Telegram joins: pictures with videos, music with music, documents with documents.
_CLASSES = {"photo": "seen", "video": "seen", "audio": "audio", "document": "document"}


def join_albums(messages: Iterable[ExportedMessage]) -> Iterator[ExportedMessage]:
    """Set ``album_id`` on the messages of albums, given in the order of the file: the negated id of the first
    message.
    """
    album: list[ExportedMessage] = []
    for exported in messages:
        if album and (len(album) == MAX_ALBUM or not _joins(album[-1].message, exported.message)):
            yield from _with_album_id(album)
            album = []
        album.append(exported)
    yield from _with_album_id(album)


def _with_album_id(messages: list[ExportedMessage]) -> list[ExportedMessage]:
    if len(messages) < 2:
        return messages
    album_id = -messages[0].message.id
    return [replace(exported, message=replace(exported.message, album_id=album_id)) for exported in messages]


def _joins(first: Message, second: Message) -> bool:
    return (
        second.id == first.id + 1
        and second.date == first.date
        and second.chat_id == first.chat_id
        and second.sender_id == first.sender_id
        and _class(first) is not None
        and _class(first) == _class(second)
        and first.forward == second.forward
        and first.via_bot == second.via_bot
        and not first.buttons
        and not second.buttons
    )


def _class(message: Message) -> str | None:
    media = message.media
    return _CLASSES.get(media.kind) if isinstance(media, FileItem) and message.kind == "message" else None
