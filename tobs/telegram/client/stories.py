"""The stories of a peer: those on its profile, those that are shown now, and the archive of one's own.

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
    """How many stories a peer has, and some of them: all where ``exact``, else the newest."""

    number: int
    stories: tuple[Message, ...]
    exact: bool


async def every_story(invoker: Invoker, directory: PeerDirectory, peer_id: int, *, me: int) -> AsyncIterator[Page]:
    """Every story that the account may see, each once, as pages that settle no ids."""
    async for page, _, _ in _listed(invoker, directory, peer_id, me=me):
        yield page


async def sample_stories(invoker: Invoker, directory: PeerDirectory, peer_id: int, *, me: int) -> StorySample:
    """How many stories there are, by a page of each list."""
    stories: dict[int, Message] = {}
    number, exact = 0, True
    async for page, listed, count in _listed(invoker, directory, peer_id, me=me, pages=1):
        stories |= {message.id: message for message in page.messages}
        number, exact = max(number, count), exact and listed >= count
    return StorySample(len(stories) if exact else max(number, len(stories)), tuple(stories.values()), exact)


async def _listed(
    invoker: Invoker, directory: PeerDirectory, peer_id: int, *, me: int, pages: int = 0
) -> AsyncIterator[tuple[Page, int, int]]:
    """The lists of a peer's stories, each up to ``pages`` (0: whole): a page without stories that another one had, how
    many of its list came so far, and how many that has."""
    peer = await directory.input_peer(peer_id)
    seen: set[int] = set()
    lists = [functions.stories.GetPinnedStoriesRequest]
    if peer_id == me or peer_id < 0:
        lists.append(functions.stories.GetStoriesArchiveRequest)
    shown = await invoker(functions.stories.GetPeerStoriesRequest(peer))
    items = shown.stories.stories
    yield await _page(invoker, directory, peer, peer_id, shown, items, seen), len(items), len(items)
    for request in lists:
        offset = listed = asked = 0
        while not pages or asked < pages:
            try:
                answer = await invoker(request(peer, offset, _LIMIT))
            except FloodWait:
                raise
            except RequestRefused:
                # Only who runs a channel sees its archive.
                if request is functions.stories.GetStoriesArchiveRequest and peer_id != me:
                    break
                raise
            listed, asked = listed + len(answer.stories), asked + 1
            yield await _page(invoker, directory, peer, peer_id, answer, answer.stories, seen), listed, answer.count
            if not answer.stories or listed >= answer.count:
                break
            offset = answer.stories[-1].id


async def single_story(invoker: Invoker, directory: PeerDirectory, peer_id: int, story_id: int) -> Message | None:
    """A story by its id; None when it is gone."""
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
    """A list of stories as a page; what it does not tell whole is asked for by its id."""
    directory.remember(answer.users, answer.chats)
    users, chats = list(answer.users), list(answer.chats)
    fresh = [item for item in items if item.id not in seen]
    seen.update(item.id for item in fresh)
    part = [item.id for item in fresh if isinstance(item, types.StoryItemSkipped) or getattr(item, "min", False)]
    whole = [item for item in fresh if item.id not in part]
    for start in range(0, len(part), _LIMIT):
        more = await invoker(functions.stories.GetStoriesByIDRequest(peer, part[start : start + _LIMIT]))
        directory.remember(more.users, more.chats)
        users += more.users
        chats += more.chats
        whole += more.stories
    told = [(message, item) for item in whole if (message := story_of(item, peer_id)) is not None]
    told.sort(key=lambda pair: pair[0].id)
    kept = types.stories.Stories(len(told), [item for _, item in told], chats, users)
    return Page(
        chat_id=stories_of(peer_id),
        low=1,
        high=0,
        messages=tuple(message for message, _ in told),
        people=_people([*users, *chats]),
        raw=bytes(kept) if told else b"",
        layer=LAYER,
        is_part=True,
    )


def _people(objects: Iterable[Any]) -> tuple[Person, ...]:
    found = (person_of(item) for item in objects)
    return tuple({person.id: person for person in found if person is not None}.values())
