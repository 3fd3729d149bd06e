"""Messages of an export as pages, chat by chat, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from tobs.model import Page, Person
from tobs.sources.desktop.albums import join_albums
from tobs.sources.desktop.messages import ChatIdentity, ExportedMessage, ReadContext, message_of, people_of
from tobs.sources.desktop.raw import RawExport
from tobs.sources.desktop.stream import NotJson, Truncated
from tobs.sources.desktop.summary import ExportedChat, ExportSummary

#: Messages per page, as in Telegram's responses.
PAGE = 100

_encode = msgspec.json.Encoder().encode


class ChatPages(Struct, frozen=True):
    """A chat and its pages, each with messages of one chat id: a former basic group has pages of its own."""

    chat: ExportedChat
    pages: Iterator[Page]


def read_pages(export: RawExport, summary: ExportSummary, context: ReadContext) -> Iterator[ChatPages]:
    """Yield every chat of ``summary`` with its pages; those of a chat must be read before the next chat.

    A broken file ends with its last complete message; the summary contains the position.
    """
    chats = {chat.index: chat for chat in summary.chats}
    try:
        for index, raw_chat in enumerate(export.chats):
            chat = chats.get(index)
            if chat is not None:
                yield ChatPages(chat, _pages(_until_broken(raw_chat.messages), chat.identity, context))
            for _ in raw_chat.messages:
                pass
    except (Truncated, NotJson):
        return


def _until_broken(messages: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the messages up to the position where the file breaks."""
    try:
        yield from messages
    except (Truncated, NotJson):
        return


def _pages(raw_messages: Iterator[dict[str, Any]], identity: ChatIdentity, context: ReadContext) -> Iterator[Page]:
    joined = join_albums(_messages(raw_messages, identity, context))
    following = next(joined, None)
    while following is not None:
        page = [following]
        for following in joined:
            if len(page) == PAGE or following.message.chat_id != page[0].message.chat_id:
                break
            page.append(following)
        else:
            following = None
        yield _page(page)


def _messages(
    raw_messages: Iterator[dict[str, Any]], identity: ChatIdentity, context: ReadContext
) -> Iterator[ExportedMessage]:
    before = 0
    for raw in raw_messages:
        message = message_of(raw, identity, context, before=before)
        before = message.date
        yield ExportedMessage(message, raw)


def _page(messages: list[ExportedMessage]) -> Page:
    """Make a page that settles no ids: messages missing in the export may exist on Telegram."""
    people: dict[int, Person] = {}
    for one in messages:
        for person in people_of(one.raw):
            if not person.is_deleted or person.id not in people:
                people[person.id] = person
    first = messages[0].message
    return Page(
        first.chat_id,
        low=1,
        high=0,
        messages=tuple(one.message for one in messages),
        people=tuple(people.values()),
        raw=_encode([one.raw for one in messages]),
    )
