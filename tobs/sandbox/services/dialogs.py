"""The list of chats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from telethon.tl import functions, types

from tobs.sandbox.answers import ARCHIVE_FOLDER, dialog_entry, entities_of_pages, update_state
from tobs.sandbox.peers import marked_id
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.worlds import RpcError, World
from tobs.sandbox.worlds.tl import to_seconds

_MAX_PAGE = 100


@serves(functions.messages.GetDialogsRequest)
def get_dialogs(call: Call, request: Any) -> Any:
    """Return the chats after the offset, newest first."""
    world = call.world
    listed = world.dialogs()
    if request.folder_id is not None:
        archive = request.folder_id == ARCHIVE_FOLDER
        listed = [marked for marked in listed if (marked in world.chat_list.archived) == archive]
    start = _start(world, listed, request)
    page = listed[start : start + min(max(request.limit, 0), _MAX_PAGE)]
    dialogs, messages, chats, users = _listing(world, page)
    if start == 0 and len(page) == len(listed):
        return types.messages.Dialogs(dialogs, messages, chats, users)
    return types.messages.DialogsSlice(len(listed), dialogs, messages, chats, users)


def _start(world: World, listed: Sequence[int], request: Any) -> int:
    """Return the position after the offset dialog; by its date if that dialog no longer exists."""
    if not isinstance(request.offset_peer, types.InputPeerEmpty):
        try:
            return listed.index(marked_id(world, request.offset_peer)) + 1
        except (RpcError, ValueError):
            pass
    date = to_seconds(request.offset_date)
    if not date:
        return 0
    return sum(1 for marked in listed if _top_date(world, marked) >= date)


def _top_date(world: World, marked: int) -> int:
    history = world.history(marked)
    return to_seconds(history.get(history.top_id).date)  # type: ignore[union-attr]


def _listing(world: World, page: Iterable[int]) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    tops = [(marked, [top] if (top := world.history(marked).top_id) else []) for marked in page]
    messages = [message for marked, ids in tops for message in world.messages(marked, ids)]
    users, chats = entities_of_pages(world, tops)
    return [dialog_entry(world, marked) for marked, _ in tops], messages, chats, users


@serves(functions.messages.GetPinnedDialogsRequest)
def get_pinned_dialogs(call: Call, request: Any) -> Any:
    """Return no chats: no world has pinned ones."""
    return types.messages.PeerDialogs([], [], [], [], update_state(call))


@serves(functions.messages.GetPeerDialogsRequest)
def get_peer_dialogs(call: Call, request: Any) -> Any:
    asked = [item.peer for item in request.peers if isinstance(item, types.InputDialogPeer)]
    dialogs, messages, chats, users = _listing(call.world, [marked_id(call.world, given) for given in asked])
    return types.messages.PeerDialogs(dialogs, messages, chats, users, update_state(call))


@serves(functions.messages.GetDialogFiltersRequest)
def get_dialog_filters(call: Call, request: Any) -> Any:
    return types.messages.DialogFilters(call.world.chat_list.folders)
