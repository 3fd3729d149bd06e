"""Which folder of the vault a message is filed in; inside it the layout goes on."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tobs.model import Message
from tobs.pipeline.desk import ChatPlace, Desk


class Folder(Struct, frozen=True):
    """A folder that messages are filed in: a chat's, a topic's, or that of the comments of a post.

    ``path`` is from the vault's root. ``tobs_id`` is the folder's own (``<chat id>``, ``<chat id>/topic/<id>``): notes
    that hold several of its messages are called ``<tobs_id>/<date>``, so that no two folders have a note in common.
    """

    path: str
    tobs_id: str


def folders_of(desk: Desk, place: ChatPlace, messages: Sequence[Message]) -> list[Folder]:
    """The folder of each of ``messages``, which are of the chat of ``place`` and come in id order."""
    folder = Folder(place.folder, str(place.home))
    return [folder for _ in messages]
