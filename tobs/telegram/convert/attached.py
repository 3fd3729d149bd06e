"""Files beside a message's media: of the blocks of a rich message, a poll's pictures, a live photo's video."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from telethon.tl import types

from tobs.model import FileItem
from tobs.telegram.convert.files import document_of, photo_of


def attached_of(media: Any, rich: Any) -> tuple[FileItem, ...]:
    """Return every such file once, in reading order; files that Telegram no longer has are left out."""
    found = [*_of_media(media), *(_of_rich(rich) if rich is not None else ())]
    items = (file_of(each) for each in found if each is not None)
    return tuple({item.remote.key: item for item in items if item is not None and item.remote}.values())


def _of_rich(rich: Any) -> Iterator[Any]:
    yield from rich.photos
    yield from rich.documents


def _of_media(media: Any) -> Iterator[Any]:
    match media:
        case types.MessageMediaPhoto():
            yield media.video
        case types.MessageMediaPoll():
            yield media.attached_media
            for answer in media.poll.answers:
                yield getattr(answer, "media", None)
            yield media.results.solution_media
        case types.MessageMediaInvoice():
            yield getattr(media.extended_media, "media", None)
        case types.MessageMediaGame():
            yield media.game.document


def file_of(value: Any) -> FileItem | None:
    """Convert a photo, a document, or media that holds one; None for anything else."""
    match value:
        case types.MessageMediaPhoto():
            return file_of(value.photo)
        case types.MessageMediaDocument():
            return file_of(value.document)
        case types.Photo():
            return photo_of(value)
        case types.Document():
            return document_of(value)
    return None
