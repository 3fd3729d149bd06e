"""The messages of an export as pages, chat by chat, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from tobs.model import Page, Person
from tobs.sources.desktop.albums import join_albums
from tobs.sources.desktop.messages import Piece, Place, Reading, message_of, people_of
from tobs.sources.desktop.raw import RawExport
from tobs.sources.desktop.stream import NotJson, Truncated
from tobs.sources.desktop.survey import FoundChat, Survey

#: Messages of a page, as Telegram has it.
PAGE = 100

_encode = msgspec.json.Encoder().encode


class ChatPages(Struct, frozen=True):
    """A chat and its pages, each of messages of one chat id: the group it grew from has its own."""

    found: FoundChat
    pages: Iterator[Page]


def read_pages(export: RawExport, found: Survey, reading: Reading) -> Iterator[ChatPages]:
    """Every chat that ``found`` has, with its pages; those of one must be read before the next is asked for.

    A file that is broken ends with what is whole: the survey has told where.
    """
    chats = {one.index: one for one in found.chats}
    try:
        for index, raw in enumerate(export.chats):
            one = chats.get(index)
            if one is not None:
                yield ChatPages(one, _pages(_whole(raw.messages), one.place, reading))
            for _ in raw.messages:
                pass
    except (Truncated, NotJson):
        return


def _whole(messages: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The messages up to where the file breaks."""
    try:
        yield from messages
    except (Truncated, NotJson):
        return


def _pages(told: Iterator[dict[str, Any]], place: Place, reading: Reading) -> Iterator[Page]:
    pieces = join_albums(_pieces(told, place, reading))
    following = next(pieces, None)
    while following is not None:
        page = [following]
        for following in pieces:
            if len(page) == PAGE or following.message.chat_id != page[0].message.chat_id:
                break
            page.append(following)
        else:
            following = None
        yield _page(page)


def _pieces(messages: Iterator[dict[str, Any]], place: Place, reading: Reading) -> Iterator[Piece]:
    before = 0
    for told in messages:
        message = message_of(told, place, reading, before=before)
        before = message.date
        yield Piece(message, told)


def _page(pieces: list[Piece]) -> Page:
    """A page that settles no ids: what is not in the export may be on Telegram all the same."""
    people: dict[int, Person] = {}
    for piece in pieces:
        for person in people_of(piece.told):
            if not person.is_deleted or person.id not in people:
                people[person.id] = person
    first = pieces[0].message
    return Page(
        first.chat_id,
        low=1,
        high=0,
        messages=tuple(piece.message for piece in pieces),
        people=tuple(people.values()),
        raw=_encode([piece.told for piece in pieces]),
    )
