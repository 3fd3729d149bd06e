"""Stories of a peer: messages of kind story, filed in its chat's folder.

Their ids are a space of their own, so the archive keeps them under an id beside the peer's (``stories_of``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from msgspec.structs import replace

from tobs.model import Chat, Page, stories_of
from tobs.sources import Gap, Source, live_source
from tobs.telegram.facade import Telegram

HIGHEST = (1 << 31) - 1


def stories_chat(chat: Chat) -> Chat:
    """The stories of ``chat`` as the archive keeps them: a chat of its own, with the names of the peer."""
    return Chat(stories_of(chat.id), chat.kind, chat.title, chat.username, top=HIGHEST, is_public=chat.is_public)


def stories_source(telegram: Telegram, chat: Chat) -> Source:
    """Every story of ``chat`` that the account may see."""

    async def walk(
        chat_id: int, gaps: Sequence[Gap], on_page: Callable[[Page], Awaitable[None]], *, count: int = 0
    ) -> None:
        async for page in telegram.chat_extras.stories(chat.id):
            await on_page(page)

    return replace(live_source(telegram), walk=walk)
