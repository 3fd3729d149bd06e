"""Stories of a peer: its profile, its active stories, and the archive of the account's own.

Source: https://core.telegram.org/api/stories
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, NamedTuple

from telethon.tl import functions, types
from telethon.tl.alltlobjects import LAYER

from tobs.errors import FloodWait, RequestRefused
from tobs.model import Message, Page, Person, stories_of
from tobs.telegram.client.peers import PeerDirectory
from tobs.telegram.convert import person_of
from tobs.telegram.convert.stories import story_of
from tobs.telegram.net.invoker import Invoker

_LIMIT = 100


class StorySample(NamedTuple):
    """Number of stories of a peer and some of them: all when ``exact``, else the newest."""

    number: int
    stories: tuple[Message, ...]
    exact: bool


async def all_stories(invoker: Invoker, directory: PeerDirectory, peer_id: int, *, me: int) -> AsyncIterator[Page]:
    """Yield every story that the account may see once, as pages that settle no ids."""
    async for page, _, _ in _story_lists(invoker, directory, peer_id, me=me):
        yield page


async def sample_stories(invoker: Invoker, directory: PeerDirectory, peer_id: int, *, me: int) -> StorySample:
    """Return the number of stories, estimated from one page of each list."""
    stories: dict[int, Message] = {}
    number, exact = 0, True
    async for page, received, count in _story_lists(invoker, directory, peer_id, me=me, pages=1):
        stories |= {message.id: message for message in page.messages}
        number, exact = max(number, count), exact and received >= count
    return StorySample(len(stories) if exact else max(number, len(stories)), tuple(stories.values()), exact)


async def _story_lists(
    invoker: Invoker, directory: PeerDirectory, peer_id: int, *, me: int, pages: int = 0
) -> AsyncIterator[tuple[Page, int, int]]:
    """Yield pages of the lists of a peer's stories, at most ``pages`` of each list (0: all).

    Each page is without the stories of earlier pages; with it come the number of entries of its list received so far
    and the list's total.
    """
    peer = await directory.input_peer(peer_id)
    seen: set[int] = set()
    lists = [functions.stories.GetPinnedStoriesRequest]
    if peer_id == me or peer_id < 0:
        lists.append(functions.stories.GetStoriesArchiveRequest)
    shown = await invoker(functions.stories.GetPeerStoriesRequest(peer))
    items = shown.stories.stories
    yield await _page(invoker, directory, peer, peer_id, shown, items, seen), len(items), len(items)
    for request in lists:
        offset = received = requests = 0
        while not pages or requests < pages:
            try:
                answer = await invoker(request(peer, offset, _LIMIT))
            except FloodWait:
                raise
            except RequestRefused:
                # Only administrators of a channel see its archive.
                if request is functions.stories.GetStoriesArchiveRequest and peer_id != me:
                    break
                raise
            received, requests = received + len(answer.stories), requests + 1
            yield await _page(invoker, directory, peer, peer_id, answer, answer.stories, seen), received, answer.count
            if not answer.stories or received >= answer.count:
                break
            offset = answer.stories[-1].id


async def story_by_id(invoker: Invoker, directory: PeerDirectory, peer_id: int, story_id: int) -> Message | None:
    """Return a story by its id; None when it is gone."""
    answer = await invoker(functions.stories.GetStoriesByIDRequest(await directory.input_peer(peer_id), [story_id]))
    directory.remember(answer.users, answer.chats)
    return next((found for item in answer.stories if (found := story_of(item, peer_id)) is not None), None)


async def _page(
    invoker: Invoker,
    directory: PeerDirectory,
    peer: Any,
    peer_id: int,
    answer: Any,
    items: Sequence[Any],
    seen: set[int],
) -> Page:
    """Convert a list of stories into a page; incomplete stories are requested by their ids."""
    directory.remember(answer.users, answer.chats)
    users, chats = list(answer.users), list(answer.chats)
    fresh = [item for item in items if item.id not in seen]
    seen.update(item.id for item in fresh)
    incomplete = [item.id for item in fresh if isinstance(item, types.StoryItemSkipped) or getattr(item, "min", False)]
    complete = [item for item in fresh if item.id not in incomplete]
    for start in range(0, len(incomplete), _LIMIT):
        more = await invoker(functions.stories.GetStoriesByIDRequest(peer, incomplete[start : start + _LIMIT]))
        directory.remember(more.users, more.chats)
        users += more.users
        chats += more.chats
        complete += more.stories
    messages = [(message, item) for item in complete if (message := story_of(item, peer_id)) is not None]
    messages.sort(key=lambda pair: pair[0].id)
    packed = types.stories.Stories(len(messages), [item for _, item in messages], chats, users)
    return Page(
        chat_id=stories_of(peer_id),
        low=1,
        high=0,
        messages=tuple(message for message, _ in messages),
        people=_people([*users, *chats]),
        raw=bytes(packed) if messages else b"",
        layer=LAYER,
        is_part=True,
    )


def _people(objects: Iterable[Any]) -> tuple[Person, ...]:
    found = (person_of(item) for item in objects)
    return tuple({person.id: person for person in found if person is not None}.values())
