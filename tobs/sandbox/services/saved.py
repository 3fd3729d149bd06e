"""Saved Messages: their sub-dialogs, the messages in one, and the tags."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from telethon.tl import functions, types

from tobs.sandbox.peers import marked_id
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.services.history import MAX_PAGE, ids_between, messages_page
from tobs.sandbox.worlds import RpcError, World
from tobs.sandbox.worlds.tl import peer, peer_marked_id, to_date

_MAX_IDS: Final = 100


def _sources(world: World) -> dict[int, list[int]]:
    """Return the ids in each sub-dialog, newest first; the sub-dialog with the newest message comes first."""
    history = world.history(world.me.id)
    found: dict[int, list[int]] = {}
    for id in history.slice(0, history.count):
        source = getattr(history.peek(id), "saved_peer_id", None)
        found.setdefault(peer_marked_id(source) if source is not None else world.me.id, []).append(id)
    return found


@serves(functions.messages.GetSavedDialogsRequest)
def get_saved_dialogs(call: Call, request: Any) -> Any:
    """Return the sub-dialogs whose newest message is older than the offset."""
    world = call.world
    sources = [(source, ids) for source, ids in _sources(world).items()]
    rest = [item for item in sources if not request.offset_id or item[1][0] < request.offset_id]
    page = rest[: min(max(request.limit, 0), _MAX_IDS)]
    dialogs = [types.SavedDialog(peer(source), ids[0]) for source, ids in page]
    tops = [ids[0] for _, ids in page]
    users, chats = world.page_entities(world.me.id, tops)
    messages = world.messages(world.me.id, tops)
    if len(page) == len(sources):
        return types.messages.SavedDialogs(dialogs, messages, chats, users)
    return types.messages.SavedDialogsSlice(len(sources), dialogs, messages, chats, users)


@serves(functions.messages.GetPinnedSavedDialogsRequest)
def get_pinned_saved_dialogs(call: Call, request: Any) -> Any:
    """Return no sub-dialogs: no world has pinned ones."""
    return types.messages.SavedDialogs([], [], [], [])


@serves(functions.messages.GetSavedHistoryRequest)
def get_saved_history(call: Call, request: Any) -> Any:
    """Return the messages of one sub-dialog, with the offsets of messages.getHistory."""
    world = call.world
    ids = _sources(world).get(marked_id(world, request.peer), [])
    start = sum(1 for id in ids if id >= request.offset_id) if request.offset_id > 0 else 0
    start += request.add_offset
    page = ids[max(0, start) : max(0, start + min(max(request.limit, 0), MAX_PAGE))]
    page = ids_between(page, min_id=request.min_id, max_id=request.max_id)
    return messages_page(world, world.me.id, page, count=len(ids), offset=max(0, start))


@serves(functions.messages.SendReactionRequest)
def send_reaction(call: Call, request: Any) -> Any:
    """Set or remove a reaction of one emoji; on a message of Saved Messages it is a tag."""
    world, chat = call.world, marked_id(call.world, request.peer)
    given = [reaction for reaction in request.reaction or () if isinstance(reaction, types.ReactionEmoji)]
    if len(given) != len(request.reaction or ()) or len(given) > 1:
        raise RpcError(400, "REACTION_INVALID")
    if not world.history(chat).has(request.msg_id):
        raise RpcError(400, "MESSAGE_ID_INVALID")
    if chat == world.me.id:
        world.tag(request.msg_id, given[0].emoticon if given else "")
    elif given:
        world.react(chat, request.msg_id, given[0].emoticon)
    return types.Updates([], [], [], to_date(world.clock()), 0)


@serves(functions.messages.GetSavedReactionTagsRequest)
def get_saved_reaction_tags(call: Call, request: Any) -> Any:
    """Return the tags in use with their counts and titles."""
    world = call.world
    history = world.history(world.me.id)
    counts: Counter[str] = Counter()
    for id in history.slice(0, history.count):
        reactions = getattr(history.peek(id), "reactions", None)
        if reactions is not None and reactions.reactions_as_tags:
            counts.update(result.reaction.emoticon for result in reactions.results)
    tags = [
        types.SavedReactionTag(types.ReactionEmoji(emoji), counts[emoji], title=world.saved_tags.get(emoji))
        for emoji in sorted(counts.keys() | world.saved_tags.keys())
    ]
    return types.messages.SavedReactionTags(tags, hash=0)
