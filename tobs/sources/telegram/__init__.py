"""Telegram as a source: chats, comments, topics and stories of the logged-in account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace

from tobs.model import Chat, Page, stories_of
from tobs.sources.source import Gap, Source, SourceConfig, SourceType
from tobs.telegram.facade import Telegram

TELEGRAM = "telegram"

#: No id of a story is higher.
HIGHEST_STORY = (1 << 31) - 1


def telegram_source(telegram: Telegram) -> Source:
    """Return the source with the messages and files of the logged-in account."""

    async def resolve(target: str, *, join: bool = False) -> Sequence[Chat]:
        return await telegram.expand(target, join=join) if target else await telegram.dialogs()

    return Source(
        name=TELEGRAM,
        resolve=resolve,
        describe=telegram.full,
        walk=telegram.walk,
        fetch_file=telegram.fetch_file,
        changes=telegram.changes,
        topics=telegram.chat_extras.topics,
        comments=telegram.chat_extras.comment_counts,
    )


def stories_chat(chat: Chat) -> Chat:
    """Return the chat under which the archive stores the stories of ``chat``, with the names of the peer.

    Stories have ids of their own, so their chat has another id than the peer's (``stories_of``).
    """
    return Chat(stories_of(chat.id), chat.kind, chat.title, chat.username, top=HIGHEST_STORY, is_public=chat.is_public)


def stories_source(telegram: Telegram, chat: Chat) -> Source:
    """Return the source with every story of ``chat`` that the account may see, as messages of kind story."""

    async def walk(
        chat_id: int, gaps: Sequence[Gap], on_page: Callable[[Page], Awaitable[None]], *, count: int = 0
    ) -> None:
        async for page in telegram.chat_extras.stories(chat.id):
            await on_page(page)

    return replace(telegram_source(telegram), walk=walk)


@asynccontextmanager
async def _open(config: SourceConfig) -> AsyncIterator[Source]:
    if config.telegram is None:
        raise ValueError("this source needs a connection to Telegram")
    yield telegram_source(config.telegram)


TELEGRAM_SOURCE = SourceType(name=TELEGRAM, open=_open, continued_by=TELEGRAM)
