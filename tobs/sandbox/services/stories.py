"""Stories: active ones, those on a profile, the archive, and by id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from telethon.tl import functions, types

from tobs.sandbox.answers import entities_of
from tobs.sandbox.peers import marked_id
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.worlds import RpcError, World
from tobs.sandbox.worlds.history import copy_of
from tobs.sandbox.worlds.tl import peer, to_seconds

_MAX_IDS: Final = 100


def _stories(world: World, chat: int, wanted: Callable[[Any], bool]) -> list[Any]:
    """Return stories of a peer, newest first, with current file references."""
    found = sorted(world.stories.get(chat, {}).values(), key=lambda story: -story.id)
    return [copy_of(world.files.locations.refresh(story)) for story in found if wanted(story)]


@serves(functions.stories.GetPeerStoriesRequest)
def get_peer_stories(call: Call, request: Any) -> Any:
    """Return the stories that have not expired; all but the newest as storyItemSkipped, as Telegram does with many."""
    world = call.world
    chat = marked_id(world, request.peer)
    now = call.clock()
    shown = _stories(world, chat, lambda story: to_seconds(story.expire_date) > now)[::-1]
    items = [types.StoryItemSkipped(story.id, story.date, story.expire_date) for story in shown[:-1]] + shown[-1:]
    users, chats = entities_of(world, [chat])
    return types.stories.PeerStories(types.PeerStories(peer(chat), items), chats, users)


@serves(functions.stories.GetPinnedStoriesRequest)
def get_pinned_stories(call: Call, request: Any) -> Any:
    """Return the stories on the profile below the offset."""
    chat = marked_id(call.world, request.peer)
    return _page(call.world, chat, _stories(call.world, chat, lambda story: bool(story.pinned)), request)


@serves(functions.stories.GetStoriesArchiveRequest)
def get_stories_archive(call: Call, request: Any) -> Any:
    """Return all stories ever posted by the account or by a channel that it has created."""
    world = call.world
    chat = marked_id(world, request.peer)
    if chat != world.me.id and not getattr(world.entity(chat), "creator", False):
        raise RpcError(400, "CHAT_ADMIN_REQUIRED" if chat < 0 else "PEER_ID_INVALID")
    return _page(world, chat, _stories(world, chat, lambda story: True), request)


@serves(functions.stories.GetStoriesByIDRequest)
def get_stories_by_id(call: Call, request: Any) -> Any:
    """Return the stories of some ids; missing ones are left out."""
    world = call.world
    chat = marked_id(world, request.peer)
    found = _stories(world, chat, lambda story: story.id in request.id[:_MAX_IDS])
    return _answer(world, chat, found, count=len(found))


def _page(world: World, chat: int, stories: Sequence[Any], request: Any) -> Any:
    rest = [story for story in stories if not request.offset_id or story.id < request.offset_id]
    return _answer(world, chat, rest[: min(max(request.limit, 0), _MAX_IDS)], count=len(stories))


def _answer(world: World, chat: int, stories: Sequence[Any], *, count: int) -> Any:
    users, chats = entities_of(world, [chat])
    return types.stories.Stories(count, list(stories), chats, users)
