"""Albums: the exporter does not say which messages are one. Neighbours of one sender and one second are taken for it.

It is an inference, told by a negative number; live data, which knows better, replaces it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from tobs.model import FileItem, Message
from tobs.sources.desktop.messages import Piece

#: Telegram allows so many in an album.
MOST = 10
# Which kinds Telegram joins: pictures with videos, music with music, documents with documents.
_CLASSES = {"photo": "seen", "video": "seen", "audio": "audio", "document": "document"}


def join_albums(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """``pieces`` in the order of the file, albums with an ``album_id``: the negated id of their first message."""
    waiting: list[Piece] = []
    for piece in pieces:
        if waiting and (len(waiting) == MOST or not _joins(waiting[-1].message, piece.message)):
            yield from _as_album(waiting)
            waiting = []
        waiting.append(piece)
    yield from _as_album(waiting)


def _as_album(pieces: list[Piece]) -> list[Piece]:
    if len(pieces) < 2:
        return pieces
    album = -pieces[0].message.id
    return [replace(piece, message=replace(piece.message, album_id=album)) for piece in pieces]


def _joins(one: Message, other: Message) -> bool:
    return (
        other.id == one.id + 1
        and other.date == one.date
        and other.chat_id == one.chat_id
        and other.sender_id == one.sender_id
        and _class(one) is not None
        and _class(one) == _class(other)
        and one.forward == other.forward
        and one.via_bot == other.via_bot
        and not one.buttons
        and not other.buttons
    )


def _class(message: Message) -> str | None:
    media = message.media
    return _CLASSES.get(media.kind) if isinstance(media, FileItem) and message.kind == "message" else None
