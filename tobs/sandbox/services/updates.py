"""What happened since: the account's state, and differences from a stored pts."""

from __future__ import annotations

from typing import Any, Final

from telethon.tl import functions, types

from tobs.model import is_channel_id
from tobs.sandbox.dates import to_date, to_seconds
from tobs.sandbox.news import new_messages, other_updates
from tobs.sandbox.peers import marked_id, together
from tobs.sandbox.rpc import Call, serves
from tobs.sandbox.worlds import COMMON, Change, Refused, World

_MAX_DIFFERENCE: Final = 100
_POLL: Final = 30  # seconds after which a channel should be asked again


def state_of(call: Call, pts: int | None = None) -> Any:
    """updates.state of private chats and basic groups; never 0, or Telethon takes no pushed updates."""
    return types.updates.State(call.world.pts(COMMON) if pts is None else pts, 0, to_date(call.clock()), 1, 0)


@serves(functions.updates.GetStateRequest)
def get_state(call: Call, request: Any) -> Any:
    return state_of(call)


@serves(functions.updates.GetDifferenceRequest)
def get_difference(call: Call, request: Any) -> Any:
    """Private chats and basic groups in full; for each changed channel a hint to ask for its own difference."""
    world = call.world
    if request.pts > world.pts(COMMON):
        raise Refused(400, "PERSISTENT_TIMESTAMP_INVALID")
    if not world.remembers(COMMON, request.pts):
        return types.updates.DifferenceTooLong(world.pts(COMMON))
    changes = world.changes(COMMON, request.pts)
    hints = _channel_hints(world, to_seconds(request.date))
    if not changes and not hints:
        return types.updates.DifferenceEmpty(to_date(call.clock()), 1)
    if request.pts_total_limit and len(changes) > request.pts_total_limit:
        return types.updates.DifferenceTooLong(world.pts(COMMON))
    part = changes[: request.pts_limit or _MAX_DIFFERENCE]
    users, chats = together(world, _named(world, part))
    messages, others = new_messages(world, part), other_updates(world, part)
    if len(part) < len(changes):
        return types.updates.DifferenceSlice(messages, [], others, chats, users, state_of(call, part[-1].pts))
    return types.updates.Difference(messages, [], others + hints, chats, users, state_of(call))


def _channel_hints(world: World, since: int) -> list[Any]:
    hints: list[Any] = []
    for marked in world.dialogs():
        if is_channel_id(marked) and any(change.date >= since for change in world.changes(marked, 0)):
            hints.append(types.UpdateChannelTooLong(world.entity(marked).id, world.pts(marked)))
    return hints


@serves(functions.updates.GetChannelDifferenceRequest)
def get_channel_difference(call: Call, request: Any) -> Any:
    world = call.world
    marked = marked_id(world, request.channel)
    history = world.history(marked)
    now = world.pts(marked)
    if request.pts <= 0:
        raise Refused(400, "PERSISTENT_TIMESTAMP_EMPTY")
    if request.pts > now:
        raise Refused(400, "PERSISTENT_TIMESTAMP_INVALID")
    if request.pts == now:
        return types.updates.ChannelDifferenceEmpty(now, final=True, timeout=_POLL)
    changes = world.changes(marked, request.pts)
    if not changes or not world.remembers(marked, request.pts) or changes[0].pts - changes[0].pts_count > request.pts:
        return _too_long(world, marked, history.slice(0, 10))
    part = changes[: max(1, min(request.limit, _MAX_DIFFERENCE))]
    users, chats = together(world, _named(world, part))
    return types.updates.ChannelDifference(
        part[-1].pts,
        new_messages(world, part),
        other_updates(world, part),
        chats,
        users,
        final=len(part) == len(changes),
        timeout=_POLL,
    )


def _too_long(world: World, marked: int, ids: list[int]) -> Any:
    """The log does not reach back that far: the client has to look at the chat anew."""
    from tobs.sandbox.services.dialogs import dialog_of

    users, chats = world.people(marked, ids)
    return types.updates.ChannelDifferenceTooLong(
        dialog_of(world, marked), world.messages(marked, ids), chats, users, final=True, timeout=_POLL
    )


def _named(world: World, changes: list[Change]) -> list[tuple[int, list[int]]]:
    return [(change.chat, [id for id in change.ids if world.history(change.chat).has(id)]) for change in changes]
